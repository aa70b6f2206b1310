//! What each service is given, port by port: the one list of who may touch what.

use crate::app::audit;
use crate::app::audit::tend;
use crate::app::mail;
use crate::app::money;
use crate::app::operator;
use crate::app::people::second_factor;
use crate::app::receipts;
use crate::app::sale::admission;
use crate::app::sale::at_once;
use crate::app::sale::catalogue_cache;
use crate::app::sale::feed;
use crate::app::sale::restore;
use crate::app::sale::tell;
use crate::app::sale::{blocks, cancel};
use crate::app::seating;
use crate::faces::publisher;
use crate::faces::{account, box_office, desk, door, front, live, shop, webhooks};
use crate::wire::world::World;
use crate::workers::consumer::{self, fallback};
use crate::workers::payment_consumer;
use crate::workers::relay;

/// The ports by the name that both give them, then what is given on to a step that is shared.
macro_rules! needs {
    ($needs:ty: $($port:ident)*; $($step:ident)*) => {
        impl From<&World> for $needs {
            fn from(world: &World) -> Self {
                Self { $($port: world.$port.clone(),)* $($step: world.into(),)* }
            }
        }
    };
}

needs!(tell::Needs: notices deadlines faults;);
needs!(restore::Needs: turnstile recording restoring clock faults; tell);
needs!(feed::Needs: catalogue accounts restoring turnstile news clock;);
needs!(money::Needs: reservations orders paying refunds catalogue payments clock faults; tell);
needs!(audit::Needs: auditing restoring outbox turnstile payments parked clock;);
needs!(publisher::Needs: attempts news clock;);
needs!(consumer::Needs: attempts turnstile recording clock faults; tell restore announce);
needs!(fallback::Needs: fallbacks recording; restore announce);
needs!(payment_consumer::Needs:
    deadlines turnstile recording sweeping restoring catalogue holders depths lagging clock faults;
    tell restore money announce);
needs!(relay::Needs: outbox events clock faults;);
needs!(mail::Needs: letters accounts codes catalogue events clock;);
needs!(receipts::Needs: archive catalogue accounts orders admissions holders events clock faults;);
needs!(tend::Needs: retention turnstile clock; audit);
needs!(seating::Needs: plans clock;);
needs!(operator::Needs:
    accounts operators auditing journal catalogue restoring fallbacks turnstile payments parked clock;
    audit tend restore seating);
needs!(blocks::Needs: turnstile attempts blocks clock faults; tell);
needs!(cancel::Needs: reservations clock faults; tell);
needs!(catalogue_cache::Needs: catalogue restoring showcase clock;);
needs!(front::Needs: accounts sessions idempotency ledger_time clock faults; board);
needs!(second_factor::Needs: second_factors clock;);
needs!(account::Needs: accounts codes sessions tries orders catalogue clock; second_factor);
needs!(admission::Needs: past places;);
needs!(shop::Needs: reservations orders refunds catalogue payments plans; money cancel admission);
needs!(live::Needs: notices reservations orders;);
needs!(desk::Needs:
    turnstile parked orders refunds restoring auditing journal catalogue drafts blocks reports payments clock;
    money announce audit blocking seating);
needs!(door::Needs: admissions;);
needs!(webhooks::Needs: payments; money);
needs!(at_once::Needs: attempts reservations clock;);
needs!(box_office::Needs: orders reservations attempts turnstile fallbacks journal; money counter);
