//! What is in stock, and what it costs to send it.

use async_graphql::{ComplexObject, EmptyMutation, EmptySubscription, ID, Object, Schema, SimpleObject};

use super::{PRODUCTS, number};

pub type Inventory = Schema<Query, EmptyMutation, EmptySubscription>;

pub fn schema() -> Inventory {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Product {
    upc: ID,
    #[graphql(external)]
    price: Option<i32>,
    #[graphql(external)]
    weight: Option<i32>,
}

#[ComplexObject]
impl Product {
    async fn in_stock(&self) -> Option<bool> {
        number(&self.upc, 'p', PRODUCTS).map(|number| number % 3 != 0)
    }

    #[graphql(requires = "price weight")]
    async fn shipping_estimate(&self) -> Option<i32> {
        // What is dear is sent for nothing.
        Some(if self.price? > 1000 { 0 } else { self.weight? / 2 })
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn stocked(&self) -> i32 {
        PRODUCTS as i32
    }

    #[graphql(entity)]
    async fn find_product(
        &self,
        #[graphql(key)] upc: ID,
        price: Option<i32>,
        weight: Option<i32>,
    ) -> Option<Product> {
        Some(Product { upc, price, weight })
    }
}
