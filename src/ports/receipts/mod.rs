//! Who was let in at a door.

pub mod admissions;
