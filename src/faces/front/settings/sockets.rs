//! What can be set of sockets, and the limit of everything that could grow.

use std::time::Duration;

use serde::Deserialize;

use crate::kit::socket::lean::LeanSettings;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A listener for sockets alone, each as small as it can be. `/ws` is served on the shop's own port, too.
    pub lean: LeanSettings,
    /// Serves sockets and nothing else: a process of the socket fleet.
    pub only: bool,
    /// Origins whose pages may open a socket, separated by commas; when it is empty, pages of the host that is asked.
    pub origins: String,
    /// How long a client may take to say who it is, in milliseconds.
    pub hello_ms_max: u64,
    /// Between two heartbeats of a socket, in milliseconds.
    pub ping_ms: u64,
    /// How long the answer to a heartbeat may take.
    pub pong_ms_max: u64,
    /// How long a closed socket may take to go.
    pub linger_ms_max: u64,
    /// Sockets of this process, at most; more are told to come again.
    pub sockets_max: u32,
    /// Of these, for those who have not said yet whose they are, and for such of one network (an address, of IPv6 a /64). Who brings
    /// a token with the handshake is none of them; of our own proxies, where `trusted_hops` is 0, networks are not counted.
    pub strangers_max: u32,
    pub strangers_per_network_max: u32,
    /// Of all, for one buyer.
    pub sockets_per_buyer_max: usize,
    /// Sales one socket watches, at most.
    pub watched_max: usize,
    /// Bytes of one message of a client, at most.
    pub message_bytes_max: usize,
    /// Messages of one client in one second, at most, pings included.
    pub messages_per_s_max: u32,
    /// Bytes that wait in this process for one client to read them, at most.
    pub outgoing_bytes_max: usize,
    /// How often the counters of one sale are told in one second, at most.
    pub sale_updates_per_s_max: u32,
    /// Messages with the counters of one sale in one second, at most: a larger crowd is told in turns. A sale's phase is told to all
    /// at once.
    pub sale_words_per_s_max: u32,
    /// Reads of the ledger at once, at most, for all sockets together.
    pub looks_max: usize,
    /// Between two looks of a socket while no notices come, in milliseconds.
    pub blind_look_ms: u64,
    /// What every socket was told is compared with the ledger once within this time, in milliseconds.
    pub compare_ms: u64,
    /// Sockets of one sale that are compared by one question to the ledger, at most.
    pub compare_pairs_max: usize,
    /// When the process stops, its clients come back within this time, each at its own moment.
    pub drain_spread_ms: u64,
}

impl Settings {
    /// Messages with the counters of one sale, each time that they are told.
    pub fn sale_words_max(&self) -> usize {
        (self.sale_words_per_s_max / self.sale_updates_per_s_max.max(1)).max(1) as usize
    }

    /// Of one that does not read what it is sent; it is closed then.
    pub fn is_too_slow(&self, waiting_bytes: usize) -> bool {
        waiting_bytes > self.outgoing_bytes_max
    }

    /// Between two tellings: rounded up, or they would come more often.
    pub fn between_sale_updates(&self) -> Duration {
        Duration::from_millis(1_000_u64.div_ceil(u64::from(self.sale_updates_per_s_max.max(1))))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lean: LeanSettings::default(),
            only: false,
            origins: String::new(),
            hello_ms_max: 5_000,
            ping_ms: 25_000,
            pong_ms_max: 10_000,
            linger_ms_max: 2_000,
            sockets_max: 20_000,
            strangers_max: 2_000,
            strangers_per_network_max: 100,
            sockets_per_buyer_max: 16,
            watched_max: 16,
            message_bytes_max: 4_096,
            messages_per_s_max: 20,
            outgoing_bytes_max: 65_536,
            sale_updates_per_s_max: 2,
            sale_words_per_s_max: 5_000,
            looks_max: 16,
            blind_look_ms: 5_000,
            compare_ms: 30_000,
            compare_pairs_max: 256,
            drain_spread_ms: 5_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    /// From the first telling on, the one after the last that may be comes when the second is over.
    #[test]
    fn figures_are_told_so_often_in_a_second() {
        for sale_updates_per_s_max in 1..=1_000 {
            let settings = Settings { sale_updates_per_s_max, ..Settings::default() };
            assert!(settings.between_sale_updates() * sale_updates_per_s_max >= std::time::Duration::from_secs(1));
        }
        let settings = Settings { sale_updates_per_s_max: 4, ..Settings::default() };
        assert_eq!(settings.between_sale_updates().as_millis(), 250);
    }

    #[test]
    fn a_sale_is_told_to_so_many_at_once() {
        for (sale_words_per_s_max, words) in [(7, 1), (8, 2), (9, 2), (11, 2), (12, 3), (0, 1)] {
            let settings = Settings { sale_words_per_s_max, sale_updates_per_s_max: 4, ..Settings::default() };
            assert_eq!(settings.sale_words_max(), words, "{sale_words_per_s_max}");
        }
    }

    #[test]
    fn so_much_may_wait_for_who_does_not_read() {
        let settings = Settings { outgoing_bytes_max: 4_096, ..Settings::default() };
        assert_eq!([4_096, 4_097].map(|bytes| settings.is_too_slow(bytes)), [false, true]);
    }
}
