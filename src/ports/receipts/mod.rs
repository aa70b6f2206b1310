//! Who was let in at a door, and who holds what there.

pub mod admissions;
pub mod holders;
