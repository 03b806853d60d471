//! Things, and media that share an interface.

use async_graphql::{
    Context, Enum, Error, ID, InputObject, Interface, Json, Object, Schema, SimpleObject, Subscription, Union,
};
use futures::{Stream, StreamExt, stream};
use serde_json::json;

use super::{Log, note};

pub type Products = Schema<Query, Mutation, Events>;

pub fn schema(log: Log) -> Products {
    Schema::build(Query, Mutation, Events)
        .data(log)
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

#[derive(Clone)]
pub struct Product(i32);

#[Object]
impl Product {
    async fn upc(&self) -> ID {
        format!("p{}", self.0).into()
    }

    async fn name(&self) -> String {
        format!("Product {}", self.0)
    }

    async fn price(&self) -> i32 {
        self.0 * 10
    }

    async fn weight(&self) -> Option<f64> {
        (self.0 != 3).then_some(f64::from(self.0) * 1.5)
    }

    /// For subgraphs only.
    #[graphql(inaccessible)]
    async fn code(&self) -> String {
        format!("code {}", self.0)
    }

    /// Cannot be had of the second product, and may not be null.
    async fn serial(&self) -> Result<String, Error> {
        match self.0 {
            2 => Err(Error::new("The serial number is unreadable.")),
            n => Ok(format!("S-{n}")),
        }
    }

    async fn details(&self) -> Option<Json<serde_json::Value>> {
        Some(Json(json!({ "a \"quoted\" name": [1, 2.5, null, { "deep": "\\ \u{1F600}" }] })))
    }

    async fn owner(&self) -> Option<User> {
        Some(User { id: (self.0 % 2 + 1).into() })
    }
}

/// Known here only by its key.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct User {
    id: ID,
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID"), field(name = "title", ty = "&Option<String>"))]
pub enum Media {
    Book(Book),
    Film(Film),
}

#[derive(Clone, SimpleObject)]
pub struct Book {
    id: ID,
    title: Option<String>,
    pages: i32,
}

#[derive(Clone, SimpleObject)]
pub struct Film {
    id: ID,
    #[graphql(requires_scopes = "films")]
    title: Option<String>,
    minutes: i32,
}

#[derive(Union)]
pub enum Found {
    Product(Product),
    Book(Book),
}

#[derive(InputObject)]
pub struct Filter {
    cheaper_than: Option<i32>,
    #[graphql(default = 0)]
    skip: usize,
    order: Order,
}

#[derive(Clone, Copy, Enum, PartialEq, Eq)]
pub enum Order {
    Up,
    Down,
}

fn book() -> Book {
    Book { id: "b1".into(), title: Some("A Book".to_owned()), pages: 300 }
}

fn film() -> Film {
    Film { id: "f1".into(), title: Some("A Film".to_owned()), minutes: 90 }
}

pub struct Query;

#[Object]
impl Query {
    async fn products(&self, #[graphql(default = 3)] first: i32, filter: Option<Filter>) -> Vec<Product> {
        let mut all: Vec<_> = (1..=first).map(Product).collect();
        if let Some(filter) = filter {
            all.retain(|product| filter.cheaper_than.is_none_or(|limit| product.0 * 10 < limit));
            all.drain(..filter.skip.min(all.len()));
            if filter.order == Order::Down {
                all.reverse();
            }
        }
        all
    }

    async fn product(&self, upc: ID) -> Option<Product> {
        number(&upc)
    }

    async fn shelf(&self) -> Vec<Media> {
        vec![Media::Book(book()), Media::Film(film())]
    }

    async fn search(&self) -> Vec<Option<Found>> {
        vec![Some(Found::Product(Product(1))), None, Some(Found::Book(book()))]
    }

    /// The same person many times, and lists of lists.
    async fn matrix(&self) -> Vec<Vec<Option<User>>> {
        let user = |id: i32| Some(User { id: id.into() });
        vec![vec![user(1), user(2)], vec![], vec![None, user(1)]]
    }

    #[graphql(entity)]
    async fn find_product(&self, upc: ID) -> Option<Product> {
        number(&upc)
    }

    #[graphql(entity)]
    async fn find_book(&self, id: ID) -> Option<Book> {
        (*id == "b1").then(book)
    }
}

fn number(upc: &ID) -> Option<Product> {
    upc.strip_prefix('p').and_then(|number| number.parse().ok()).map(Product)
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn stock(&self, ctx: &Context<'_>, name: String) -> Option<i32> {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        Some(note(ctx.data_unchecked::<Log>(), format!("stock {name}")))
    }

    async fn make(&self, upc: ID) -> Option<Product> {
        number(&upc)
    }
}

pub struct Events;

// A federated root has to have its standard name.
#[Subscription(name = "Subscription")]
impl Events {
    async fn made(&self, #[graphql(default = 2)] count: i32) -> impl Stream<Item = Product> {
        stream::iter(1..=count).map(Product)
    }
}
