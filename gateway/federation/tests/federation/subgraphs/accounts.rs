//! People.

use async_graphql::{Context, EmptySubscription, Enum, ID, Object, Schema, SimpleObject};

use super::{Caller, Log, authenticated, note};

pub type Accounts = Schema<Query, Mutation, EmptySubscription>;

pub fn schema(log: Log) -> Accounts {
    Schema::build(Query, Mutation, EmptySubscription).data(log).enable_federation().finish()
}

#[derive(Clone, Copy, Enum, PartialEq, Eq)]
pub enum Role {
    Reader,
    Editor,
}

#[derive(Clone, Copy, Enum, PartialEq, Eq)]
pub enum Standing {
    Good,
    #[graphql(inaccessible)]
    Watched,
}

/// Someone who reads or writes.
pub struct User(i32);

#[Object]
impl User {
    async fn id(&self) -> ID {
        self.0.into()
    }

    async fn name(&self) -> String {
        format!("User \"{}\" ü", self.0)
    }

    async fn role(&self) -> Role {
        if self.0 == 1 { Role::Editor } else { Role::Reader }
    }

    async fn standing(&self) -> Option<Standing> {
        Some(if self.0 == 3 { Standing::Watched } else { Standing::Good })
    }

    #[graphql(directive = authenticated::apply())]
    async fn email(&self) -> Option<String> {
        Some(format!("{}@example.org", self.0))
    }

    #[graphql(requires_scopes = "admin root", requires_scopes = "secrets")]
    async fn secret(&self) -> Option<String> {
        Some(format!("secret of {}", self.0))
    }

    #[graphql(requires_scopes = "passport")]
    async fn passport(&self) -> Passport {
        Passport { number: format!("P{}", self.0), country: "TH" }
    }

    async fn account(&self) -> Option<Account> {
        Some(Account { balance: 100 * self.0 })
    }

    #[graphql(deprecation = "People have names.")]
    async fn nickname(&self, #[graphql(default = "Dr. ")] title: String) -> Option<String> {
        Some(format!("{title}{}", self.0))
    }

    async fn shouted(&self, ctx: &Context<'_>) -> Option<String> {
        Some(ctx.data_opt::<Caller>().map_or("nobody".to_owned(), |caller| caller.0.to_uppercase()))
    }
}

#[derive(SimpleObject)]
pub struct Passport {
    number: String,
    country: &'static str,
}

/// A whole type that only a known caller sees.
#[derive(SimpleObject)]
#[graphql(directive = authenticated::apply())]
pub struct Account {
    balance: i32,
}

pub struct Query;

#[Object]
impl Query {
    async fn me(&self) -> Option<User> {
        Some(User(1))
    }

    async fn user(&self, id: ID) -> Option<User> {
        id.parse().ok().filter(|id| (1..=3).contains(id)).map(User)
    }

    async fn users(&self) -> Vec<User> {
        (1..=3).map(User).collect()
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        id.parse().ok().filter(|id| (1..=3).contains(id)).map(User)
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn greet(&self, ctx: &Context<'_>, name: String) -> Option<i32> {
        Some(note(ctx.data_unchecked::<Log>(), format!("greet {name}")))
    }
}
