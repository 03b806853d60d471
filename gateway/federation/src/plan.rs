//! What must be asked of whom, in which order: the engine's own plan, whoever makes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::document::OperationKind;
use crate::value::{Key, Sought};

#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// For a subscription: where the events come from. The node is then run once per event.
    pub subscription: Option<Fetch>,
    pub node: Option<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    Fetch(Fetch),
    /// One request to the root of a subgraph or to its entities, for objects found in the answer so far.
    Flatten {
        path: Path,
        fetch: Fetch,
    },
    /// One request for the entities of several places, each under its own alias.
    Batch(Batch),
    Sequence(Vec<Node>),
    Parallel(Vec<Node>),
    Condition {
        variable: String,
        then: Option<Box<Node>>,
        otherwise: Option<Box<Node>>,
    },
}

#[derive(Debug)]
pub(crate) struct Fetch {
    pub subgraph: usize,
    pub operation: Arc<SubgraphOperation>,
    /// What an entity is known by; nothing for a request to the root.
    pub requires: Option<Vec<Requirement>>,
    pub input_rewrites: Vec<Rewrite>,
    pub output_rewrites: Vec<Rewrite>,
    /// The members it gives, to be named when it gives none.
    pub keys: Vec<String>,
    /// For how many seconds its entities may be kept for everyone.
    pub kept_s: u32,
}

#[derive(Debug)]
pub(crate) struct Batch {
    pub subgraph: usize,
    pub operation: Arc<SubgraphOperation>,
    pub entities: Vec<BatchEntities>,
}

#[derive(Debug)]
pub(crate) struct BatchEntities {
    pub alias: String,
    pub variable: String,
    pub paths: Vec<Path>,
    pub requires: Vec<Requirement>,
    pub input_rewrites: Vec<Rewrite>,
    pub output_rewrites: Vec<Rewrite>,
    pub keys: Vec<String>,
}

/// An operation as one subgraph gets it.
#[derive(Debug)]
pub struct SubgraphOperation {
    pub text: String,
    /// Of the text: a key under which its parsed form can be kept.
    pub hash: u64,
    pub kind: OperationKind,
    /// The client's variables it uses.
    pub variables: Vec<String>,
}

pub(crate) type Path = Vec<PathStep>;

#[derive(Debug)]
pub(crate) enum PathStep {
    Key(Sought),
    /// Every item of a list.
    Items,
    /// Only objects of these types.
    On(Vec<String>),
    /// Only objects of these very types, and those whose type nobody knows.
    Only(Vec<String>),
}

/// One part of an entity's representation.
#[derive(Debug)]
pub(crate) enum Requirement {
    /// `data_key` is its name in the answer so far, `key` the name the subgraph knows it by.
    Field {
        data_key: Sought,
        key: Key,
        inner: Vec<Requirement>,
    },
    On {
        condition: String,
        inner: Vec<Requirement>,
    },
}

/// A change to a representation before it is sent, or to an answer before it is merged.
#[derive(Debug)]
pub(crate) enum Rewrite {
    Rename { path: Vec<RewriteStep>, to: Arc<str> },
    Set { path: Vec<RewriteStep>, value: Arc<str> },
}

#[derive(Debug)]
pub(crate) enum RewriteStep {
    Key(String),
    On(Vec<String>),
}

impl Plan {
    /// How much text the plan sends to subgraphs: what it weighs in a cache.
    pub fn text_bytes(&self) -> usize {
        let first = self.subscription.as_ref().map_or(0, |fetch| fetch.operation.text.len());
        first + self.node.as_ref().map_or(0, Node::text_bytes)
    }

    /// Says of each request for entities how long they may be kept.
    pub fn keep(&mut self, kept_s: impl Fn(&SubgraphOperation) -> u32) {
        self.node.iter_mut().for_each(|node| node.keep(&kept_s));
    }

    /// The numbers of all subgraphs it may ask.
    pub fn subgraphs(&self) -> BTreeSet<usize> {
        let mut numbers: BTreeSet<usize> = self.subscription.iter().map(|fetch| fetch.subgraph).collect();
        self.node.iter().for_each(|node| node.subgraphs(&mut numbers));
        numbers
    }
}

impl Node {
    fn keep(&mut self, kept_s: &impl Fn(&SubgraphOperation) -> u32) {
        match self {
            Node::Flatten { fetch, .. } if fetch.requires.is_some() => {
                fetch.kept_s = kept_s(&fetch.operation);
            }
            Node::Fetch(_) | Node::Flatten { .. } | Node::Batch(_) => {}
            Node::Sequence(nodes) | Node::Parallel(nodes) => {
                nodes.iter_mut().for_each(|node| node.keep(kept_s));
            }
            Node::Condition { then, otherwise, .. } => {
                [then, otherwise].into_iter().flatten().for_each(|node| node.keep(kept_s));
            }
        }
    }

    fn subgraphs(&self, numbers: &mut BTreeSet<usize>) {
        match self {
            Node::Fetch(fetch) | Node::Flatten { fetch, .. } => drop(numbers.insert(fetch.subgraph)),
            Node::Batch(batch) => drop(numbers.insert(batch.subgraph)),
            Node::Sequence(nodes) | Node::Parallel(nodes) => {
                nodes.iter().for_each(|node| node.subgraphs(numbers));
            }
            Node::Condition { then, otherwise, .. } => {
                [then, otherwise].into_iter().flatten().for_each(|node| node.subgraphs(numbers));
            }
        }
    }

    fn text_bytes(&self) -> usize {
        match self {
            Node::Fetch(fetch) | Node::Flatten { fetch, .. } => fetch.operation.text.len(),
            Node::Batch(batch) => batch.operation.text.len(),
            Node::Sequence(nodes) | Node::Parallel(nodes) => nodes.iter().map(Node::text_bytes).sum(),
            Node::Condition { then, otherwise, .. } => {
                [then, otherwise].into_iter().flatten().map(|node| node.text_bytes()).sum()
            }
        }
    }
}
