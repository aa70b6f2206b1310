//! Removes what is over, some at a time, and certifies sales first: nothing that an audit needs goes before it passed.
//!
//! A step is bounded in everything it does; several processes may tend at once, and find what another one left. Stopped anywhere, a
//! step has done some of its pieces, each of them whole. Absent is any way to remove what money was spoken of for: `docs/retention.md`
//! says of each table what becomes of it.

pub mod metric;
mod settings;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::time::Instant;

use crate::app::audit::certify::{Certifying, certify};
use crate::app::audit::tend::metric::Metric;
use crate::app::audit::{self, Violation};
use crate::app::sale::turns::sure_now;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::audit::retention::{Certificate, Piece, Retention};
use crate::ports::mail::kept::KeptMails;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::turnstile::Turnstile;

pub use crate::app::audit::tend::settings::Settings;

#[derive(Clone)]
pub struct Needs {
    pub retention: Arc<dyn Retention>,
    pub turnstile: Arc<dyn Turnstile>,
    pub clock: Arc<dyn Clock>,
    pub audit: audit::Needs,
}

/// What goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Turns,
    Turnstiles,
    /// Not away yet, but apart.
    EndedMoved,
    Ended,
    Letters,
    Mails,
}

impl What {
    pub const ALL: [What; 6] =
        [What::Turns, What::Turnstiles, What::EndedMoved, What::Ended, What::Letters, What::Mails];

    pub fn label(self) -> &'static str {
        match self {
            What::Turns => "turns",
            What::Turnstiles => "turnstiles",
            What::EndedMoved => "ended_moved",
            What::Ended => "ended",
            What::Letters => "letters",
            What::Mails => "mails",
        }
    }
}

/// What came of one step, or would come of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tended {
    pub certified: u64,
    /// Sales that are over and fail their audit: they are kept as they are.
    pub failing: Vec<SaleId>,
    pub turns: u64,
    pub turnstiles: u64,
    pub ended_moved: u64,
    pub ended: u64,
    pub letters: u64,
    pub mails: u64,
}

impl Tended {
    fn count(&mut self, what: What) -> &mut u64 {
        match what {
            What::Turns => &mut self.turns,
            What::Turnstiles => &mut self.turnstiles,
            What::EndedMoved => &mut self.ended_moved,
            What::Ended => &mut self.ended,
            What::Letters => &mut self.letters,
            What::Mails => &mut self.mails,
        }
    }
}

pub struct Tender {
    needs: Needs,
    settings: Settings,
    mails: Option<Arc<dyn KeptMails>>,
    dry_run: bool,
    /// The last sale that was gone by.
    after: Mutex<Option<SaleId>>,
    /// Sales that were audited of late and could not be certified, and when: as many as so many steps audit.
    resting: Mutex<BTreeMap<SaleId, Timestamp>>,
}

impl Tender {
    /// `mails`: of a shop that keeps them in a folder.
    pub fn new(needs: Needs, settings: Settings, mails: Option<Arc<dyn KeptMails>>) -> Self {
        Self { needs, settings, mails, dry_run: false, after: Mutex::default(), resting: Mutex::default() }
    }

    /// Counts, and removes nothing.
    pub fn dry_run(self) -> Self {
        Self { dry_run: true, ..self }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// By every sale that is over, and whatever else there is.
    pub async fn round(&self) -> Result<Tended> {
        let mut tended = Tended::default();
        let mut done = self.others(&mut tended).await;
        loop {
            done = done.and(self.sales(&mut tended).await);
            if done.is_err() || self.after().is_none() {
                return done.map(|()| tended);
            }
        }
    }

    /// By the next sales, and whatever else there is; the first fault, after everything had its try.
    pub async fn step(&self) -> Result<Tended> {
        let begun = Instant::now();
        let mut tended = Tended::default();
        let others = self.others(&mut tended).await;
        let done = others.and(self.sales(&mut tended).await);
        metrics::histogram!(Metric::StepSeconds.name()).record(begun.elapsed().as_secs_f64());
        if let Err(fault) = &done {
            metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
        }
        done.map(|()| tended)
    }

    /// What belongs to no sale.
    async fn others(&self, tended: &mut Tended) -> Result<()> {
        let now = sure_now(&*self.needs.clock)?;
        let retention = &self.needs.retention;
        let before = now.plus_ms(-self.settings.letters_kept_ms);
        let letters = self.pieces(What::Letters, tended, |piece| retention.remove_letters(before, piece)).await;
        let before = now.plus_ms(-self.settings.ended_kept_ms);
        let ended = self.pieces(What::Ended, tended, |piece| retention.remove_ended(before, piece)).await;
        let mails = match &self.mails {
            Some(mails) => {
                let before = now.plus_ms(-self.settings.mails_kept_ms);
                self.pieces(What::Mails, tended, |Piece { max, dry_run }| mails.remove_mails(before, max, dry_run))
                    .await
            }
            None => Ok(()),
        };
        letters.and(ended).and(mails)
    }

    /// Until nothing is left, or it was enough for once.
    async fn pieces<F>(&self, what: What, tended: &mut Tended, remove: impl Fn(Piece) -> F) -> Result<()>
    where
        F: Future<Output = Result<u64>> + Send,
    {
        let Settings { removed_max, pieces_max, .. } = self.settings;
        if self.dry_run {
            let piece = Piece { max: removed_max.saturating_mul(pieces_max), dry_run: true };
            let counted = remove(piece).await?;
            *tended.count(what) += counted;
            return Ok(());
        }
        for _ in 0..pieces_max {
            let removed = remove(Piece { max: removed_max, dry_run: false }).await?;
            if removed == 0 {
                break;
            }
            *tended.count(what) += removed;
            metrics::counter!(Metric::Removed.name(), "what" => what.label()).increment(removed);
        }
        Ok(())
    }

    /// The next part of a round. Where enough sales were audited the next step goes on from there.
    async fn sales(&self, tended: &mut Tended) -> Result<()> {
        let now = sure_now(&*self.needs.clock)?;
        let (before, max) = (now.plus_ms(-self.settings.over_ms), self.settings.sales_max);
        let mut last = *self.after();
        let sales = self.needs.retention.sales_over(last, before, max).await?;
        self.resting().retain(|_, at| now.since_ms(*at) < self.settings.audit_again_ms);
        let mut goes_on = sales.len() >= max as usize;
        let (mut audits, mut done) = (0, Ok(()));
        for over in &sales {
            let worked = match over.certified() {
                Some(certificate) => self.remove(certificate, now, tended).await,
                None if self.resting().contains_key(&over.sale) => Ok(()),
                None if audits == self.settings.audits_max => {
                    goes_on = true;
                    break;
                }
                None => {
                    audits += 1;
                    self.certify(over.sale, now, tended).await
                }
            };
            done = done.and(worked);
            last = Some(over.sale);
        }
        *self.after() = last.filter(|_| goes_on);
        done
    }

    /// What goes of it goes later, with what it is kept for counted from now.
    async fn certify(&self, sale: SaleId, now: Timestamp, tended: &mut Tended) -> Result<()> {
        let certifying = certify(&self.needs.audit, &*self.needs.retention, sale, self.dry_run).await?;
        if certifying == Certifying::Certified {
            tended.certified += 1;
            metrics::counter!(Metric::Audits.name(), "verdict" => "pass").increment(1);
            return Ok(());
        }
        self.resting().insert(sale, now);
        if let Certifying::Fails(Violation { invariant, what }) = certifying {
            tended.failing.push(sale);
            metrics::counter!(Metric::Audits.name(), "verdict" => "fail").increment(1);
            tracing::error!(sale.id = %sale, invariant, what, "a sale that is over fails its audit, and is kept whole");
        }
        Ok(())
    }

    async fn remove(&self, certificate: &Certificate, now: Timestamp, tended: &mut Tended) -> Result<()> {
        let retention = &self.needs.retention;
        let is_over = |kept_ms: i64| now.since_ms(certificate.certified_at) > kept_ms;
        if certificate.turnstile_removed_at.is_none() && is_over(self.settings.turnstile_kept_ms) {
            self.remove_turnstile(certificate, now, tended).await?;
        }
        if certificate.ended_moved_at.is_none() {
            let rows_kept = self.settings.rows_kept;
            let moved = |piece| retention.move_ended(certificate, rows_kept, now, piece);
            self.pieces(What::EndedMoved, tended, moved).await?;
        }
        if certificate.turns_gone_at.is_none() && is_over(self.settings.turns_kept_ms) {
            self.pieces(What::Turns, tended, |piece| retention.remove_turns(certificate, now, piece)).await?;
        }
        Ok(())
    }

    /// A crash in between removes it once more: what is not there is no fault.
    async fn remove_turnstile(&self, certificate: &Certificate, now: Timestamp, tended: &mut Tended) -> Result<()> {
        if !self.dry_run {
            self.needs.turnstile.remove(certificate.sale).await?;
            self.needs.retention.turnstile_removed(certificate, now).await?;
            metrics::counter!(Metric::Removed.name(), "what" => What::Turnstiles.label()).increment(1);
        }
        *tended.count(What::Turnstiles) += 1;
        Ok(())
    }

    fn after(&self) -> MutexGuard<'_, Option<SaleId>> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resting(&self) -> MutexGuard<'_, BTreeMap<SaleId, Timestamp>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
