//! The shape of the whole: who may depend on whom, how long files are, what they are called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const LINES_MAX: usize = 400;
const NAMES_THAT_SAY_NOTHING: [&str; 8] =
    ["common", "core", "util", "utils", "helpers", "misc", "shared", "types"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace").to_owned()
}

/// Every crate of the workspace: its folder, and the folders of the crates it depends on.
fn crates() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let folder_of = |path: &str| {
        let path = Path::new(path);
        path.strip_prefix(root()).expect("crates stand in the workspace").display().to_string()
    };
    let packages = metadata["packages"].as_array().expect("there are packages");
    let read = |package: &Value| {
        let manifest = package["manifest_path"].as_str().expect("a path");
        let folder = folder_of(manifest).trim_end_matches("/Cargo.toml").to_owned();
        let dependencies = package["dependencies"].as_array().expect("a list");
        // Tests may use anything (a service's tests run against the sandbox).
        let ours = dependencies.iter().filter(|dependency| dependency["kind"] != "dev");
        let ours = ours.filter_map(|dependency| dependency["path"].as_str()).map(folder_of).collect();
        (folder, ours)
    };
    packages.iter().map(read).collect()
}

fn may_depend(from: &str, to: &str) -> bool {
    match from {
        "tests" | "loadtests" => true,
        "gateway" => to != "tests" && to != "loadtests",
        "gateway/federation" => false,
        "graphql" => false,
        _ if from.starts_with("services/") => to == "graphql" || to.starts_with("infra/"),
        _ if from.starts_with("infra/") => to == "graphql" || to.starts_with("infra/"),
        _ => false,
    }
}

#[test]
fn crates_depend_only_on_what_the_layout_allows() {
    let crates = crates();
    assert!(crates.len() >= 15, "{crates:?}");
    for (from, dependencies) in &crates {
        for to in dependencies {
            assert!(may_depend(from, to), "{from} must not depend on {to}");
        }
    }
}

#[test]
fn the_sandbox_shares_no_code_with_our_adapters() {
    let crates = crates();
    for adapter_side in ["infra/auth", "infra/sealing", "infra/outbox"] {
        assert!(!crates["infra/sandbox"].contains(&adapter_side.to_owned()), "{adapter_side}");
    }
}

fn rust_files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(root())
        .output()
        .expect("git runs");
    let listed = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let files: Vec<PathBuf> =
        listed.lines().map(|line| root().join(line)).filter(|path| path.exists()).collect();
    assert!(files.len() > 100, "only {} files were found", files.len());
    files
}

/// Where the program names services: the roles, their settings, and what the command line tells of them.
const NAMES_SERVICES: [&str; 5] =
    ["src/roles.rs", "src/roles/", "src/config.rs", "src/shortcomings.rs", "src/main.rs"];

#[test]
fn only_the_roles_and_settings_of_the_program_name_services() {
    let services = ["catalogue::", "identity::", "applications::", "payments::", "sandbox::"];
    let gateway = root().join("gateway");
    for file in rust_files() {
        let Ok(inside) = file.strip_prefix(&gateway) else { continue };
        let inside = inside.display().to_string();
        if !inside.starts_with("src/") || NAMES_SERVICES.iter().any(|place| inside.starts_with(place)) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a source file is readable");
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let names = |service: &&str| {
                line.match_indices(*service).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|before| !before.is_alphanumeric() && !"_:".contains(before))
                })
            };
            assert!(!services.iter().any(names), "{inside}: {line}");
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_and_stays_short() {
    for file in rust_files() {
        let text = std::fs::read_to_string(&file).expect("a source file is readable");
        let name = file.display();
        assert!(text.starts_with("//! ") || file.ends_with("build.rs"), "{name} does not say what it is");
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{name} has {lines} lines: split it by noun");
    }
}

#[test]
fn no_file_or_folder_has_a_name_that_says_nothing() {
    for file in rust_files() {
        let inside = file.strip_prefix(root()).expect("files stand in the workspace");
        for part in inside.with_extension("").components() {
            let part = part.as_os_str().to_string_lossy();
            assert!(!NAMES_THAT_SAY_NOTHING.contains(&&*part), "{}", inside.display());
        }
    }
}

#[test]
fn every_service_has_the_same_rooms() {
    for service in crates().keys().filter(|folder| folder.starts_with("services/")) {
        let folder = root().join(service);
        for room in ["src/lib.rs", "src/model.rs", "src/schema.rs", "src/store.rs", "tests"] {
            assert!(folder.join(room).exists(), "{service} has no {room}");
        }
        for engine in ["sqlite", "postgres"] {
            let migrations = folder.join("migrations").join(engine);
            assert!(migrations.is_dir(), "{service} has no migrations for {engine}");
        }
    }
}
