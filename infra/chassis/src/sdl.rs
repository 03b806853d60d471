//! A subgraph's SDL as composition wants it.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// Exports the SDL and repairs what async-graphql does not know: `@authenticated` is imported from
/// the federation specification instead of defined locally, and the built-in directives, which every
/// server has, are left out.
pub fn subgraph_sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new().federation().include_specified_by().use_space_ident();
    repaired(&schema.sdl_with_options(options))
}

fn repaired(exported: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut authenticated = false;
    for line in exported.lines().map(str::trim_end) {
        if line.starts_with("directive @") {
            authenticated |= line.starts_with("directive @authenticated");
            drop_description(&mut lines);
        } else {
            lines.push(line);
        }
    }
    let mut sdl = lines.join("\n").trim_end().to_owned();
    if authenticated {
        sdl = sdl.replacen("import: [", "import: [\"@authenticated\", ", 1);
    }
    sdl.push('\n');
    sdl
}

/// Takes back the block of three quotes that the last lines are.
fn drop_description(lines: &mut Vec<&str>) {
    const QUOTES: &str = "\"\"\"";
    if lines.last() == Some(&QUOTES) {
        lines.pop();
        while lines.pop().is_some_and(|line| line != QUOTES) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directive_definitions_go_with_their_descriptions_and_authenticated_is_imported() {
        let exported = "type Query {\n  a: Int\n}\n\n\"\"\"\nOnly for callers.\n\"\"\"\n\
                        directive @authenticated on OBJECT\n\"\"\"\nSkips.\n\"\"\"\n\
                        directive @skip(if: Boolean!) on FIELD\nextend schema @link(\n  import: [\"@key\"]\n)\n";
        let expected = "type Query {\n  a: Int\n}\n\nextend schema @link(\n  import: [\"@authenticated\", \"@key\"]\n)\n";
        assert_eq!(repaired(exported), expected);
    }
}
