//! At the door: a token is verified, and its unit let in once. Devices that were away from the shop hand over what they wrote down;
//! of two admissions of one unit the earlier stands, and the other is kept for the operators to see.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::receipts::Receipts;
use crate::app::receipts::gate::{Pack, UsedUnit};
use crate::app::receipts::metric::Metric;
use crate::app::receipts::token::{self, TokenError};
use crate::domain::people::author::Author;
use crate::domain::receipts::{Admission, Proof, Source};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::receipts::admissions::{Admitted, Merged, Shown};

/// Rows read at once.
const PAGE: u32 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckIn {
    /// Let them in.
    Admitted(Admission),
    /// It was admitted before; since then it may have been given back.
    Already {
        before: Admission,
        revoked: bool,
    },
    /// A good receipt, of another sale.
    Elsewhere(Proof),
    Revoked(Proof),
    Invalid(TokenError),
}

impl CheckIn {
    fn name(&self) -> &'static str {
        match self {
            CheckIn::Admitted(_) => "admitted",
            CheckIn::Already { .. } => "already",
            CheckIn::Elsewhere(_) => "elsewhere",
            CheckIn::Revoked(_) => "revoked",
            CheckIn::Invalid(_) => "invalid",
        }
    }
}

/// What became of a unit that was to be let in by its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByOrder {
    Judged(CheckIn),
    /// This sale has no such order, or the order no such unit.
    NoSuchUnit,
}

/// One line of what a device wrote down.
#[derive(Debug, Clone)]
pub struct Written {
    pub token: String,
    pub at: Timestamp,
    pub gate: String,
    pub sequence: u64,
}

/// What became of a line that a gate wrote down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MergedLine)]
pub struct Handed {
    pub sequence: u64,
    pub outcome: &'static str,
    /// The other admission of the same unit, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub other: Option<Used>,
}

/// When and where a unit was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Used {
    pub admitted_at: Timestamp,
    pub gate: String,
    /// Empty where the shop itself admitted the unit.
    pub device: String,
}

impl From<Admission> for Used {
    fn from(admission: Admission) -> Self {
        Self { admitted_at: admission.at, gate: admission.gate, device: admission.source.device }
    }
}

impl Receipts {
    /// Lets the unit in at this sale's door, once. A caller that missed the answer and asks again with the same time and gate gets
    /// it again.
    pub async fn check_in(
        &self,
        sale: SaleId,
        token: &str,
        gate: &str,
        at: Option<Timestamp>,
        by: &Author,
    ) -> Result<CheckIn> {
        let outcome = match token::verify(token, self.0.keys.public()) {
            Err(error) => CheckIn::Invalid(error),
            Ok(proof) if proof.sale != sale => CheckIn::Elsewhere(proof),
            Ok(proof) => self.admit(proof, Shown::Code, gate, at, by).await?,
        };
        metrics::counter!(Metric::CheckIns.name(), "outcome" => outcome.name()).increment(1);
        Ok(outcome)
    }

    /// The same of a person who shows no code, by the order that a look-up found.
    pub async fn check_in_by_order(
        &self,
        sale: SaleId,
        number: &str,
        unit: u32,
        gate: &str,
        by: &Author,
    ) -> Result<ByOrder> {
        let order = self.0.needs.orders.order(number).await?.filter(|order| order.sale == sale);
        let Some(order) = order.filter(|order| order.units.contains(&unit)) else { return Ok(ByOrder::NoSuchUnit) };
        let proof = Proof { sale, unit, reservation: order.reservation };
        let outcome = self.admit(proof, Shown::Order, gate, None, by).await?;
        metrics::counter!(Metric::CheckIns.name(), "outcome" => outcome.name()).increment(1);
        Ok(ByOrder::Judged(outcome))
    }

    async fn admit(
        &self,
        proof: Proof,
        shown: Shown,
        gate: &str,
        at: Option<Timestamp>,
        by: &Author,
    ) -> Result<CheckIn> {
        let needs = &self.0.needs;
        let moment = at.unwrap_or_else(|| needs.clock.now());
        let admission = Admission { proof, at: moment, gate: gate.to_owned(), source: Source::default() };
        Ok(match needs.admissions.admit(&admission, shown, Some(by)).await? {
            Admitted::Now => CheckIn::Admitted(admission),
            Admitted::Before { admission: before, .. } if at.is_some() && before == admission => {
                CheckIn::Admitted(before)
            }
            Admitted::Before { admission: before, revoked } => CheckIn::Already { before, revoked },
            Admitted::Revoked => CheckIn::Revoked(proof),
        })
    }

    /// A device whose clock is ahead gets the present time: an admission is never in the future.
    pub async fn merge(&self, device: &str, written: Vec<Written>, by: &Author) -> Result<Vec<Handed>> {
        let (needs, now) = (&self.0.needs, self.0.needs.clock.now());
        let mut handed: Vec<Handed> = Vec::with_capacity(written.len());
        let (mut places, mut admissions) = (Vec::new(), Vec::new());
        for line in written {
            let proof = token::verify(&line.token, self.0.keys.public());
            handed.push(Handed { sequence: line.sequence, outcome: "invalid", other: None });
            if let Ok(proof) = proof {
                let source = Source { device: device.to_owned(), sequence: line.sequence };
                places.push(handed.len() - 1);
                admissions.push(Admission { proof, at: line.at.min(now), gate: line.gate, source });
            }
        }
        for (place, merged) in places.into_iter().zip(needs.admissions.merge_by(&admissions, now, Some(by)).await?) {
            let (outcome, other) = match merged {
                Merged::Stands => ("admitted", None),
                Merged::Displaced(other) => ("displaced", Some(other)),
                Merged::Twice(other) => ("twice", Some(other)),
                Merged::Revoked => ("revoked", None),
                Merged::Undone => ("undone", None),
            };
            handed[place] = Handed { outcome, other: other.map(Used::from), ..handed[place] };
        }
        for line in &handed {
            metrics::counter!(Metric::Merged.name(), "outcome" => line.outcome).increment(1);
        }
        Ok(handed)
    }

    /// What a gate needs to work without the shop; `None` when it would name too many units.
    pub async fn pack(&self, sale: SaleId, title: String) -> Result<Option<Pack>> {
        let max = self.0.settings.pack_units_max;
        let made_at = self.0.needs.clock.now();
        let (mut revoked, mut used) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let (page, next) = self.0.needs.admissions.revoked_page(sale, after, PAGE).await?;
            revoked.extend(page.into_iter().map(|proof| (proof.unit, proof.reservation)));
            after = next;
            if after.is_none() || revoked.len() > max {
                break;
            }
        }
        let mut after = None;
        loop {
            let page = self.0.needs.admissions.check_ins_page(sale, after, PAGE).await?;
            after = page.last().map(|last| last.proof);
            used.extend(page.into_iter().map(UsedUnit::from));
            if after.is_none() || used.len() > max {
                break;
            }
        }
        let fits = revoked.len() <= max && used.len() <= max;
        let keys = self.0.keys.public().to_jwks();
        let utc_offset_minutes = self.0.utc_offset_minutes;
        Ok(fits.then_some(Pack { sale_id: sale, title, made_at, utc_offset_minutes, keys, revoked, used }))
    }
}
