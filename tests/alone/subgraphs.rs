//! Two subgraphs that know nothing of Pratu, over plain HTTP.

use async_graphql::{Context, EmptyMutation, EmptySubscription, Executor, ID, Object, Schema};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};

struct Book(&'static str);

struct Shelf;

#[Object]
impl Shelf {
    async fn books(&self) -> [Book; 2] {
        [Book("1"), Book("2")]
    }

    #[graphql(entity)]
    async fn book(&self, id: ID) -> Option<Book> {
        BOOKS.iter().find(|(known, ..)| *id == **known).map(|(known, ..)| Book(known))
    }
}

const BOOKS: [(&str, &str, &str, i32); 2] =
    [("1", "Nets", "Torn cover.", 120), ("2", "Tides", "Reads well.", 90)];

#[Object]
impl Book {
    async fn id(&self) -> ID {
        self.0.into()
    }

    async fn title(&self) -> &str {
        self.row().1
    }

    async fn notes(&self) -> &str {
        self.row().2
    }

    async fn price(&self) -> i32 {
        self.row().3
    }
}

impl Book {
    fn row(&self) -> &'static (&'static str, &'static str, &'static str, i32) {
        BOOKS.iter().find(|(id, ..)| *id == self.0).unwrap()
    }
}

struct Starred(ID);

#[Object(name = "Book")]
impl Starred {
    async fn id(&self) -> &ID {
        &self.0
    }

    async fn stars(&self) -> Option<i32> {
        (*self.0 == "1").then_some(5)
    }
}

struct Stars;

#[Object]
impl Stars {
    async fn tenant<'c>(&self, ctx: &Context<'c>) -> Option<&'c str> {
        ctx.data_opt::<HeaderMap>()?.get("x-tenant")?.to_str().ok()
    }

    #[graphql(entity)]
    async fn book(&self, id: ID) -> Starred {
        Starred(id)
    }
}

/// Serves both; gives their addresses.
pub async fn serve() -> (String, String) {
    let shelf = Schema::build(Shelf, EmptyMutation, EmptySubscription).enable_federation().finish();
    let stars = Schema::build(Stars, EmptyMutation, EmptySubscription).enable_federation().finish();
    (listen(subgraph(shelf)).await, listen(subgraph(stars)).await)
}

/// Serves one text.
pub async fn serve_text(text: String) -> String {
    listen(Router::new().route("/", get(move || async move { text }))).await
}

fn subgraph<E: Executor>(executor: E) -> Router {
    Router::new().route(
        "/",
        post(move |headers: HeaderMap, body: String| async move {
            let request: async_graphql::Request = serde_json::from_str(&body).unwrap();
            axum::Json(executor.execute(request.data(headers)).await)
        }),
    )
}

async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/")
}
