//! The migrations and the shop are compiled in by macros that cargo does not see through.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=web");
    // For the first line of a log. The revision is told to a release's build as MIAOSHA_REVISION: to ask git for it would be
    // to build everything anew after each commit.
    let compiler = std::env::var_os("RUSTC").and_then(|rustc| Command::new(rustc).arg("--version").output().ok());
    let version = compiler.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    println!("cargo:rustc-env=MIAOSHA_COMPILER={}", version.unwrap_or_else(|| "unknown".to_owned()));
}
