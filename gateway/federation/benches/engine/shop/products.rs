//! What can be bought.

use async_graphql::{EmptyMutation, EmptySubscription, ID, Object, Schema};

use super::{PRODUCTS, number};

pub type Products = Schema<Query, EmptyMutation, EmptySubscription>;

pub fn schema() -> Products {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

pub struct Product(usize);

#[Object]
impl Product {
    async fn upc(&self) -> ID {
        format!("p{}", self.0).into()
    }

    async fn name(&self) -> Option<String> {
        Some(format!("Handy Thing Number {}", self.0))
    }

    async fn price(&self) -> Option<i32> {
        Some(self.0 as i32 * 199)
    }

    async fn weight(&self) -> Option<i32> {
        Some(self.0 as i32 * 50)
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn top_products(&self, #[graphql(default = 5)] first: usize) -> Option<Vec<Option<Product>>> {
        Some((1..=PRODUCTS.min(first)).map(|number| Some(Product(number))).collect())
    }

    #[graphql(entity)]
    async fn find_product(&self, upc: ID) -> Option<Product> {
        number(&upc, 'p', PRODUCTS).map(Product)
    }
}
