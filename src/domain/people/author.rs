//! Who does what is written down: as whom, from where, under which request, and when. Handed on beside an effect, so that the effect
//! and its entry in the journal are one. No name and no address of a person is in it.

use std::fmt;
use std::str::FromStr;

use crate::domain::people::Role;
use crate::domain::shared::id::{BuyerId, RequestId};
use crate::domain::shared::time::Timestamp;

const SHELL: &str = "shell";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An operator, by the number of the account.
    Account(BuyerId),
    /// Whoever may use the command line there: it knows no accounts.
    Shell,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub actor: Actor,
    /// What the token said; a shell has none.
    pub role: Option<Role>,
    /// The neighbourhood of the address, never the address. Empty for a shell.
    pub network: String,
    /// The same whenever this request is carried out, and no other's.
    pub request: RequestId,
    pub at: Timestamp,
}

impl Author {
    pub fn shell(request: RequestId, at: Timestamp) -> Self {
        Self { actor: Actor::Shell, role: None, network: String::new(), request, at }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Account(id) => write!(f, "{id}"),
            Actor::Shell => f.write_str(SHELL),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is neither the number of an account nor `shell`")]
pub struct NoSuchActor(String);

impl FromStr for Actor {
    type Err = NoSuchActor;

    fn from_str(text: &str) -> Result<Self, NoSuchActor> {
        let account = || text.parse().ok().map(BuyerId).filter(|id| id.0 > 0 && !id.is_house()).map(Actor::Account);
        let found = if text == SHELL { Some(Actor::Shell) } else { account() };
        found.filter(|actor| actor.to_string() == text).ok_or_else(|| NoSuchActor(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shared::id::HOUSE_FIRST;

    #[test]
    fn actors_are_read_as_they_are_written() {
        for actor in [Actor::Shell, Actor::Account(BuyerId(1)), Actor::Account(BuyerId(u64::from(u32::MAX)))] {
            assert_eq!(actor.to_string().parse::<Actor>().unwrap(), actor);
        }
        let house = HOUSE_FIRST.to_string();
        for wrong in ["", "0", "01", "+1", "-1", "Shell", " shell", "owner", house.as_str()] {
            assert!(wrong.parse::<Actor>().is_err(), "{wrong}");
        }
    }
}
