//! Lists the documents of our own clients, so that the program holds them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphql/operations");
    println!("cargo::rerun-if-changed={}", folder.display());
    let listed = std::fs::read_dir(&folder).expect("the folder of our documents is there");
    let mut files: Vec<PathBuf> = listed.map(|file| file.expect("it can be listed").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "graphql"));
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        let path = file.to_str().expect("paths here are UTF-8");
        writeln!(code, "    include_str!({path:?}),").expect("writing to memory");
    }
    code.push_str("]\n");
    let output = std::env::var_os("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&output).join("operations.rs"), code).expect("cargo's folder can be written");
}
