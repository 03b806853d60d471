//! Relay connections: every list is paged, every page is bounded.

use async_graphql::OutputType;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{ErrorCode, Failure};

/// Nodes on a page when the client does not say.
pub const PAGE_SIZE: i32 = 20;
/// Nodes on a page at most.
pub const PAGE_SIZE_MAX: i32 = 100;
const CURSOR_BYTES_MAX: usize = 512;

/// A connection of ours: edges, nodes and page information.
pub type PageConnection<Node> = Connection<String, Node, EmptyFields, EmptyFields>;

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Nodes on this page at most.
    pub size: usize,
    /// The position after which it begins, as the service wrote it into the cursor.
    pub after: Option<String>,
}

impl Page {
    /// Reads the arguments `first` and `after` of a connection field.
    pub fn parse(first: Option<i32>, after: Option<String>) -> Result<Self, Failure> {
        let refuse = |message: String| Failure::new(ErrorCode::BadUserInput, message);
        let first = first.unwrap_or(PAGE_SIZE);
        if !(0..=PAGE_SIZE_MAX).contains(&first) {
            return Err(refuse(format!("`first` must be from 0 to {PAGE_SIZE_MAX}.")));
        }
        let after =
            after.map(|cursor| decode(&cursor).ok_or_else(|| refuse("`after` is not a cursor.".into())));
        Ok(Self { size: usize::try_from(first).unwrap_or(0), after: after.transpose()? })
    }

    /// Rows to ask a store for: one more than the page, which tells whether there is a next one.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX - 1) + 1
    }

    /// The connection of what a store found; `position` gives each node's place in the order.
    pub fn connection<Node>(
        &self,
        mut found: Vec<Node>,
        position: impl Fn(&Node) -> String,
    ) -> PageConnection<Node>
    where
        Node: OutputType,
    {
        let has_next_page = found.len() > self.size;
        found.truncate(self.size);
        let mut connection = Connection::new(self.after.is_some(), has_next_page);
        connection.edges = found.into_iter().map(|node| Edge::new(encode(&position(&node)), node)).collect();
        connection
    }
}

fn encode(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

fn decode(cursor: &str) -> Option<String> {
    if cursor.len() > CURSOR_BYTES_MAX {
        return None;
    }
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded_and_a_cursor_reads_back() {
        assert!(Page::parse(Some(101), None).is_err());
        assert!(Page::parse(Some(-1), None).is_err());
        assert!(Page::parse(None, Some("%%".into())).is_err());
        let page = Page::parse(None, Some(encode("ก|7"))).unwrap();
        assert_eq!(page, Page { size: 20, after: Some("ก|7".into()) });
    }
}
