//! Tokens that were verified here. A gateway sees one many times, and a signature that anybody may check costs some fifty
//! microseconds. Only what the token says is remembered, by a digest of the whole of it: whether it has expired or was logged out is
//! asked each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::access::Principal;
use crate::kit::http::problem::Problem;

/// Tokens remembered, of some hundred bytes each. Half of them are forgotten at once, those that were not shown for longest.
const VERIFIED_MAX: usize = 65_536;

/// Whose it is, and until when it is good.
type Said = (Principal, Timestamp);

#[derive(Default)]
pub struct Verified(Mutex<Known>);

#[derive(Default)]
struct Known {
    young: HashMap<[u8; 32], Said>,
    old: HashMap<[u8; 32], Said>,
}

impl Verified {
    /// What is known of it, or what verifying it says. What is refused is not remembered.
    pub fn or_verify(&self, token: &str, verify: impl FnOnce() -> Result<Said, Problem>) -> Result<Said, Problem> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(said) = self.known().find(&digest) {
            return Ok(said);
        }
        let said = verify()?;
        self.known().keep(digest, said);
        Ok(said)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").finish_non_exhaustive()
    }
}

impl Known {
    fn find(&mut self, digest: &[u8; 32]) -> Option<Said> {
        if let Some(said) = self.young.get(digest) {
            return Some(*said);
        }
        let said = self.old.remove(digest)?;
        self.keep(*digest, said);
        Some(said)
    }

    fn keep(&mut self, digest: [u8; 32], said: Said) {
        if self.young.len() >= VERIFIED_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::people::Role;
    use crate::domain::shared::id::BuyerId;
    use crate::kit::http::auth::unauthorized;

    fn said() -> Result<Said, Problem> {
        let principal = Principal { buyer: BuyerId(7), role: Role::Shopper, epoch: 0, proved_at: None, session: None };
        Ok((principal, Timestamp(9)))
    }

    impl Known {
        fn count(&self) -> usize {
            self.young.len() + self.old.len()
        }
    }

    /// Whether it was known already.
    fn shown(verified: &Verified, token: &str) -> bool {
        let mut is_known = true;
        let known = verified.or_verify(token, || {
            is_known = false;
            said()
        });
        assert_eq!(known.ok(), said().ok());
        is_known
    }

    #[test]
    fn so_many_verified_tokens_are_remembered() {
        let verified = Verified::default();
        let half = VERIFIED_MAX / 2;
        let show = |numbers: std::ops::Range<usize>| numbers.filter(|n| shown(&verified, &n.to_string())).count();
        assert_eq!(show(0..VERIFIED_MAX), 0);
        assert_eq!(verified.known().count(), VERIFIED_MAX);
        assert_eq!(show(half..VERIFIED_MAX), half, "the newer half is known");
        assert_eq!(show(VERIFIED_MAX..VERIFIED_MAX + 1), 0, "one more");
        assert_eq!(show(half..VERIFIED_MAX), half);
        assert!(verified.known().count() <= VERIFIED_MAX);
        assert!(!shown(&verified, "0"), "the one that was not shown for longest");
    }

    #[test]
    fn what_is_refused_is_asked_again() {
        let verified = Verified::default();
        assert!(verified.or_verify("x", || Err(unauthorized("no"))).is_err());
        assert!(!shown(&verified, "x") && shown(&verified, "x") && !shown(&verified, "y"));
    }
}
