//! Whose tokens are refused although they have not expired. What is learned stays as long as such a token may be good, however
//! many others are learned after it: an entry of some fifty bytes each.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::domain::people::{Revoked, TOKEN_MS_MAX};
use crate::domain::shared::id::{BuyerId, SessionId};
use crate::domain::shared::time::Timestamp;

/// Between two looks for what need not be known any more.
const FORGET_EVERY_MS: i64 = 60_000;

#[derive(Default)]
pub struct Revocations(RwLock<Known>);

#[derive(Default)]
struct Known {
    epochs: HashMap<BuyerId, Entry>,
    /// Log-ins that were ended, and since when that is known.
    sessions: HashMap<SessionId, Timestamp>,
    forgot_at: Option<Timestamp>,
}

struct Entry {
    epoch: u64,
    learned_at: Timestamp,
}

impl Revocations {
    /// Whether a token of this buyer and epoch was logged out, or the log-in that it came from was ended.
    pub fn cover(&self, buyer: BuyerId, epoch: u64, session: Option<SessionId>) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        session.is_some_and(|session| known.sessions.contains_key(&session))
            || known.epochs.get(&buyer).is_some_and(|entry| epoch < entry.epoch)
    }

    /// Those of them that were not known.
    pub fn learn(&self, revoked: &[Revoked], now: Timestamp) -> Vec<Revoked> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.forget(now);
        let news = revoked.iter().filter(|word| {
            let is_new = known.epochs.get(&word.buyer).is_none_or(|entry| entry.epoch < word.epoch);
            if is_new {
                known.epochs.insert(word.buyer, Entry { epoch: word.epoch, learned_at: now });
            }
            is_new
        });
        news.copied().collect()
    }

    /// Whether it was not known.
    pub fn learn_end(&self, session: SessionId, now: Timestamp) -> bool {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.forget(now);
        let is_new = !known.sessions.contains_key(&session);
        if is_new {
            known.sessions.insert(session, now);
        }
        is_new
    }

    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).epochs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Known {
    /// A token that was signed before its log-out was learned is over by then.
    fn forget(&mut self, now: Timestamp) {
        if self.forgot_at.is_some_and(|at| now.since_ms(at) < FORGET_EVERY_MS) {
            return;
        }
        self.epochs.retain(|_, entry| now.since_ms(entry.learned_at) < TOKEN_MS_MAX);
        self.sessions.retain(|_, learned_at| now.since_ms(*learned_at) < TOKEN_MS_MAX);
        self.forgot_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_log_outs_are_known_as_long_as_a_token_lives() {
        let (known, begin) = (Revocations::default(), Timestamp(0));
        let first = Revoked { buyer: BuyerId(1), epoch: 7 };
        assert_eq!(known.learn(&[first], begin), [first]);
        assert_eq!(known.learn(&[first], begin), [], "it was known");
        let many: Vec<Revoked> = (2..=1_000_000).map(|buyer| Revoked { buyer: BuyerId(buyer), epoch: 1 }).collect();
        for page in many.chunks(4_096) {
            assert_eq!(known.learn(page, begin.plus_ms(1)).len(), page.len());
        }
        assert_eq!(known.len(), 1_000_000);
        assert!(many.iter().all(|word| known.cover(word.buyer, 0, None) && !known.cover(word.buyer, 1, None)));
        known.learn(&[], begin.plus_ms(TOKEN_MS_MAX - 1));
        assert!(known.cover(first.buyer, 6, None) && !known.cover(first.buyer, 7, None));
        known.learn(&[], begin.plus_ms(TOKEN_MS_MAX - 1 + FORGET_EVERY_MS));
        assert!(known.is_empty());
    }

    #[test]
    fn a_log_in_that_was_ended_is_known_as_long_as_its_tokens_live() {
        let (known, begin) = (Revocations::default(), Timestamp(0));
        let is_out = |session| known.cover(BuyerId(1), 0, Some(SessionId(session)));
        assert!(known.learn_end(SessionId(1), begin) && !known.learn_end(SessionId(1), begin));
        assert!(is_out(1) && !is_out(2));
        known.learn(&[], begin.plus_ms(TOKEN_MS_MAX - 1));
        assert!(is_out(1));
        known.learn(&[], begin.plus_ms(TOKEN_MS_MAX - 1 + FORGET_EVERY_MS));
        assert!(!is_out(1));
    }

    #[test]
    fn an_older_word_replaces_no_newer_one() {
        let (known, now) = (Revocations::default(), Timestamp(0));
        let word = |epoch| Revoked { buyer: BuyerId(1), epoch };
        known.learn(&[word(2)], now);
        assert_eq!(known.learn(&[word(1)], now), []);
        assert!(known.cover(BuyerId(1), 1, None));
    }
}
