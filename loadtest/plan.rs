//! What a run is asked to do, and what every buyer of it follows from.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use clap::{Args, ValueEnum};
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;

use crate::balance::{Balance, Needless};
use crate::client::address_of;
use crate::keys::{TOKEN_MS, admission};
use crate::offer::OPERATOR;
use crate::target::Target;

/// Shoppers with accounts have small numbers; these never meet them.
pub const FIRST_BUYER: u64 = 1_000_000_000_000;
pub const ANSWER: &str = "the answer";

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum World {
    Embedded,
    Cluster,
}

#[derive(Args, Clone)]
pub struct Options {
    /// Which world: a shop started for this run, or the fleet of `make fleet`.
    #[arg(long, value_enum, default_value = "embedded")]
    pub world: World,
    /// Through the fleet's nginx and not around it, every buyer from an address of its own.
    #[arg(long)]
    pub front: bool,
    /// A shop that runs already, instead of a world.
    #[arg(long)]
    pub url: Option<String>,
    /// The fleet's folder.
    #[arg(long, default_value = ".fleet")]
    pub fleet: PathBuf,
    #[arg(long, default_value_t = 5_000)]
    pub buyers: u64,
    #[arg(long, default_value_t = 1)]
    pub sales: u64,
    /// Units of each sale.
    #[arg(long, default_value_t = 100)]
    pub capacity: u32,
    /// Parties that may wait, of each sale.
    #[arg(long, default_value_t = 200)]
    pub standby: u32,
    /// Units an attempt asks for: 1 to this.
    #[arg(long, default_value_t = 1)]
    pub quantity_max: u8,
    /// Arrivals per second.
    #[arg(long, default_value_t = 10_000)]
    pub rate: u64,
    #[arg(long, default_value_t = 128)]
    pub connections: usize,
    /// Connections on which buyers ask what became of them, and pay.
    #[arg(long, default_value_t = 16)]
    pub followers: usize,
    /// What share of the buyers that hold something pays for it.
    #[arg(long, default_value_t = 0.5)]
    pay_share: f64,
    /// What share of the buyers that paid is refunded by an operator: half of them all they bought, the others a single unit.
    #[arg(long, default_value_t = 0.0)]
    refund_share: f64,
    #[arg(long, default_value_t = 3_000)]
    pub hold_ms: i64,
    /// Parts killed with kill -9, spread evenly over the rush, and started again: `shop`, or a kind or name of the fleet's parts;
    /// `redis` loses all of its memory, `redis-stale` comes back as it was a while ago, `redis-flushed` forgets everything and goes on.
    /// `stop-…` ends a part by SIGTERM instead, `…-paused` makes it silent by SIGSTOP and SIGCONT, `…-panics` has one of its long
    /// tasks panic, so that it ends by itself. Behind that `@MS` says for how long, if not for `--away-ms`. `redis+holder` kills the
    /// consumer that decides from its memory while Redis is away.
    #[arg(long, value_delimiter = ',')]
    pub kill: Vec<String>,
    /// Kinds of the fleet's parts that are rolled during the rush: stopped by SIGTERM and started again, one of each kind at a time.
    /// Buyers then come by way of a load balancer, and nothing may be refused that need not be.
    #[arg(long, value_delimiter = ',')]
    pub roll: Vec<String>,
    /// New keys of tokens are published, then sign, by two rolls during the rush; the old ones are dropped by another one after it.
    #[arg(long)]
    pub rotate_keys: bool,
    /// How long a killed part stays away.
    #[arg(long, default_value_t = 1_000)]
    pub away_ms: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long everything may take to come to rest after the rush.
    #[arg(long, default_value_t = 240)]
    pub settle_s_max: u64,
    /// Fails unless exactly so many units are sold in the end, over all sales.
    #[arg(long)]
    pub expect_sold: Option<u64>,
    /// So many of the buyers are connected by sockets and told by them: rounds without and with them, in turns, side by side.
    #[arg(long, default_value_t = 0)]
    pub sockets: u64,
    /// Rounds of each kind.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Gateways that serve these sockets and nothing else, in the Cluster world.
    #[arg(long, default_value_t = 1)]
    pub socket_gateways: usize,
    /// The last line is one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What every buyer of the run follows from.
pub struct Plan {
    pub publishers: Arc<Balance>,
    pub gateways: Arc<Balance>,
    pub needless: Needless,
    pub keys: Arc<TokenKeys>,
    /// Of a rotation: who came later logged in by these. The number is the first such buyer's.
    new_keys: OnceLock<(u64, Arc<TokenKeys>)>,
    pub sales: Vec<u64>,
    pub options: Options,
}

impl Options {
    pub fn is_rolled(&self) -> bool {
        self.rotate_keys || !self.roll.is_empty()
    }

    /// Whose readiness is looked at: nginx looks for itself.
    fn place(&self, kind: &'static str) -> &'static str {
        if self.front { "front" } else { kind }
    }
}

impl Plan {
    pub fn new(options: &Options, target: &Target, sales: Vec<u64>) -> Arc<Self> {
        Arc::new(Self {
            publishers: Balance::new(target.places(options.place("publisher"), &target.publishers)),
            gateways: Balance::new(target.places(options.place("gateway"), &target.gateways)),
            needless: Needless::default(),
            keys: target.keys.clone(),
            new_keys: OnceLock::new(),
            sales,
            options: options.clone(),
        })
    }

    /// This buyer and all later ones logged in by these keys.
    pub fn log_in_by(&self, keys: Arc<TokenKeys>, from: u64) {
        let _ = self.new_keys.set((from, keys));
    }

    pub fn token(&self, buyer: BuyerId) -> String {
        self.keys_of(buyer).sign_access(buyer, Role::Shopper, SystemClock::machine_now(), TOKEN_MS)
    }

    /// What presses the button.
    pub fn admission(&self, buyer: BuyerId, sale: u64) -> String {
        admission(self.keys_of(buyer), buyer, SaleId(sale))
    }

    fn keys_of(&self, buyer: BuyerId) -> &TokenKeys {
        match self.new_keys.get() {
            Some((first, new)) if buyer.0 >= *first => new,
            _ => &self.keys,
        }
    }

    /// What is said to a front of where a buyer is.
    pub fn address(&self, buyer: u64) -> Option<Ipv4Addr> {
        self.options.front.then(|| address_of(buyer))
    }

    pub fn pays(&self, buyer: u64) -> bool {
        let draw = fastrand::Rng::with_seed(self.options.seed ^ buyer.wrapping_mul(0x9e37_79b9_7f4a_7c15)).f64();
        draw < self.options.pay_share
    }

    /// Whether this buyer's order is refunded, and if so, whether all of it is.
    pub fn refunds(&self, buyer: u64) -> Option<bool> {
        let mut chance = fastrand::Rng::with_seed(self.options.seed ^ buyer.wrapping_mul(0xa24b_aed4_963e_e407));
        (chance.f64() < self.options.refund_share).then(|| chance.bool())
    }

    pub fn operator_token(&self) -> String {
        self.keys.sign_access(OPERATOR, Role::Owner, SystemClock::machine_now(), TOKEN_MS)
    }

    pub fn quantity(&self, number: u64) -> u8 {
        let seed = self.options.seed.wrapping_add(number).wrapping_mul(0xd134_2543_de82_ef95);
        fastrand::Rng::with_seed(seed).u8(1..=self.options.quantity_max)
    }

    pub fn sale(&self, number: u64) -> u64 {
        self.sales[(number % self.sales.len() as u64) as usize]
    }
}
