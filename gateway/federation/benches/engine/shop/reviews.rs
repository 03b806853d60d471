//! What people say of products.

use async_graphql::{ComplexObject, EmptyMutation, EmptySubscription, ID, Object, Schema, SimpleObject};

use super::{PRODUCTS, REVIEWS, USERS, number};

pub type Reviews = Schema<Query, EmptyMutation, EmptySubscription>;

pub fn schema() -> Reviews {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

pub struct Review(usize);

#[Object]
impl Review {
    async fn id(&self) -> ID {
        format!("r{}", self.0).into()
    }

    async fn body(&self) -> Option<String> {
        Some(format!(
            "Review {}: it does what it says, and then some; I would buy it again for a good friend.",
            self.0
        ))
    }

    async fn author(&self) -> Option<User> {
        Some(User { id: format!("u{}", author_of(self.0)).into() })
    }

    async fn product(&self) -> Option<Product> {
        Some(Product { upc: format!("p{}", product_of(self.0)).into() })
    }
}

fn author_of(review: usize) -> usize {
    review % USERS + 1
}

fn product_of(review: usize) -> usize {
    review % PRODUCTS + 1
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    id: ID,
}

#[ComplexObject]
impl User {
    async fn reviews(&self) -> Option<Vec<Option<Review>>> {
        let user = number(&self.id, 'u', USERS)?;
        Some((1..=REVIEWS).filter(|review| author_of(*review) == user).map(|it| Some(Review(it))).collect())
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Product {
    upc: ID,
}

#[ComplexObject]
impl Product {
    async fn reviews(&self) -> Option<Vec<Option<Review>>> {
        let product = number(&self.upc, 'p', PRODUCTS)?;
        Some((1..=REVIEWS).filter(|it| product_of(*it) == product).map(|it| Some(Review(it))).collect())
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn recent_reviews(&self, #[graphql(default = 10)] first: usize) -> Vec<Review> {
        (1..=REVIEWS.min(first)).map(Review).collect()
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        Some(User { id })
    }

    #[graphql(entity)]
    async fn find_product(&self, upc: ID) -> Option<Product> {
        Some(Product { upc })
    }
}
