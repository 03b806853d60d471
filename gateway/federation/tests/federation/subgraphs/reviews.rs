//! What people say of things; adds to types of the other two.

use async_graphql::{
    ComplexObject, Context, EmptySubscription, Error, ErrorExtensions, ID, Object, Schema, SimpleObject,
};

use super::{Log, note};

pub type Reviews = Schema<Query, Mutation, EmptySubscription>;

pub fn schema(log: Log) -> Reviews {
    Schema::build(Query, Mutation, EmptySubscription).data(log).enable_federation().finish()
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Product {
    upc: ID,
    #[graphql(external)]
    price: i32,
    #[graphql(external)]
    weight: Option<f64>,
    #[graphql(external)]
    code: String,
}

#[ComplexObject]
impl Product {
    #[graphql(requires = "price weight")]
    async fn shipping(&self) -> Option<String> {
        Some(format!("{} for {:?}", self.price, self.weight))
    }

    #[graphql(requires = "code")]
    async fn label(&self) -> Option<String> {
        Some(format!("label of {}", self.code))
    }

    async fn reviews(&self, #[graphql(default = 2)] first: i32) -> Vec<Review> {
        (1..=first).map(|n| Review { id: format!("{}-{n}", *self.upc).into(), n }).collect()
    }

    /// Fails for the second product, in the middle of a list.
    async fn rating(&self) -> Result<Option<i32>, Error> {
        match &**self.upc {
            "p2" => {
                let error = Error::new("Nobody rated this.");
                Err(error.extend_with(|_, extensions| extensions.set("code", "NOT_FOUND")))
            }
            _ => Ok(Some(5)),
        }
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    id: ID,
}

#[ComplexObject]
impl User {
    async fn reviews(&self) -> Vec<Review> {
        vec![Review { id: format!("u{}-1", *self.id).into(), n: self.id.parse().unwrap_or(1) }]
    }

    async fn karma(&self) -> Option<i32> {
        self.id.parse().ok()
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Book {
    id: ID,
}

#[ComplexObject]
impl Book {
    async fn praise(&self) -> Option<String> {
        Some(format!("Praise for {}", *self.id))
    }
}

pub struct Review {
    id: ID,
    n: i32,
}

#[Object]
impl Review {
    async fn id(&self) -> &ID {
        &self.id
    }

    async fn body(&self) -> Option<String> {
        Some(format!("Line {}\nwith \t tab", self.n))
    }

    async fn author(&self) -> Option<User> {
        Some(User { id: self.n.into() })
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn latest(&self) -> Option<Review> {
        Some(Review { id: "latest".into(), n: 2 })
    }

    #[graphql(entity)]
    async fn find_product(
        &self,
        #[graphql(key)] upc: ID,
        price: Option<i32>,
        weight: Option<f64>,
        code: Option<String>,
    ) -> Option<Product> {
        // Not every request needs what is required, so it may be missing here.
        Some(Product { upc, price: price.unwrap_or_default(), weight, code: code.unwrap_or_default() })
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        // Nothing is known here of the third.
        (*id != "3").then_some(User { id })
    }

    #[graphql(entity)]
    async fn find_book(&self, id: ID) -> Option<Book> {
        Some(Book { id })
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn praise(&self, ctx: &Context<'_>, name: String) -> Option<i32> {
        Some(note(ctx.data_unchecked::<Log>(), format!("praise {name}")))
    }
}
