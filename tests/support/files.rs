//! The project's own files, from whichever package a test is of.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where the lock file lies.
pub fn root() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("Cargo.lock").exists()).expect("a test is below the project's folder")
}

pub fn path(name: &str) -> PathBuf {
    root().join(name)
}

/// The sample of a warm-up that an operator begins with.
pub fn plan() -> Value {
    serde_json::from_str(&std::fs::read_to_string(path("deploy/config/warm-up.json")).unwrap()).unwrap()
}
