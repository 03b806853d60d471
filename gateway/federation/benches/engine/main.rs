//! What the engine costs, as ratios within one run: `cargo bench -p federation [-- PART…]`.
#![allow(clippy::unwrap_used, reason = "what goes wrong here ends the measuring")]

mod canned;
mod cpu;
mod large;
mod memory;
mod naive;
mod report;
mod served;
mod shop;
mod transports;
mod warm;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    if let [command, folder] = &wanted[..]
        && command == "export"
    {
        return export(folder);
    }
    let parts: [(&str, fn()); 4] = [
        ("large", large::run),
        ("transports", transports::run),
        ("warm", warm::run),
        ("memory", memory::run),
    ];
    for (name, run) in parts {
        if wanted.is_empty() || wanted.iter().any(|it| it == name) {
            run();
        }
    }
}

/// Writes the shop's subgraphs, to be composed into `shop.graphql` with `infra/compose`.
fn export(folder: &str) {
    for (name, sdl) in shop::exports() {
        std::fs::write(format!("{folder}/{name}.graphql"), sdl).unwrap();
    }
}
