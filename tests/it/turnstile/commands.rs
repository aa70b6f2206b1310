//! Random commands to a turnstile: sensible ones, repeated ones, late ones, and nonsense.

use std::collections::BTreeMap;

use fastrand::Rng;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::turn::{Chain, Known, Raised, Released, Reserved};
use miaosha::domain::sale::turnstile::{Ended, Level, Part, Reply, Snapshot};
use miaosha::domain::shared::id::{BatchId, BuyerId, ReservationId, SaleId};
use miaosha::ports::sale::turnstile::Turnstile;

/// From `MIAOSHA_SEED`, or chance. Name it when something fails.
pub fn seed() -> u64 {
    match std::env::var("MIAOSHA_SEED") {
        Ok(text) => text.parse().expect("MIAOSHA_SEED is a decimal number"),
        Err(_) => getrandom::u64().expect("the machine has a source of chance"),
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Open(u64, Allotment),
    Reserve(Known, Vec<Batch>),
    Release(Known, Vec<Ended>),
    Raise(Known, u32),
    Restore(Snapshot),
    Look,
    Snapshot,
}

#[derive(Debug, PartialEq)]
pub enum Said {
    Opened,
    Reserved(Reply<Vec<Reserved>>),
    Released(Reply<Vec<Released>>),
    Raised(Reply<Raised>),
    Restored(bool),
    Level(Option<Level>),
    Snapshot(Option<Snapshot>),
}

impl Said {
    pub fn is_stale(&self) -> bool {
        matches!(self, Said::Reserved(Reply::Stale) | Said::Released(Reply::Stale) | Said::Raised(Reply::Stale))
    }
}

impl Command {
    pub async fn run(&self, turnstile: &impl Turnstile, sale: SaleId) -> Said {
        match self {
            Command::Open(generation, allotment) => {
                turnstile.open(sale, *generation, *allotment).await.unwrap();
                Said::Opened
            }
            Command::Reserve(known, batches) => {
                let batches: Vec<&Batch> = batches.iter().collect();
                Said::Reserved(turnstile.reserve(sale, *known, &batches).await.unwrap())
            }
            Command::Release(known, ended) => Said::Released(turnstile.release(sale, *known, ended).await.unwrap()),
            Command::Raise(known, capacity) => Said::Raised(turnstile.raise(sale, *known, *capacity).await.unwrap()),
            Command::Restore(state) => Said::Restored(turnstile.restore(sale, state).await.unwrap()),
            Command::Look => Said::Level(turnstile.look(sale).await.unwrap()),
            Command::Snapshot => Said::Snapshot(turnstile.snapshot(sale).await.unwrap()),
        }
    }
}

/// One sale under random commands, each made with an eye on the state it meets.
pub struct Life {
    pub sale: SaleId,
    rng: Rng,
    allotment: Allotment,
    buyers: Vec<BuyerId>,
    attempts_max: usize,
    /// One command in so many is a restore.
    restore_every: u32,
    batches: Vec<Batch>,
    states: Vec<Snapshot>,
    parts: Vec<Ended>,
    /// What callers knew so far.
    seen: Vec<Known>,
}

impl Life {
    pub fn new(seed: u64, number: u64) -> Self {
        let mut rng = Rng::with_seed(seed.wrapping_add(number));
        let allotment = Allotment {
            capacity: rng.u32(0..60),
            quantity_max: rng.u8(1..=5),
            standby_max: [0, 3, 40][rng.usize(0..3)],
        };
        Self {
            sale: SaleId(number),
            allotment,
            // Spread over the whole range, with neighbours that a floating number could not tell apart.
            buyers: (0..rng.u64(5..300)).map(|n| BuyerId([n, (1 << 53) + n, u64::MAX - n][n as usize % 3])).collect(),
            attempts_max: [1, 4, 30][rng.usize(0..3)],
            // Long without one, so that answers are kept until they are forgotten.
            restore_every: [40, 1_000_000][rng.usize(0..2)],
            batches: Vec::new(),
            states: Vec::new(),
            parts: Vec::new(),
            seen: Vec::new(),
            rng,
        }
    }

    /// Each verb to a sale that is missing, and at last it is opened.
    pub fn beginning(&mut self) -> [Command; 6] {
        let known = Known::of(1);
        [
            Command::Reserve(known, vec![self.batch()]),
            Command::Release(known, vec![ReservationId(1).into()]),
            Command::Raise(known, 5),
            Command::Look,
            Command::Snapshot,
            Command::Open(1, self.allotment),
        ]
    }

    pub async fn next(&mut self, model: &MemoryTurnstile) -> Command {
        let state = model.snapshot(self.sale).await.unwrap().expect("the beginning opened it");
        if self.rng.u32(0..self.restore_every) == 0 {
            return self.restore(&state);
        }
        let known = self.known(&state);
        match self.rng.u32(0..100) {
            0..58 => {
                let count = self.rng.usize(1..=4);
                Command::Reserve(known, (0..count).map(|_| self.new_or_old_batch()).collect())
            }
            58..92 => {
                let count = self.rng.usize(1..=4);
                Command::Release(known, (0..count).map(|_| self.ended(&state)).collect())
            }
            92..94 => Command::Raise(known, (state.allotment.capacity + self.rng.u32(0..6)).saturating_sub(2)),
            94..95 => Command::Open(state.generation - self.rng.u64(0..2), self.allotment),
            95..98 => Command::Look,
            _ => {
                self.states.push(state);
                Command::Snapshot
            }
        }
    }

    /// Mostly right, now or a while ago; sometimes of another generation or history, or ahead of this turnstile.
    fn known(&mut self, state: &Snapshot) -> Known {
        let Snapshot { generation, revision, chain, .. } = *state;
        let now = Known { generation, revision, chain };
        self.seen.push(now);
        match self.rng.u32(0..40) {
            0 => Known { generation: generation - 1, ..now },
            1 => Known::of(generation + 1),
            2 => Known { revision: revision + 1, ..now },
            3 => Known { chain: Chain(self.rng.u64(..)), ..now },
            4 => Known::of(generation),
            5..10 => self.seen[self.rng.usize(0..self.seen.len())],
            10..20 => self.seen[self.seen.len() - 1 - self.rng.usize(0..self.seen.len().min(50))],
            _ => now,
        }
    }

    fn batch(&mut self) -> Batch {
        let count = self.rng.usize(1..=self.attempts_max);
        let attempts = (0..count)
            .map(|_| {
                let buyer = self.buyers[self.rng.usize(0..self.buyers.len())];
                Attempt { buyer, quantity: self.rng.u8(0..=5), waits: self.rng.u32(0..4) > 0 }
            })
            .collect();
        Batch { id: BatchId::new(1_767_225_600_000, self.rng.u64(..)), sale: self.sale, attempts, traced: Vec::new() }
    }

    /// Mostly new; sometimes one that was asked for before, perhaps in this very call.
    fn new_or_old_batch(&mut self) -> Batch {
        if let Some(old) = self.rng.choice(&self.batches).filter(|_| self.rng.u32(0..7) == 0) {
            return old.clone();
        }
        let batch = self.batch();
        self.batches.push(batch.clone());
        batch
    }

    /// A whole reservation or some of its units; sometimes units of another reservation, of none, or no units at all; sometimes a part
    /// that was asked for before.
    fn ended(&mut self, state: &Snapshot) -> Ended {
        let of = self.reservation(state);
        if self.rng.u32(0..3) > 0 {
            return of.into();
        }
        if let Some(before) = self.rng.choice(&self.parts).filter(|_| self.rng.u32(0..4) == 0) {
            return before.clone();
        }
        let units = state.taken.get(&of).map_or_else(Vec::new, |taken| taken.units.clone());
        let strangers = (0..self.rng.u32(0..3)).map(|_| self.rng.u32(1..70)).collect::<Vec<_>>();
        let mut units: Vec<u32> = units.into_iter().filter(|_| self.rng.bool()).chain(strangers).collect();
        units.sort_unstable();
        units.dedup();
        if units.is_empty() {
            units.push(1);
        }
        let part = Ended { id: of.split(&units), part: Some(Part { of, units }) };
        self.parts.push(part.clone());
        part
    }

    /// Mostly one that lives; sometimes any that was ever asked for, released or not; sometimes one that never was.
    fn reservation(&mut self, state: &Snapshot) -> ReservationId {
        match self.rng.u32(0..10) {
            0..5 if !state.taken.is_empty() => *state.taken.keys().nth(self.rng.usize(0..state.taken.len())).unwrap(),
            5..7 if !state.standby.is_empty() => state.standby[self.rng.usize(0..state.standby.len())].reservation,
            7..9 if !self.batches.is_empty() => {
                let batch = &self.batches[self.rng.usize(0..self.batches.len())];
                batch.attempt_id(self.rng.usize(0..batch.attempts.len())).into()
            }
            _ => ReservationId(self.rng.u128(..)),
        }
    }

    /// Mostly what a ledger would make of the present; sometimes a past state, or one that comes too late.
    fn restore(&mut self, state: &Snapshot) -> Command {
        let past = self.rng.choice(&self.states).unwrap_or(state).clone();
        let generation = state.generation + 1;
        Command::Restore(match self.rng.u32(0..4) {
            0 => past,
            1 => Snapshot { generation, ..past },
            _ => {
                let lost: BTreeMap<_, _> = state.taken.clone().into_iter().filter(|_| self.rng.u8(..) > 20).collect();
                let parties = state.standby.iter().map(|p| (p.reservation, p.buyer, p.quantity)).collect();
                let rebuilt = Snapshot::rebuilt(generation, state.allotment, lost, parties);
                let mut promoted = miaosha::domain::sale::turnstile::Turnstile::restore(rebuilt);
                promoted.promote();
                promoted.snapshot()
            }
        })
    }
}
