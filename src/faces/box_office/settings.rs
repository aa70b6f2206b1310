//! What can be set of the box office.

use std::net::SocketAddr;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether there is one. `miaosha --box-office` has one as well.
    pub on: bool,
    /// Where it listens; everything else of the listener is as in `http`.
    pub listen: SocketAddr,
    /// "Sold out" is answered 404, as if there were no such event, and not 409.
    pub compat: bool,
    /// Purchases and tickets that one network (an address, of IPv6 a /64) may ask this process for: so many at once, and so many a minute.
    pub calls_max: u32,
    /// How old tickets are that `POST /admin/cleanup-tickets` removes, in hours. They are printed again when they are asked for.
    pub cleanup_hours: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            on: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 3049)),
            compat: false,
            calls_max: 300,
            cleanup_hours: 24,
        }
    }
}

impl Settings {
    /// Nothing is asked of who comes: for a demo, which this machine alone reaches.
    pub fn without_conditions(self) -> Self {
        Self { calls_max: u32::MAX, ..self }
    }
}
