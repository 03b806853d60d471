//! Who the people are.

use async_graphql::{EmptyMutation, EmptySubscription, ID, Object, Schema};

use super::{USERS, number};

pub type Accounts = Schema<Query, EmptyMutation, EmptySubscription>;

pub fn schema() -> Accounts {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

pub struct User(usize);

#[Object]
impl User {
    async fn id(&self) -> ID {
        format!("u{}", self.0).into()
    }

    async fn username(&self) -> Option<String> {
        Some(format!("@reader_number_{}", self.0))
    }

    async fn name(&self) -> Option<String> {
        Some(format!("Reader Number {}", self.0))
    }

    async fn birthday(&self) -> Option<i32> {
        Some(1980 + self.0 as i32)
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn users(&self) -> Option<Vec<Option<User>>> {
        Some((1..=USERS).map(|number| Some(User(number))).collect())
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        number(&id, 'u', USERS).map(User)
    }
}
