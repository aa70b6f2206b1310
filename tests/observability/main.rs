//! What operators rely on agrees with the code: containers, workflows, rules, dashboards, the runbook. Reads files; with the
//! feature `servers` it also asks tools that read them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod compose;
mod dashboards;
mod edge;
mod expression;
mod images;
mod rules;
mod runbook;
mod settings;
mod sources;
mod workflows;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stand in the project's folder")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A YAML file with its merge keys resolved, as JSON, which is easier to look into.
fn yaml(text: &str) -> serde_json::Value {
    let mut value: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap();
    // One round brings in what itself merges something.
    for _ in 0..4 {
        value.apply_merge().unwrap();
    }
    serde_json::to_value(value).unwrap()
}

/// Every file below these places, except what is built or downloaded.
fn files(places: &[&str]) -> Vec<PathBuf> {
    let mut waiting: Vec<PathBuf> =
        places.iter().map(|place| root().join(place)).filter(|path| path.exists()).collect();
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_file() {
            files.push(path);
        } else if name != ".terraform" && name != "target" {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    files.sort();
    files
}

/// `[[bin]]` names of the manifest.
fn binaries() -> Vec<String> {
    let manifest = text("Cargo.toml");
    let names = manifest.split("[[bin]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).collect()
}
