//! One log-in, as its owner sees it in a list: since when, and what of a browser and a network it came from.

use crate::domain::shared::id::SessionId;
use crate::domain::shared::time::Timestamp;

/// Characters of what a browser calls itself, as they are kept.
pub const AGENT_CHARS_MAX: usize = 200;
/// Log-ins that are listed, newest first.
pub const SESSIONS_MAX: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub begun_at: Timestamp,
    /// No token of it is good for longer.
    pub until: Timestamp,
    pub agent: String,
    /// Not the whole address.
    pub network: String,
}

/// What a browser says of itself, fit to be shown.
pub fn agent(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_of_a_browsers_name_is_kept() {
        assert_eq!(agent("Mozilla/5.0\n(X11)\u{0}"), "Mozilla/5.0(X11)");
        assert_eq!((agent(&"x".repeat(200)).len(), agent(&"x".repeat(201)).len()), (200, 200));
    }
}
