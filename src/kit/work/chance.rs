//! Chance from the machine's own source, for what nobody may guess.

/// So many bytes of it.
pub fn chance<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the machine has a source of chance");
    bytes
}
