//! A world: every port there is, chosen once, when a process starts. It is a value: one with another part in some place is
//! `World { payments, ..world }`. Services never see it; each is given what it needs of it.

use std::sync::Arc;

use crate::ports::audit::auditing::Auditing;
use crate::ports::audit::journal::Journal;
use crate::ports::audit::reports::Reports;
use crate::ports::audit::retention::Retention;
use crate::ports::mail::log::MailLog;
use crate::ports::money::orders::Orders;
use crate::ports::money::paying::Paying;
use crate::ports::money::payments::Payments;
use crate::ports::money::refunds::Refunds;
use crate::ports::money::sweeping::Sweeping;
use crate::ports::people::accounts::Accounts;
use crate::ports::people::codes::Codes;
use crate::ports::people::operators::Operators;
use crate::ports::people::second_factors::SecondFactors;
use crate::ports::people::sessions::Sessions;
use crate::ports::people::tries::Tries;
use crate::ports::platform::archive::Archive;
use crate::ports::platform::clock::{Clock, LedgerTime};
use crate::ports::platform::events::Events;
use crate::ports::platform::fault::Faults;
use crate::ports::platform::idempotency::Idempotency;
use crate::ports::platform::lag::{Depths, Lagging};
use crate::ports::platform::outbox::Outbox;
use crate::ports::platform::parked::Parked;
use crate::ports::receipts::admissions::Admissions;
use crate::ports::receipts::holders::HolderSearch;
use crate::ports::sale::attempts::Attempts;
use crate::ports::sale::blocks::Blocks;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::deadlines::Deadlines;
use crate::ports::sale::drafts::Drafts;
use crate::ports::sale::fallback::Fallbacks;
use crate::ports::sale::feed::SaleFeed;
use crate::ports::sale::notices::Notices;
use crate::ports::sale::past::Past;
use crate::ports::sale::places::Places;
use crate::ports::sale::recording::Recording;
use crate::ports::sale::reservations::Reservations;
use crate::ports::sale::restoring::Restoring;
use crate::ports::sale::showcase::Showcase;
use crate::ports::sale::turnstile::Turnstile;
use crate::ports::seating::plans::Plans;

#[derive(Clone)]
pub struct World {
    pub turnstile: Arc<dyn Turnstile>,
    pub places: Arc<dyn Places>,
    // The ledger, by task.
    pub recording: Arc<dyn Recording>,
    pub reservations: Arc<dyn Reservations>,
    pub past: Arc<dyn Past>,
    pub orders: Arc<dyn Orders>,
    pub paying: Arc<dyn Paying>,
    pub refunds: Arc<dyn Refunds>,
    pub sweeping: Arc<dyn Sweeping>,
    pub restoring: Arc<dyn Restoring>,
    pub fallbacks: Arc<dyn Fallbacks>,
    pub auditing: Arc<dyn Auditing>,
    pub journal: Arc<dyn Journal>,
    pub ledger_time: Arc<dyn LedgerTime>,
    // What lies beside it in the same store.
    pub catalogue: Arc<dyn Catalogue>,
    pub drafts: Arc<dyn Drafts>,
    pub accounts: Arc<dyn Accounts>,
    pub codes: Arc<dyn Codes>,
    pub sessions: Arc<dyn Sessions>,
    pub tries: Arc<dyn Tries>,
    pub operators: Arc<dyn Operators>,
    pub second_factors: Arc<dyn SecondFactors>,
    pub idempotency: Arc<dyn Idempotency>,
    pub lagging: Arc<dyn Lagging>,
    pub letters: Arc<dyn MailLog>,
    pub outbox: Arc<dyn Outbox>,
    pub admissions: Arc<dyn Admissions>,
    pub holders: Arc<dyn HolderSearch>,
    pub blocks: Arc<dyn Blocks>,
    pub plans: Arc<dyn Plans>,
    pub reports: Arc<dyn Reports>,
    pub retention: Arc<dyn Retention>,
    pub showcase: Arc<dyn Showcase>,
    // What is durable on its way: attempts in, events out.
    pub attempts: Arc<dyn Attempts>,
    pub events: Arc<dyn Events>,
    pub depths: Arc<dyn Depths>,
    pub parked: Arc<dyn Parked>,
    // What wakes and tells.
    pub deadlines: Arc<dyn Deadlines>,
    pub notices: Arc<dyn Notices>,
    pub news: Arc<dyn SaleFeed>,
    pub payments: Arc<dyn Payments>,
    pub archive: Arc<dyn Archive>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
}

/// `one_of! { /// What it is. Name: Port, Other; }` is the trait of whatever is all of these.
macro_rules! one_of {
    ($($(#[$doc:meta])* $name:ident: $first:ident $(, $port:ident)*;)*) => {
        $(
            $(#[$doc])*
            pub trait $name: $first $(+ $port)* {}

            impl<T: $first $(+ $port)*> $name for T {}
        )*
    };
}

one_of! {
    /// One store behind all the ports of what is remembered.
    Store: Recording, Reservations, Past, Orders, Paying, Refunds, Sweeping, Restoring, Fallbacks, Auditing, Journal, LedgerTime, Catalogue, Drafts,
        Accounts, Codes, Sessions, Operators, SecondFactors, Idempotency, Lagging, MailLog, Outbox, Admissions, HolderSearch, Blocks, Reports,
        Retention, Showcase, Plans;
    /// One queue behind the ports of what is durable on its way.
    Queue: Attempts, Events, Depths, Parked;
    /// One thing behind the ports of what wakes and tells.
    Signals: Deadlines, Notices, SaleFeed;
}

/// What a world is made of.
pub struct Backends {
    pub turnstile: Arc<dyn Turnstile>,
    pub places: Arc<dyn Places>,
    pub tries: Arc<dyn Tries>,
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    pub signals: Arc<dyn Signals>,
    pub payments: Arc<dyn Payments>,
    pub archive: Arc<dyn Archive>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
}

impl World {
    pub fn new(backends: Backends) -> Self {
        let Backends { turnstile, places, tries, store, queue, signals, payments, archive, clock, faults } = backends;
        Self {
            turnstile,
            places,
            tries,
            recording: store.clone(),
            reservations: store.clone(),
            past: store.clone(),
            orders: store.clone(),
            paying: store.clone(),
            refunds: store.clone(),
            sweeping: store.clone(),
            restoring: store.clone(),
            fallbacks: store.clone(),
            auditing: store.clone(),
            journal: store.clone(),
            ledger_time: store.clone(),
            catalogue: store.clone(),
            drafts: store.clone(),
            accounts: store.clone(),
            codes: store.clone(),
            sessions: store.clone(),
            operators: store.clone(),
            second_factors: store.clone(),
            idempotency: store.clone(),
            lagging: store.clone(),
            letters: store.clone(),
            outbox: store.clone(),
            admissions: store.clone(),
            holders: store.clone(),
            blocks: store.clone(),
            plans: store.clone(),
            reports: store.clone(),
            retention: store.clone(),
            showcase: store,
            attempts: queue.clone(),
            events: queue.clone(),
            depths: queue.clone(),
            parked: queue,
            deadlines: signals.clone(),
            notices: signals.clone(),
            news: signals,
            payments,
            archive,
            clock,
            faults,
        }
    }

    /// What a service is given: `consumer::run(world.needs(), …)`.
    pub fn needs<N: for<'w> From<&'w World>>(&self) -> N {
        N::from(self)
    }
}
