//! The migrations and the shop are compiled in by macros that cargo does not see through.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=web");
}
