//! Who may press the button of a sale. Pressing costs nothing at the bell, so that what it is worth is asked before: an admission is
//! given to who has nothing in the sale yet, paid for earlier holds by waiting, is not one too many of a network (who has bought before never
//! is), and, where many come, has worked for it.
//!
//! Of all this the publisher sees a signature, and the turnstile nothing.

pub mod metric;
pub mod proof;
pub mod settings;

use std::sync::{Arc, Mutex, PoisonError};

use crate::app::sale::admission::proof::{Checked, For, Mac, Proof};
pub use crate::app::sale::admission::settings::Settings;
use crate::app::sale::best_effort::{Effort, best_effort};
use crate::domain::sale::admission::{CoolOff, Difficulty, Price, until};
use crate::domain::sale::{Sale, SaleState};
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::kit::work::window::{PerSecond, WindowCounts};
use crate::ports::Result;
use crate::ports::sale::past::Past;
use crate::ports::sale::places::{Place, Places, PlacesTaken};

#[derive(Clone)]
pub struct Needs {
    pub past: Arc<dyn Past>,
    pub places: Arc<dyn Places>,
}

/// Who asks, and with what.
pub struct Asker<'a> {
    pub buyer: BuyerId,
    pub network: &'a str,
    pub proof: Option<Proof<'a>>,
}

impl Asker<'_> {
    fn place(&self, sale: SaleId) -> Place<'_> {
        Place { sale, network: self.network, buyer: self.buyer }
    }
}

/// Until when it is good, or why there is none.
pub type Answer = Result<Timestamp, Refusal>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    TooEarly {
        from: Timestamp,
    },
    Closed,
    /// The buyer has a reservation that lives.
    Reserved,
    CoolingOff {
        until: Timestamp,
    },
    LapsedOut,
    NetworkFull,
    ProofNeeded {
        challenge: String,
        bits: u8,
        until: Timestamp,
    },
    WrongProof {
        is_ours: bool,
    },
    TooMany {
        wait_ms: i64,
    },
}

impl Refusal {
    pub fn name(&self) -> &'static str {
        match self {
            Refusal::TooEarly { .. } => "too_early",
            Refusal::Closed => "closed",
            Refusal::Reserved => "reserved",
            Refusal::CoolingOff { .. } => "cooling_off",
            Refusal::LapsedOut => "lapsed_out",
            Refusal::NetworkFull => "network_full",
            Refusal::ProofNeeded { .. } => "proof_needed",
            Refusal::WrongProof { .. } => "wrong_proof",
            Refusal::TooMany { .. } => "too_many",
        }
    }
}

/// One process's: what it counts of those who ask.
pub struct Admitting {
    needs: Needs,
    settings: Settings,
    calls: Mutex<WindowCounts<BuyerId>>,
    given: Mutex<WindowCounts<(SaleId, BuyerId)>>,
    rate: Mutex<PerSecond>,
}

impl Admitting {
    pub fn new(needs: Needs, settings: Settings) -> Self {
        metric::describe();
        Self {
            calls: Mutex::new(WindowCounts::new(settings.window_ms, settings.buyers_max)),
            given: Mutex::new(WindowCounts::new(settings.window_ms, settings.buyers_max)),
            rate: Mutex::default(),
            needs,
            settings,
        }
    }

    /// Whatever it is for, a buyer may ask so often.
    pub fn asked(&self, buyer: BuyerId, now: Timestamp) -> Option<Refusal> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.pass(buyer, self.settings.calls_max, now).err().map(|wait_ms| Refusal::TooMany { wait_ms })
    }

    pub async fn ask(
        &self,
        sale: &Sale,
        asker: &Asker<'_>,
        mac: Mac<'_>,
        effort: Effort,
        now: Timestamp,
    ) -> Result<Answer> {
        let rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner).counted(now);
        if let Some(refusal) = self.hours(sale, now) {
            return Ok(Err(refusal));
        }
        if let Some(refusal) = self.past(sale, asker.buyer, now).await? {
            return Ok(Err(refusal));
        }
        let taken = self.taken(sale, asker, effort).await;
        let most = self.settings.network_places().map_or(u32::MAX, |places| places.of(sale.allotment));
        let is_full = taken.is_some_and(|taken| !taken.is_own && taken.count >= most);
        // Of neighbours, who has bought before is not one that somebody made up.
        let is_known = is_full && self.needs.past.has_bought(asker.buyer).await?;
        if is_full && !is_known {
            return Ok(Err(Refusal::NetworkFull));
        }
        let whom = For { sale: sale.id, buyer: asker.buyer };
        if let Some(refusal) = self.work(whom, asker.proof, (rate, taken.map_or(0, |taken| taken.count)), mac, now) {
            return Ok(Err(refusal));
        }
        // Whoever tries answers needs one admission after another.
        let passed = {
            let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
            given.pass((sale.id, asker.buyer), self.settings.given_max, now)
        };
        if let Err(wait_ms) = passed {
            return Ok(Err(Refusal::TooMany { wait_ms }));
        }
        if taken.is_some() && !is_known && !self.take(sale, asker, most, effort, now).await {
            return Ok(Err(Refusal::NetworkFull));
        }
        Ok(Ok(until(sale, self.settings.admission_ms, now)))
    }

    fn hours(&self, sale: &Sale, now: Timestamp) -> Option<Refusal> {
        if now >= sale.closes_at || sale.state == SaleState::Closed {
            return Some(Refusal::Closed);
        }
        let from = sale.opens_at.plus_ms(-self.settings.ahead_ms);
        (now < from).then_some(Refusal::TooEarly { from })
    }

    async fn past(&self, sale: &Sale, buyer: BuyerId, now: Timestamp) -> Result<Option<Refusal>> {
        let Settings { cool_off, cool_off_ms, lapses_max, regret_ms, regrets_max, .. } = self.settings;
        let rule = CoolOff { first_ms: cool_off_ms, lapses_max, regret_ms, regrets_max };
        let past = self.needs.past.past(sale.id, buyer, rule.holds_max()).await?;
        if past.has_live {
            return Ok(Some(Refusal::Reserved));
        }
        Ok(match rule.price(&past.ended, sale.hold_ms, now) {
            _ if !cool_off => None,
            Price::Nothing => None,
            Price::WaitUntil(until) => Some(Refusal::CoolingOff { until }),
            Price::Out => Some(Refusal::LapsedOut),
        })
    }

    /// Nothing where nobody wants to know, and where it cannot be known: a network's places are no reason to turn everybody away.
    async fn taken(&self, sale: &Sale, asker: &Asker<'_>, effort: Effort) -> Option<PlacesTaken> {
        if !self.settings.network && !self.settings.proof {
            return None;
        }
        let mut taken = None;
        let look = async {
            taken = Some(self.needs.places.taken(asker.place(sale.id)).await?);
            Ok(())
        };
        best_effort("count places", effort, look).await;
        taken
    }

    /// Whether there was a place.
    async fn take(&self, sale: &Sale, asker: &Asker<'_>, most: u32, effort: Effort, now: Timestamp) -> bool {
        let mut has_place = true;
        let take = async {
            let places = &self.needs.places;
            has_place = places.take(asker.place(sale.id), most, sale.closes_at, now).await?;
            Ok(())
        };
        best_effort("take a place", effort, take).await;
        has_place
    }

    /// What is still to be worked for.
    fn work(
        &self,
        whom: For,
        proof: Option<Proof<'_>>,
        (rate, places): (u32, u32),
        mac: Mac<'_>,
        now: Timestamp,
    ) -> Option<Refusal> {
        let Settings { bits, bits_max, free_places, free_per_s, proof_ms, .. } = self.settings;
        let difficulty = Difficulty { bits, bits_max };
        let bits = difficulty.of(places, free_places).max(difficulty.of(rate, free_per_s));
        if !self.settings.proof || bits == 0 {
            return None;
        }
        match proof.map(|proof| proof::check(mac, whom, proof, now)) {
            Some(Checked::Right) => None,
            Some(Checked::Wrong) => Some(Refusal::WrongProof { is_ours: true }),
            Some(Checked::Foreign) => Some(Refusal::WrongProof { is_ours: false }),
            None | Some(Checked::Expired) => {
                let until = now.plus_ms(proof_ms);
                let challenge = proof::challenge(mac, whom, bits, until);
                Some(Refusal::ProofNeeded { challenge, bits, until })
            }
        }
    }
}
