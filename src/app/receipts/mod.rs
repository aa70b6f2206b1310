//! Receipts: printed once, without keeping a request waiting, and kept; and what is done with them at the door.
//!
//! A receipt follows from its order and the language of its reader. So printing it twice gives the same bytes, and what the archive
//! loses is printed again. It holds no promise of its own: whether a unit is admitted is for the ledger to say.

mod check_in;
mod code;
mod date;
pub mod fonts;
pub mod gate;
mod holders;
mod keep;
pub mod keys;
pub mod letters;
pub mod metric;
mod paper;
pub mod pdf;
mod press;
pub mod shape;
pub mod sheet;
pub mod stencil;
mod subset;
pub mod token;
mod undo;
mod words;
mod wrap;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures_util::future::join_all;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::app::mail;
use crate::app::receipts::keys::ReceiptKeys;
use crate::app::receipts::metric::Metric;
use crate::app::receipts::press::{Press, Unprinted};
use crate::app::receipts::sheet::Sheet;
use crate::domain::money::order::Order;
use crate::domain::receipts::{archive_key, archive_prefix};
use crate::domain::shared::event::{Event, Fact};
use crate::domain::shared::locale::Locale;
use crate::kit::work::backoff::{Backoff, BackoffSettings};
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::serve::{self, Worker};
use crate::ports::money::orders::Orders;
use crate::ports::people::accounts::{Account, Accounts};
use crate::ports::platform::archive::Archive;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::events::{Events, Listener};
use crate::ports::platform::fault::{Faults, Point};
use crate::ports::receipts::admissions::Admissions;
use crate::ports::receipts::holders::HolderSearch;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::{Delivery, Fault, Result, Subscription};

pub use crate::app::receipts::check_in::{ByOrder, CheckIn, Handed, Written};
pub use crate::app::receipts::code::Code;
pub use crate::app::receipts::gate::Pack;
pub use crate::app::receipts::keep::{Cleaned, Stats};

pub const AFTER_PRESS: Point = Point("receipt.after_press");
pub const AFTER_ARCHIVE: Point = Point("receipt.after_archive");

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Receipts printed at once. Each takes a thread that runs where a core is idle, so that the shop comes first.
    pub pdf_jobs_max: usize,
    /// Receipts that wait to be printed; a buyer who asks for one more is told to come again.
    pub pdf_waiting_max: usize,
    /// How long a buyer's request waits for a receipt that is not there yet, in milliseconds. It is printed all the same.
    pub pdf_wait_ms_max: u64,
    /// Events taken at once by the process that prints what was paid for.
    pub deliveries_max: usize,
    /// Receipts that one call of an operator removes.
    pub cleanup_max: u32,
    /// Admissions that a device hands over in one call.
    pub merge_max: usize,
    /// Units, given back or admitted, that a gate's pack names.
    pub pack_units_max: usize,
    /// Admissions that contradict each other, or that were taken back, on one page of their list.
    pub conflicts_max: u32,
    /// Holders that one look-up by name shows.
    pub holders_max: u32,
    /// Look-ups of one operator, in each process: so many at once, and so many a minute.
    pub look_ups_max: u32,
    /// For how long after a let-in the door takes it back by itself, in milliseconds; later the desk does.
    pub check_in_undo_ms: i64,
    pub backoff: BackoffSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pdf_jobs_max: 1,
            pdf_waiting_max: 64,
            pdf_wait_ms_max: 5_000,
            deliveries_max: 8,
            cleanup_max: 10_000,
            merge_max: 500,
            pack_units_max: 100_000,
            conflicts_max: 1_000,
            holders_max: 20,
            look_ups_max: 30,
            check_in_undo_ms: 600_000,
            backoff: BackoffSettings::default(),
        }
    }
}

#[derive(Clone)]
pub struct Needs {
    pub archive: Arc<dyn Archive>,
    pub catalogue: Arc<dyn Catalogue>,
    pub accounts: Arc<dyn Accounts>,
    pub orders: Arc<dyn Orders>,
    pub admissions: Arc<dyn Admissions>,
    pub holders: Arc<dyn HolderSearch>,
    pub events: Arc<dyn Events>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
}

/// One process's receipts; clones are the same ones.
pub struct Receipts(Arc<Inner>);

struct Inner {
    needs: Needs,
    keys: Arc<ReceiptKeys>,
    settings: Settings,
    /// How far the shop's clocks are ahead of UTC, in its letters and on its receipts.
    utc_offset_minutes: i16,
    press: Press,
    /// Printing holds the lock of the order, so that two requests at once print once. Orders share locks.
    printing: [Mutex<()>; LOCKS],
}

const LOCKS: usize = 64;

impl Clone for Receipts {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Receipts {
    pub fn new(needs: Needs, keys: Arc<ReceiptKeys>, settings: Settings, utc_offset_minutes: i16) -> Self {
        Metric::describe();
        let press = Press::new(&settings);
        let printing = std::array::from_fn(|_| Mutex::new(()));
        Self(Arc::new(Inner { needs, keys, settings, utc_offset_minutes, press, printing }))
    }

    pub fn keys(&self) -> &ReceiptKeys {
        &self.0.keys
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The order's receipt as a PDF: from the archive, or printed now and kept. Waits for its turn at the press.
    pub async fn pdf_of(&self, order: &Order) -> Result<Vec<u8>> {
        self.kept_or_printed(order, true).await?.map(|kept| kept.bytes).ok_or_else(closed)
    }

    /// The same for a request that waits: `None` when too many wait at the press.
    pub async fn pdf_soon(&self, order: &Order) -> Result<Option<Vec<u8>>> {
        Ok(self.kept_or_printed(order, false).await?.map(|kept| kept.bytes))
    }

    /// In the language that its buyer has now.
    async fn kept_or_printed(&self, order: &Order, waits: bool) -> Result<Option<mail::Receipt>, Unprinted> {
        let (needs, buyer) = (&self.0.needs, self.buyer(order).await?);
        let key = archive_key(order, locale_of(buyer.as_ref()));
        if let Some(kept) = needs.archive.get(&key).await? {
            return Ok(Some(mail::Receipt { key, bytes: kept }));
        }
        let lock = (order.reservation.0 >> 16) as usize ^ order.reservation.0 as usize;
        let _lock = self.0.printing[lock % LOCKS].lock().await;
        if let Some(kept) = needs.archive.get(&key).await? {
            return Ok(Some(mail::Receipt { key, bytes: kept }));
        }
        let begun = Instant::now();
        let Some(pdf) = self.0.press.print(self.sheet_for(order, buyer).await?, waits).await? else {
            metrics::counter!(Metric::Shed.name()).increment(1);
            return Ok(None);
        };
        needs.faults.reach(AFTER_PRESS).await;
        needs.archive.put(&key, pdf.clone()).await?;
        needs.faults.reach(AFTER_ARCHIVE).await;
        metrics::counter!(Metric::Made.name()).increment(1);
        metrics::histogram!(Metric::MadeSeconds.name()).record(begun.elapsed().as_secs_f64());
        self.0.press.made();
        Ok(Some(mail::Receipt { key, bytes: pdf }))
    }

    /// What the order's receipt says, unit by unit, in the language that its buyer has now.
    pub async fn sheet(&self, order: &Order) -> Result<Sheet> {
        self.sheet_for(order, self.buyer(order).await?).await
    }

    async fn sheet_for(&self, order: &Order, buyer: Option<Account>) -> Result<Sheet> {
        let sale = self.0.needs.catalogue.sale(order.sale).await?;
        let sale = sale.ok_or_else(|| Fault::new("ledger", format!("order {} has no sale", order.number)))?;
        let locale = locale_of(buyer.as_ref());
        let name = buyer.map(|account| account.name);
        let sheet = Sheet::of(order, &sale.title, name.as_deref(), &self.0.keys);
        Ok(sheet.said_in(locale, self.0.utc_offset_minutes))
    }

    async fn buyer(&self, order: &Order) -> Result<Option<Account>> {
        self.0.needs.accounts.account(order.buyer).await
    }

    /// For letters that carry a receipt.
    pub fn for_mail(&self) -> mail::AnyReceipts {
        Arc::new(self.clone())
    }

    /// Removes what is kept of an order: for a person who is to be forgotten.
    pub async fn forget(&self, number: &str) -> Result<()> {
        let archive = &self.0.needs.archive;
        // One for each refund that there may be of some units, and one for the purchase, in each language.
        let max = (u32::from(u8::MAX) + 1) * Locale::ALL.len() as u32;
        for kept in archive.list(&archive_prefix(number), None, max).await? {
            archive.delete(&kept.key).await?;
        }
        Ok(())
    }

    /// Prints what was paid for or refunded, until the soft stop; what was begun is finished.
    pub async fn run(self, lifecycle: Lifecycle) {
        serve::serve(&self, &self.0.settings.backoff, &lifecycle).await;
    }

    /// Returns when no thread prints any more.
    pub async fn closed(self) {
        self.0.press.closed().await;
    }

    async fn settle(&self, event: &Event) -> Result<()> {
        let mut patience = Backoff::new(&self.0.settings.backoff);
        loop {
            let Err(fault) = self.print_for(event).await else {
                let behind_ms = self.0.needs.clock.now().0.saturating_sub(event.at.0).max(0);
                metrics::histogram!(Metric::BehindSeconds.name()).record(behind_ms as f64 / 1_000.0);
                return Ok(());
            };
            self.failed(&fault);
            if !patience.wait().await {
                return Err(fault);
            }
        }
    }

    async fn print_for(&self, event: &Event) -> Result<()> {
        let number = match &event.fact {
            Fact::OrderPaid(fact) => &fact.order,
            Fact::OrderRefunded(fact) => &fact.order,
            _ => return Ok(()),
        };
        let Some(order) = self.0.needs.orders.order(number).await? else {
            tracing::error!(order.number = number, "an event names an order that does not exist");
            return Ok(());
        };
        match self.kept_or_printed(&order, true).await {
            Ok(kept) => kept.map(drop).ok_or_else(closed),
            // The others are not kept waiting for it. A request for this receipt fails by itself.
            Err(Unprinted::Never(why)) => {
                tracing::error!(order.number = number, why, "a receipt cannot be printed");
                metrics::counter!(Metric::Failed.name()).increment(1);
                Ok(())
            }
            Err(Unprinted::Fault(fault)) => Err(fault),
        }
    }
}

impl Worker for Receipts {
    type Body = Event;

    async fn subscribe(&self) -> Result<Box<dyn Subscription<Event>>> {
        self.0.needs.events.events(Listener::Receipts).await
    }

    fn deliveries_max(&self) -> usize {
        self.0.settings.deliveries_max
    }

    /// Nothing is acknowledged that is not in the archive.
    async fn handle(&self, deliveries: Vec<Box<dyn Delivery<Event>>>) -> Result<()> {
        let settled = join_all(deliveries.iter().map(|delivery| self.settle(delivery.body()))).await;
        settled.into_iter().collect::<Result<()>>()?;
        for delivery in deliveries {
            delivery.ack().await?;
        }
        Ok(())
    }

    fn failed(&self, fault: &Fault) {
        metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
        tracing::warn!(%fault, "printing receipts failed and is tried again");
    }
}

#[async_trait]
impl mail::Receipts for Receipts {
    async fn receipt(&self, order: &str) -> Result<Option<mail::Receipt>> {
        let Some(order) = self.0.needs.orders.order(order).await? else { return Ok(None) };
        self.kept_or_printed(&order, true).await?.ok_or_else(closed).map(Some)
    }
}

fn closed() -> Fault {
    Fault::new("receipts", "the press is closed")
}

fn locale_of(buyer: Option<&Account>) -> Locale {
    buyer.map_or_else(Locale::default, |account| account.locale)
}
