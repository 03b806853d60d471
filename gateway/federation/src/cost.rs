//! What an operation costs, known before it runs: the weights and list sizes that the schema gives
//! (`@cost` and `@listSize` as IBM's cost specification means them) over what a plan selects.
//!
//! An object counts one and a leaf nothing, a field of `Mutation` ten. A list counts for as many as it is asked
//! for: by an argument (`slicingArguments`), or as many as are assumed. A connection's `first` is known as such
//! without a directive.
//! The plan keeps what does not depend on variables as a number, so that most requests read one field.

mod weights;

use graphql_tools::static_graphql::query;
use serde_json::{Map, Value};

use crate::authorize::Denial;
use crate::coerce::literal;
use crate::schema::{Kind, Schema, TypeRef};
use crate::selection::{Field, Item, Selections};

pub(crate) use weights::Costs;
use weights::{FieldWeights, ListSize};

/// One operation's cost, as far as it is known without variables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    Fixed(u64),
    Sum(Vec<Cost>),
    /// Of branches that exclude each other.
    Max(Vec<Cost>),
    Times(Count, Box<Cost>),
}

/// How long a list may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Fixed(u64),
    Variable {
        name: String,
        /// When the variable is absent or null.
        otherwise: u64,
    },
    /// Of several arguments, the one that asks for most.
    Most(Vec<Count>),
}

impl Cost {
    pub fn of(&self, variables: &Map<String, Value>) -> u64 {
        match self {
            Cost::Fixed(cost) => *cost,
            Cost::Sum(parts) => parts.iter().fold(0, |sum, part| part.of(variables).saturating_add(sum)),
            Cost::Max(parts) => parts.iter().map(|part| part.of(variables)).max().unwrap_or(0),
            Cost::Times(count, each) => count.of(variables).saturating_mul(each.of(variables)),
        }
    }

    fn sum(parts: impl IntoIterator<Item = Cost>) -> Self {
        let (mut fixed, mut open) = (0_u64, Vec::new());
        for part in parts {
            match part {
                Cost::Fixed(cost) => fixed = fixed.saturating_add(cost),
                Cost::Sum(inner) => open.extend(inner),
                part => open.push(part),
            }
        }
        if open.is_empty() {
            return Cost::Fixed(fixed);
        }
        if fixed > 0 {
            open.push(Cost::Fixed(fixed));
        }
        Cost::Sum(open)
    }

    fn max(parts: Vec<Cost>) -> Self {
        let fixed = |part: &Cost| match part {
            Cost::Fixed(cost) => Some(*cost),
            _ => None,
        };
        match parts.iter().map(fixed).collect::<Option<Vec<u64>>>() {
            Some(fixed) => Cost::Fixed(fixed.into_iter().max().unwrap_or(0)),
            None => Cost::Max(parts),
        }
    }

    fn times(count: Count, each: Cost) -> Self {
        match (count, each) {
            (_, Cost::Fixed(0)) => Cost::Fixed(0),
            (Count::Fixed(count), Cost::Fixed(each)) => Cost::Fixed(count.saturating_mul(each)),
            (count, each) => Cost::Times(count, Box::new(each)),
        }
    }
}

impl Count {
    fn of(&self, variables: &Map<String, Value>) -> u64 {
        match self {
            Count::Fixed(count) => *count,
            Count::Variable { name, otherwise } => match variables.get(name) {
                None | Some(Value::Null) => *otherwise,
                Some(value) => length(value),
            },
            Count::Most(counts) => counts.iter().map(|count| count.of(variables)).max().unwrap_or(0),
        }
    }
}

/// How much is asked for: an `Int`, or a number of some scalar of a subgraph's own. What cannot be read as one
/// is without end, and not what is assumed of who says nothing.
fn length(value: &Value) -> u64 {
    let of = |number: f64| if number.is_nan() { u64::MAX } else { number.ceil() as u64 };
    let read = match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(of)),
        Value::String(text) => text.parse().ok().or_else(|| text.parse().ok().map(of)),
        _ => None,
    };
    read.unwrap_or(u64::MAX)
}

impl Costs {
    /// What one operation costs under one set of conditions and permissions.
    pub fn operation(&self, schema: &Schema, root: &str, selections: &Selections) -> Cost {
        Estimate { costs: self, schema }.selections(root, selections, None)
    }
}

struct Estimate<'a> {
    costs: &'a Costs,
    schema: &'a Schema,
}

/// What a field said of the lists below it.
type Sized<'a> = Option<(&'a ListSize, &'a Count)>;

impl Estimate<'_> {
    fn selections(&self, parent: &str, selections: &Selections, sized: Sized<'_>) -> Cost {
        let (mut parts, mut exclusive): (Vec<Cost>, Vec<(&str, Vec<Cost>)>) = (Vec::new(), Vec::new());
        for item in &selections.items {
            match item {
                Item::Field(field) => parts.push(self.field(parent, field, sized)),
                Item::Branch { condition, selections } => {
                    let cost = self.selections(condition, selections, sized);
                    if !self.schema.is_object(condition) {
                        parts.push(cost);
                        continue;
                    }
                    // An object is of one type only: of several, the dearest counts.
                    match exclusive.iter_mut().find(|(known, _)| known == condition) {
                        Some((_, costs)) => costs.push(cost),
                        None => exclusive.push((condition, vec![cost])),
                    }
                }
            }
        }
        parts.push(Cost::max(exclusive.into_iter().map(|(_, costs)| Cost::sum(costs)).collect()));
        Cost::sum(parts)
    }

    fn field(&self, parent: &str, field: &Field, sized: Sized<'_>) -> Cost {
        if field.denial == Denial::Always || field.name.starts_with("__") {
            return Cost::Fixed(0);
        }
        let named = field.ty.name();
        let composite =
            self.schema.get(named).is_some_and(|ty| ty.kind != Kind::Scalar && ty.kind != Kind::Enum);
        let weights = self.costs.field(parent, &field.name);
        let own_weight = weights.and_then(|weights| weights.weight);
        let weight = own_weight
            .unwrap_or_else(|| self.costs.of_root(parent).max(self.costs.of_type(named, composite)));
        let list = weights.and_then(|weights| weights.list.as_ref());
        let count = list.map(|list| self.count(list, field));
        let inner = match (list, &count) {
            (Some(list), Some(count)) => self.selections(named, &field.selections, Some((list, count))),
            _ => self.selections(named, &field.selections, None),
        };
        let each = Cost::sum([Cost::Fixed(weight), inner]);
        let asked = match sized {
            Some((list, count)) if list.sizes(&field.name) => Some(count.clone()),
            // What sizes the lists below it says nothing of its own length.
            _ => count.filter(|_| list.is_some_and(ListSize::is_own)),
        };
        let whole = match levels(&field.ty) {
            0 => each,
            levels => {
                let count = asked.unwrap_or(Count::Fixed(weights::LIST_ASSUMED));
                let lists_within =
                    (1..levels).fold(each, |each, _| Cost::times(Count::Fixed(weights::LIST_ASSUMED), each));
                Cost::times(count, lists_within)
            }
        };
        let given = field.arguments.iter().map(|(name, _)| name);
        let add = |weights: &FieldWeights| {
            given.fold(0, |sum: u64, name| sum.saturating_add(weights.of_argument(name)))
        };
        let arguments = weights.map_or(0, add);
        Cost::sum([Cost::Fixed(arguments), whole])
    }

    fn count(&self, list: &ListSize, field: &Field) -> Count {
        let assumed = list.assumed.unwrap_or(weights::LIST_ASSUMED);
        let sliced = field.arguments.iter().filter(|(name, _)| list.slices(name));
        let mut counts: Vec<Count> = sliced
            .filter_map(|(_, value)| match value {
                query::Value::Null => None,
                query::Value::Variable(name) => {
                    Some(Count::Variable { name: name.clone(), otherwise: assumed })
                }
                written => Some(Count::Fixed(length(&literal(written)))),
            })
            .collect();
        match counts.len() {
            0 => Count::Fixed(assumed),
            1 => counts.remove(0),
            _ => Count::Most(counts),
        }
    }
}

/// How many lists stand within each other.
fn levels(ty: &TypeRef) -> usize {
    match ty {
        TypeRef::Named(_) => 0,
        TypeRef::NonNull(inner) => levels(inner),
        TypeRef::List(inner) => 1 + levels(inner),
    }
}

#[cfg(test)]
mod tests;
