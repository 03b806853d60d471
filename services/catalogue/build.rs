//! Embeds every catalogue file in the binary, so that adding a public service is adding one file.

use std::fmt::Write as _;
use std::path::Path;

const FOLDERS: [&str; 3] = ["agencies", "public_services", "life_events"];

fn main() {
    // Asked when it runs: a build script that was compiled in another checkout may be used again here.
    let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let mut table = String::from("&[\n");
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={folder}");
        let mut names: Vec<_> = std::fs::read_dir(Path::new(&root).join(folder))
            .expect("the catalogue's folders exist")
            .map(|entry| entry.expect("the folder can be read").file_name().into_string())
            .map(|name| name.expect("file names are UTF-8"))
            .filter(|name| name.ends_with(".toml"))
            .collect();
        names.sort();
        for name in names {
            // Relative to the package, so that the output holds wherever the checkout is.
            let text = format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{folder}/{name}\"))");
            writeln!(table, "    (\"{folder}/{name}\", {text}),").expect("a String takes it");
        }
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join("embedded.rs"), table).expect("OUT_DIR can be written");
}
