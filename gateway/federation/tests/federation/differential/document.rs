//! A random document before it is text: what the writer makes and the shrinker takes apart.

use std::fmt;

use serde_json::{Map, Value};

#[derive(Clone, Debug)]
pub struct Document {
    pub mutation: bool,
    pub variables: Vec<Variable>,
    pub set: Set,
    pub fragments: Vec<Fragment>,
}

#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub ty: String,
    /// As it stands in the document.
    pub default: Option<String>,
    /// What the client sends; nothing where it leaves the variable out.
    pub value: Option<Value>,
}

#[derive(Clone, Debug)]
pub struct Fragment {
    pub name: String,
    pub on: String,
    pub set: Set,
}

pub type Set = Vec<Selection>;

/// Directives stand as they are written.
#[derive(Clone, Debug)]
pub enum Selection {
    Field(Field),
    Inline { on: Option<String>, directives: Vec<String>, set: Set },
    Spread { name: String, directives: Vec<String> },
}

#[derive(Clone, Debug)]
pub struct Field {
    pub alias: Option<String>,
    pub name: String,
    pub arguments: Vec<(String, String)>,
    pub directives: Vec<String>,
    /// Empty for a leaf.
    pub set: Set,
}

impl Document {
    /// Drops the fragments and variables that nothing uses: a valid document has none.
    pub fn tidy(&mut self) {
        loop {
            let fragments = self.fragments.len();
            let spreads = |set: &Set, name: &str| {
                any(
                    set,
                    &mut |selection| matches!(selection, Selection::Spread { name: it, .. } if it == name),
                )
            };
            let used = |fragment: &Fragment| {
                let name = &fragment.name;
                spreads(&self.set, name) || self.fragments.iter().any(|other| spreads(&other.set, name))
            };
            let kept: Vec<_> = self.fragments.iter().filter(|fragment| used(fragment)).cloned().collect();
            self.fragments = kept;
            if self.fragments.len() == fragments {
                break;
            }
        }
        let text = self.body();
        self.variables.retain(|variable| {
            let name = format!("${}", variable.name);
            let whole = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            text.match_indices(&name).any(|(at, _)| whole(&text[at + name.len()..]))
        });
    }

    pub fn values(&self) -> Map<String, Value> {
        let given = |variable: &Variable| Some((variable.name.clone(), variable.value.clone()?));
        self.variables.iter().filter_map(given).collect()
    }

    fn body(&self) -> String {
        let mut text = braces(&self.set, 0);
        for Fragment { name, on, set } in &self.fragments {
            text += &format!("\nfragment {name} on {on} {}", braces(set, 0));
        }
        text
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.mutation { "mutation" } else { "query" })?;
        let variable = |Variable { name, ty, default, .. }: &Variable| match default {
            Some(default) => format!("${name}: {ty} = {default}"),
            None => format!("${name}: {ty}"),
        };
        if !self.variables.is_empty() {
            write!(f, "({})", self.variables.iter().map(variable).collect::<Vec<_>>().join(", "))?;
        }
        write!(f, " {}", self.body())
    }
}

/// Whether any selection, however deep, is such a one.
fn any(set: &Set, such: &mut impl FnMut(&Selection) -> bool) -> bool {
    set.iter().any(|selection| {
        such(selection)
            || match selection {
                Selection::Field(Field { set, .. }) | Selection::Inline { set, .. } => any(set, such),
                Selection::Spread { .. } => false,
            }
    })
}

fn braces(set: &Set, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    let lines = set.iter().map(|selection| format!("{indent}{}\n", line(selection, depth + 1)));
    format!("{{\n{}{}}}", lines.collect::<String>(), "  ".repeat(depth))
}

fn line(selection: &Selection, depth: usize) -> String {
    let (head, directives, set) = match selection {
        Selection::Field(Field { alias, name, arguments, directives, set }) => {
            let mut head = alias.as_ref().map_or_else(String::new, |alias| format!("{alias}: "));
            head += name;
            if !arguments.is_empty() {
                let given = arguments.iter().map(|(name, value)| format!("{name}: {value}"));
                head += &format!("({})", given.collect::<Vec<_>>().join(", "));
            }
            (head, directives, Some(set).filter(|set| !set.is_empty()))
        }
        Selection::Inline { on, directives, set } => {
            (on.as_ref().map_or_else(|| "...".to_owned(), |on| format!("... on {on}")), directives, Some(set))
        }
        Selection::Spread { name, directives } => (format!("...{name}"), directives, None),
    };
    let mut line = head;
    directives.iter().for_each(|directive| line += &format!(" {directive}"));
    if let Some(set) = set {
        line += &format!(" {}", braces(set, depth));
    }
    line
}
