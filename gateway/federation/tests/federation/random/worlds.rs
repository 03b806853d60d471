//! One world for each seed.

use super::blueprint::GRAPH_NAMES;
use super::dice::Dice;
use super::guards::{Guarded, composed, loose};
use super::{data, schema, sdl};
use crate::oracle::world::{Part, World};

/// How a world is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarding {
    Open,
    /// As composition leaves it.
    Composed,
    /// Anywhere and against all sense.
    Loose,
}

pub fn world(seed: u64, guarding: Guarding) -> World {
    let mut dice = Dice::new(seed);
    let made = schema::make(dice.split());
    let blueprint = &made.blueprint;
    let data = data::data(&made, dice.split());
    let guarded = match guarding {
        Guarding::Open => Guarded::default(),
        Guarding::Composed => composed(blueprint, dice.split()),
        Guarding::Loose => Guarded { whole: loose(blueprint, dice.split()), ..Guarded::default() },
    };
    let none = sdl::Guards::new();
    let parts = (0..blueprint.graphs).map(|graph| Part {
        name: GRAPH_NAMES[graph].to_owned(),
        sdl: sdl::part(blueprint, graph, guarded.parts.get(&graph).unwrap_or(&none)),
    });
    World {
        name: format!("{guarding:?} world {seed}"),
        monolith_sdl: sdl::public(blueprint),
        supergraph_sdl: sdl::supergraph(blueprint, &guarded.whole),
        parts: parts.collect(),
        data,
        guards: guarded.whole,
    }
}
