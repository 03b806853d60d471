//! Progressive `@override`: which of two subgraphs a field that is on its way between them is asked of.

use std::collections::HashSet;

use graphql_tools::static_graphql::{query, schema as ast};

/// Hundredths of a millionth of a percent: the finest share composition takes.
const PARTS_OF_A_PERCENT: f64 = 100_000_000.0;

/// The shares a supergraph's labels speak of, smallest first.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    shares: Vec<u64>,
}

/// One request's lot. Requests with equal lots get equal plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Lot(u64);

impl Overrides {
    pub fn new(supergraph: &ast::Document) -> Self {
        let fields = supergraph.definitions.iter().flat_map(|definition| match definition {
            ast::Definition::TypeDefinition(ast::TypeDefinition::Object(ty)) => &ty.fields[..],
            ast::Definition::TypeDefinition(ast::TypeDefinition::Interface(ty)) => &ty.fields[..],
            _ => &[],
        });
        let labels = fields.flat_map(|field| &field.directives).filter_map(label);
        let mut shares: Vec<u64> = labels.filter_map(share).collect();
        shares.sort_unstable();
        shares.dedup();
        Overrides { shares }
    }

    /// Draws for one request: `percent(5)` is the new owner's in five of a hundred.
    pub fn draw(&self) -> Lot {
        if self.shares.is_empty() {
            return Lot::default();
        }
        self.lot(rand::random_range(0..scaled(100.0)))
    }

    /// Only the largest share that has lost matters: between two shares all numbers decide alike.
    fn lot(&self, drawn: u64) -> Lot {
        Lot(self.shares.iter().rev().copied().find(|share| *share <= drawn).unwrap_or_default())
    }
}

impl Lot {
    /// As the planner compares it: a share wins when it is larger.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// The labels that an operator has switched on, for fields whose label is no share.
pub(crate) type Flags = HashSet<String>;

fn label(directive: &ast::Directive) -> Option<&str> {
    let label = directive.arguments.iter().find(|(name, _)| name == "overrideLabel");
    match label {
        Some((_, query::Value::String(label))) if directive.name == "join__field" => Some(label),
        _ => None,
    }
}

fn share(label: &str) -> Option<u64> {
    let percent: f64 = label.strip_prefix("percent(")?.strip_suffix(')')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then(|| scaled(percent))
}

fn scaled(percent: f64) -> u64 {
    (percent * PARTS_OF_A_PERCENT) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_wins_as_often_as_it_is_large() {
        let overrides = Overrides { shares: vec![0, scaled(25.0), scaled(100.0)] };
        let wins = |percent: f64, drawn: f64| overrides.lot(scaled(drawn)).number() < scaled(percent);
        assert!(!wins(0.0, 0.0));
        assert!(wins(25.0, 0.0) && wins(25.0, 24.9) && !wins(25.0, 25.0) && !wins(25.0, 99.9));
        assert!(wins(100.0, 99.999_999));
    }
}
