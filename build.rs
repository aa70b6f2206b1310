//! The migrations are compiled in by a macro that cargo does not see through.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
