//! One person's way per file, over real HTTP, with the documents of `graphql/operations`.

mod books;
mod edit;
mod file;
mod find;
mod pay;
mod prove;
mod track;
mod whole;
