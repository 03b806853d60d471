//! A subgraph's SDL as composition wants it.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// Exports the SDL and repairs what async-graphql does not know: `@authenticated`, `@cost` and `@listSize` are
/// imported from the federation specification instead of defined locally, the built-in directives, which every
/// server has, are left out, and pages, which are its own types, may be kept as long as what holds them.
pub fn subgraph_sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options =
        SDLExportOptions::new().federation().include_specified_by().use_space_ident().compose_directive();
    repaired(&schema.sdl_with_options(options))
}

fn repaired(exported: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut imports = String::new();
    let caches = exported.contains("\ndirective @cacheControl(");
    for line in exported.lines().map(str::trim_end) {
        if line.starts_with("directive @") && !line.starts_with("directive @cacheControl(") {
            let imported = |name: &&&str| line.starts_with(&format!("directive {name}"));
            if let Some(name) = IMPORTED.iter().find(imported) {
                imports.extend(["\"", name, "\", "]);
            }
            drop_description(&mut lines);
        } else if let Some(head) = line.strip_suffix(" {").filter(|head| caches && is_of_pages(head)) {
            lines.extend([head, INHERITING]);
        } else {
            lines.push(line);
        }
    }
    let mut sdl = lines.join("\n").replace(&format!("\n{INHERITING}"), INHERITING).trim_end().to_owned();
    sdl = sdl.replacen("import: [", &format!("import: [{imports}"), 1);
    if imports.contains("@cost") || imports.contains("@listSize") {
        sdl = sdl.replacen(EXPORTED_VERSION, COST_VERSION, 1);
    }
    sdl.push('\n');
    sdl
}

/// What the federation specification defines and async-graphql does not import.
const IMPORTED: [&str; 3] = ["@authenticated", "@cost", "@listSize"];
const EXPORTED_VERSION: &str = "specs.apollo.dev/federation/v2.5";
/// The first that knows costs.
const COST_VERSION: &str = "specs.apollo.dev/federation/v2.9";
const INHERITING: &str = " @cacheControl(inheritMaxAge: true) {";

/// Whether this begins a connection, an edge or the information on a page.
fn is_of_pages(head: &str) -> bool {
    let name = head.strip_prefix("type ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    name == "PageInfo" || name.ends_with("Connection") || name.ends_with("Edge")
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

    #[test]
    fn costs_are_imported_from_the_version_that_knows_them() {
        let exported = "type Query {\n  a: Int @cost(weight: 5)\n}\n\ndirective @cost(weight: Int!) on OBJECT\n\
                        directive @listSize(assumedSize: Int!) on OBJECT\nextend schema @link(\n  \
                        url: \"https://specs.apollo.dev/federation/v2.5\",\n  import: [\"@key\"]\n)\n";
        let sdl = repaired(exported);
        assert!(sdl.contains("import: [\"@cost\", \"@listSize\", \"@key\"]"), "{sdl}");
        assert!(sdl.contains("federation/v2.9") && !sdl.contains("directive @"), "{sdl}");
    }

    #[test]
    fn pages_may_be_kept_as_long_as_what_holds_them() {
        let exported = "type BillConnection @shareable {\n  a: Int\n}\ntype Bill {\n  a: Int\n}\n\
                        directive @cacheControl(maxAge: Int) on OBJECT\nextend schema @link(\n)\n";
        let sdl = repaired(exported);
        assert!(sdl.contains("type BillConnection @shareable @cacheControl(inheritMaxAge: true) {\n"));
        assert!(sdl.contains("type Bill {") && sdl.contains("directive @cacheControl(maxAge: Int)"), "{sdl}");
    }
}
