//! A world: one schema cut into parts, and the data behind all of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// Everything the differential test needs to ask the same document of a monolith and of a federation.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub name: String,
    /// The schema as clients see it: nothing inaccessible, nothing of federation. The monolith answers by it.
    pub monolith_sdl: String,
    /// What the engine is given.
    pub supergraph_sdl: String,
    pub parts: Vec<Part>,
    pub data: Data,
    /// Who may see what, by coordinate: `Type`, `Type.field`. Empty where nothing is guarded. The same rules
    /// stand in `supergraph_sdl` as `@authenticated` and `@requiresScopes`.
    pub guards: BTreeMap<String, Guard>,
}

/// One subgraph.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// As `join__Graph` spells it in `@join__graph(name:)`.
    pub name: String,
    /// The subgraph's own SDL with its federation directives, written without a namespace (`@key`, never
    /// `@federation__key`). Definitions of those directives, of `_Entity`, `_Any` and `_service` may be left
    /// out. `extend type` and `type` mean the same. The roots are called `Query` and `Mutation`.
    pub sdl: String,
}

/// What a caller must have; both, where both are said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guard {
    pub authenticated: bool,
    /// One of these lists, whole. Nothing to ask for when there is no list.
    pub scopes: Vec<Vec<String>>,
}

/// Objects by address. The address of an entity or a value object is `Type:id`, with the object type's real
/// name (never an interface's, never a union's) and any id: it is no field and no client sees it. The roots
/// stand under `Query` and `Mutation`.
///
/// The value of a field is JSON, read by the field's type in the whole schema (the supergraph's, with its
/// inaccessible parts):
///  - a list is an array, lists of lists are arrays of arrays, null is null;
///  - a scalar is the JSON a client gets, an enum value is its name;
///  - an object is the address of one of these objects, as a string: `"Book:b1"`. What the field is declared
///    as (object, interface, union) does not matter; where it is an `@interfaceObject` in a part, the address
///    is still that of the real object;
///  - an object may also stand in place, as JSON with its fields and its `__typename`: a value object that is
///    nowhere else. It is never found by a key;
///  - `{"$fail": "why"}`, in the place of a value or of an item of a list, is a field error there: null, and an
///    error with the path. Never in a field that is (part of) a `@key` or is asked for by `@requires`;
///  - `{"$choose": [a, b, …]}` is one of these values, by the arguments: only for the whole value of a field
///    that takes arguments.
///
/// A field that is left out: null when it is an object or a list, else a value is made up from the address and
/// the field's name (for a non-null field too), so data need only say what matters. Made-up strings, numbers
/// and ids differ from object to object, so a scalar key may be left out. No list and no object that is
/// non-null may be left out.
///
/// A field with arguments is a function of the object, the field and the arguments after coercion, with their
/// defaults: strings and ids get the arguments appended, numbers, booleans and enum values change with them,
/// lists are turned and cut by them, a single object is as given (or of `$choose`). So a wrong or lost
/// argument shows. In `Mutation` the number of mutations before it counts as one more argument: order shows.
///
/// Keys: within the objects of one type no two may have the same values in the fields of any one `@key`. An
/// object whose key (or a field inside it) is null is not found by that key, as in a real subgraph: what only
/// other parts know of it, reached by that key alone, must be null in the data too.
///
/// What a field's value is does not depend on the part that is asked: `@shareable` fields agree, and a field
/// with `@requires` has its value here (the part checks that it was told the truth in the representation).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    pub objects: BTreeMap<String, Map<String, Value>>,
}

impl World {
    /// A world of the fixtures.
    pub fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/worlds").join(name);
        let text = |file: &str| {
            let path = folder.join(file);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let mut parts = Vec::new();
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            match file.strip_suffix(".graphql") {
                None | Some("public" | "supergraph") => {}
                Some(name) => parts.push(Part { name: name.to_owned(), sdl: text(&file) }),
            }
        }
        World {
            name: name.to_owned(),
            monolith_sdl: text("public.graphql"),
            supergraph_sdl: text("supergraph.graphql"),
            parts,
            data: Data { objects: serde_json::from_str(&text("data.json")).unwrap() },
            guards: BTreeMap::new(),
        }
    }
}
