//! What can be set of the faces that one process serves, and the limit of everything that could grow.

pub mod sockets;

use std::time::Duration;

use serde::Deserialize;

use crate::app::sale::admission;
use crate::app::sale::best_effort::Effort;
use crate::kit::http::proxies::Proxies;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an access token is good for, in milliseconds: at most a day.
    pub access_ttl_ms: i64,
    /// How long a checkout token outlives its hold, in milliseconds: a buyer can still ask what became of a checkout.
    /// It gives no time to pay; the ledger decides by `lapses_at`.
    pub checkout_ttl_beyond_hold_ms: i64,
    /// Passwords hashed at once, at most: by strangers, by browsers that logged in before, and by operators, each. One takes 19 MiB and
    /// a core.
    pub hash_jobs_max: usize,
    /// Requests that wait for their turn to hash, at most; more are told to come again.
    pub hash_waiting_max: usize,
    /// Of these, from one address (of IPv6: one /64).
    pub hash_network_max: usize,
    /// How long a checkout waits for the provider's word, in milliseconds, at most. Then the buyer is told that it is still
    /// being paid, and the payment-consumer finds out.
    pub capture_ms_max: u64,
    /// How long a step may take, in milliseconds, that is only there to be quick: telling, waking, voiding what was not used.
    pub effort_ms_max: u64,
    /// How old the catalogue's figures may be, in milliseconds.
    pub catalogue_age_ms_max: u64,
    /// Sales on one page of their list, at most.
    pub sales_max: u32,
    /// Searches for sales that read the ledger at once, at most; who comes then is told to come again.
    pub searches_max: usize,
    /// Orders on one page of their list, at most.
    pub orders_max: u32,
    /// Blocks on one page of their list, at most.
    pub blocks_max: u32,
    /// Parked messages on one page of their list, and replayed by one call, at most.
    pub parked_max: u32,
    /// Of a running sale's newest turns, those an operator's figures are made from, at most.
    pub live_turns_max: u32,
    /// Sales that one call audits, at most; the older ones are on its next pages.
    pub audit_sales_max: u32,
    /// Lists for operators that are made at once, at most.
    pub exports_max: usize,
    /// Rows of such a list that are in memory at once, at most.
    pub export_rows_max: u32,
    /// How long one may take, in milliseconds, at most; then it breaks off.
    pub export_ms_max: u64,
    /// Requests that wait for a notice at once, at most; more are answered at once.
    pub waits_max: usize,
    /// Of these, for one buyer.
    pub waits_per_buyer_max: usize,
    /// How long one request may wait for a notice, in milliseconds, at most.
    pub wait_ms_max: u64,
    /// How long a request that names an attempt waits for its decision when it does not say, in milliseconds.
    pub attempt_wait_ms: u64,
    /// Wrong passwords before the next try has to wait: of one account, as one browser or as strangers, and of one address.
    pub login_account_free: u32,
    pub login_network_free: u32,
    /// The first wait, in milliseconds; each is twice as long as the one before, up to the longest.
    pub login_wait_ms: i64,
    pub login_wait_ms_max: i64,
    /// How long wrong passwords count, in milliseconds.
    pub login_kept_ms: i64,
    /// Tries to log in, sign up or prove a password, right or wrong, in each window in this process: from one address.
    pub login_address_max: u32,
    /// The window, in milliseconds.
    pub login_window_ms: i64,
    /// Addresses whose tries are remembered, at most; more share one count.
    pub login_keys_max: usize,
    /// Codes that one address is mailed a day (UTC), at most.
    pub codes_day_max: u32,
    /// Whether owners and the desk show a second factor before any call of operators. Only a demo can do without.
    pub second_factor: bool,
    /// Proxies in front that add the address they saw to `X-Forwarded-For`; without one the client is the peer that connects.
    pub trusted_hops: usize,
    /// Where they are: `http.trusted_proxies`.
    #[serde(skip)]
    pub trusted_proxies: Proxies,
    /// Reservations, and orders, in what a person takes along, at most.
    pub person_rows_max: u32,
    /// How long a request with an `Idempotency-Key` may take before another is allowed to carry it out again, in milliseconds.
    /// Longer than a checkout waits for the provider.
    pub request_lease_ms: i64,
    /// How long a key and its answer are remembered, in milliseconds.
    pub request_ttl_ms: i64,
    /// Between two looks for keys that are old enough to be forgotten, in milliseconds.
    pub request_forget_ms: u64,
    /// Keys forgotten in one transaction, at most.
    pub request_forget_max: u32,
    /// Bytes of a request's body, at most. A sale with all its questions fits.
    pub body_bytes_max: usize,
    pub admission: admission::Settings,
    pub sockets: sockets::Settings,
    /// Bytes of what the payment provider tells, at most.
    pub webhook_bytes_max: usize,
}

impl Settings {
    /// For each step of what may be missed, since something else makes it good.
    pub fn effort(&self) -> Effort {
        Effort { within: Duration::from_millis(self.effort_ms_max) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_ttl_ms: 12 * 3_600_000,
            checkout_ttl_beyond_hold_ms: 3_600_000,
            hash_jobs_max: 2,
            hash_waiting_max: 64,
            hash_network_max: 32,
            capture_ms_max: 10_000,
            effort_ms_max: 1_000,
            catalogue_age_ms_max: 200,
            sales_max: 100,
            searches_max: 32,
            orders_max: 100,
            blocks_max: 100,
            parked_max: 1_000,
            live_turns_max: 500,
            audit_sales_max: 10,
            exports_max: 4,
            export_rows_max: 1_000,
            export_ms_max: 600_000,
            waits_max: 10_000,
            waits_per_buyer_max: 8,
            wait_ms_max: 25_000,
            attempt_wait_ms: 10_000,
            login_account_free: 5,
            login_network_free: 100,
            login_wait_ms: 1_000,
            login_wait_ms_max: 900_000,
            login_kept_ms: 3_600_000,
            login_address_max: 120,
            login_window_ms: 60_000,
            login_keys_max: 100_000,
            codes_day_max: 10,
            second_factor: true,
            trusted_hops: 0,
            trusted_proxies: Proxies::default(),
            person_rows_max: 10_000,
            request_lease_ms: 60_000,
            request_ttl_ms: 86_400_000,
            request_forget_ms: 60_000,
            request_forget_max: 500,
            body_bytes_max: 128 * 1024,
            admission: admission::Settings::default(),
            sockets: sockets::Settings::default(),
            webhook_bytes_max: 256 * 1024,
        }
    }
}
