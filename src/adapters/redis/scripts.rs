//! The verbs as scripts: each is its file in `lua/turnstile` behind the libraries, since a script cannot import.

use fred::interfaces::LuaInterface;
use fred::prelude::Client;
use fred::types::scripts::Script;
use fred::types::{Key, Value};

use super::{fault, keys};
use crate::ports::Result;

macro_rules! lua {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lua/", $file))
    };
}

const LIBRARY: [&str; 5] = [
    lua!("lib/many.lua"),
    lua!("turnstile/lib/answers.lua"),
    lua!("turnstile/lib/sale.lua"),
    lua!("turnstile/lib/units.lua"),
    lua!("turnstile/lib/state.lua"),
];

/// What the scripts answer when they did nothing.
pub const STALE: &str = "STALE";
/// What `open` and `restore` answer.
pub const DONE: &str = "DONE";
pub const KEPT: &str = "KEPT";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Open,
    Reserve,
    Release,
    Raise,
    Look,
    Snapshot,
    Restore,
}

impl Verb {
    pub const ALL: [Verb; 7] =
        [Verb::Open, Verb::Reserve, Verb::Release, Verb::Raise, Verb::Look, Verb::Snapshot, Verb::Restore];

    /// As its file is called.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Open => "open",
            Verb::Reserve => "reserve",
            Verb::Release => "release",
            Verb::Raise => "raise",
            Verb::Look => "look",
            Verb::Snapshot => "snapshot",
            Verb::Restore => "restore",
        }
    }

    /// How many of the sale's keys it is given.
    pub fn keys(self) -> usize {
        match self {
            Verb::Look => 2,
            Verb::Snapshot => 3,
            Verb::Open | Verb::Reserve | Verb::Release | Verb::Raise | Verb::Restore => keys::KEYS_MAX,
        }
    }

    fn source(self) -> &'static str {
        match self {
            Verb::Open => lua!("turnstile/open.lua"),
            Verb::Reserve => lua!("turnstile/reserve.lua"),
            Verb::Release => lua!("turnstile/release.lua"),
            Verb::Raise => lua!("turnstile/raise.lua"),
            Verb::Look => lua!("turnstile/look.lua"),
            Verb::Snapshot => lua!("turnstile/snapshot.lua"),
            Verb::Restore => lua!("turnstile/restore.lua"),
        }
    }

    /// Whether a whole state travels, which may be of a million parties.
    pub(super) fn is_of_a_state(self) -> bool {
        matches!(self, Verb::Snapshot | Verb::Restore)
    }
}

#[derive(Debug)]
pub(super) struct Scripts(Vec<Script>);

impl Scripts {
    pub(super) fn new() -> Self {
        let whole = |verb: Verb| Script::from_lua(LIBRARY.concat() + verb.source());
        Self(Verb::ALL.into_iter().map(whole).collect())
    }

    /// By its hash; a server that does not know it, being new or emptied, is sent the whole of it and keeps it from then on.
    /// Only that server: loading it everywhere would fail while any other is away.
    pub(super) async fn call(&self, client: &Client, verb: Verb, keys: Vec<Key>, args: Vec<Value>) -> Result<Value> {
        let script = &self.0[verb as usize];
        match script.evalsha(client, keys.clone(), args.clone()).await {
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                let lua = script.lua().expect("every script was made from its text").clone();
                client.eval(lua, keys, args).await.map_err(fault)
            }
            answer => answer.map_err(fault),
        }
    }
}
