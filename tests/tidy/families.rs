//! The families of scripts, each a folder of `lua/`: what its caller and its specification know of it, for the rules to compare.

use miaosha::adapters::redis::keys::NAMES;
use miaosha::adapters::redis::scripts::{DONE, KEPT, STALE, Verb};
use miaosha::domain::sale::turn::Answer;
use miaosha::domain::sale::turnstile::ANSWERS_MAX;
use miaosha::domain::shared::id::ReservationId;

/// As the code has it.
pub struct Family {
    /// Of its folder.
    pub name: &'static str,
    /// Each verb, and how many keys its caller gives.
    pub verbs: Vec<(&'static str, usize)>,
    /// In the order in which a verb is given the first so many; the last name stands for all that follow.
    pub keys: Vec<&'static str>,
    /// A letter and what it is called.
    pub codes: Vec<(char, String)>,
    /// What is answered in place of codes.
    pub words: Vec<&'static str>,
    /// Figures that a script has from the specification: the file, and the line that must be there.
    pub figures: Vec<(&'static str, String)>,
}

impl Family {
    pub fn folder(&self) -> String {
        format!("lua/{}", self.name)
    }
}

/// All of them: a folder besides is seen.
pub fn all() -> Vec<Family> {
    vec![turnstile()]
}

pub fn turnstile() -> Family {
    let answers = [
        Answer::Taken { units: Vec::new() },
        Answer::Standby { arrival: 1, position: 1 },
        Answer::Already { reservation: ReservationId(1) },
        Answer::Refused,
    ];
    let name = |answer: &Answer| format!("{answer:?}").split(' ').next().map(str::to_uppercase).unwrap_or_default();
    Family {
        name: "turnstile",
        verbs: Verb::ALL.into_iter().map(|verb| (verb.name(), verb.keys())).collect(),
        keys: NAMES.into_iter().chain(["lines"]).collect(),
        codes: answers.iter().map(|answer| (char::from(answer.code()), name(answer))).collect(),
        words: vec![STALE, DONE, KEPT],
        figures: vec![("lib/answers.lua", format!("local ANSWERS_MAX = {ANSWERS_MAX}"))],
    }
}
