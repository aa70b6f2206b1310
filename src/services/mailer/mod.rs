//! Writes to people about what happened to them, and sees that it arrives.
//!
//! A letter is due about every event that is somebody's, and an event may come twice: the log of letters says what was sent.
//! Where there is a queue to post letters to, they are delivered from there; otherwise they are delivered from the log, here.
//! A second mail is sent only when a process dies between the mail server's word and its own mark, and it is the same mail.

pub mod compose;
pub mod deliver;
mod listen;
mod measure;
pub mod metric;
mod postman;
pub mod render;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Notify;

pub use crate::services::mailer::listen::{Listening, Way};
pub use crate::services::mailer::postman::Postman;

use crate::ports::World;
use crate::ports::archive::Boxed;
use crate::ports::mail::{Carrier, Post};
use crate::runtime::config::Secret;
use crate::runtime::lifecycle::Lifecycle;
use crate::services::mailer::metric::Metric;
use crate::services::patience::Backoff;
use crate::services::serve::serve;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `smtp://user:password@host:port`, with `?tls=required` for STARTTLS; `smtps://…` for TLS from the start. Without one,
    /// an embedded shop writes its mails into its folder.
    pub smtp_url: Secret,
    /// The queue that the mailer function is fed from. Without one, letters are delivered by the payment-consumer.
    pub queue_url: String,
    /// Where mails are written as files when there is no mail server. An embedded shop has a folder of its own for them.
    pub folder: PathBuf,
    /// Who writes.
    pub from_name: String,
    pub from_address: String,
    /// Behind the @ of every message id, and what we call ourselves to a mail server.
    pub domain: String,
    /// Where a letter sends its reader. An embedded shop knows it by itself.
    pub shop_url: String,
    /// How far the clocks that letters and receipts speak of are ahead of UTC; gateways and payment-consumers need the same.
    pub utc_offset_minutes: i16,
    /// Events taken at once.
    pub events_max: usize,
    /// Mails on their way out at the same time.
    pub carriers_max: usize,
    /// Between two looks for letters that are due.
    pub look_ms: u64,
    /// How long a mail server may take for one mail.
    pub carry_ms_max: u64,
    /// How long everything about one letter may take.
    pub deliver_ms_max: u64,
    /// How much longer a letter stays claimed: then its owner counts as dead, and another begins.
    pub claim_beyond_ms: u64,
    /// The wait before a letter's second try; each later one is twice as long, up to the longest.
    pub again_ms: i64,
    pub again_ms_max: i64,
    /// A letter that nobody took for this long is given up.
    pub keep_trying_ms_max: i64,
    /// A receipt that cannot be found for this long is no longer waited for: the letter says where to get it.
    pub receipt_ms_max: i64,
    /// Bytes of a receipt, at most; a larger one is not attached.
    pub receipt_bytes_max: usize,
    pub backoff: Backoff,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            smtp_url: Secret::default(),
            queue_url: String::new(),
            folder: PathBuf::new(),
            from_name: "Miaosha".to_owned(),
            from_address: "shop@miaosha.invalid".to_owned(),
            domain: "miaosha.invalid".to_owned(),
            shop_url: String::new(),
            utc_offset_minutes: 0,
            events_max: 64,
            carriers_max: 8,
            look_ms: 1_000,
            carry_ms_max: 30_000,
            deliver_ms_max: 45_000,
            claim_beyond_ms: 15_000,
            again_ms: 1_000,
            again_ms_max: 300_000,
            keep_trying_ms_max: 259_200_000,
            receipt_ms_max: 600_000,
            receipt_bytes_max: 8_388_608,
            backoff: Backoff::default(),
        }
    }
}

/// A receipt, and where it is kept.
pub struct Receipt {
    pub key: String,
    pub bytes: Vec<u8>,
}

/// Where receipts come from: one that was not made yet is made now.
pub trait Receipts: Send + Sync + 'static {
    /// `None` when there are none for this order.
    fn receipt<'a>(&'a self, order: &'a str) -> Boxed<'a, Option<Receipt>>;
}

pub type AnyReceipts = Arc<dyn Receipts>;

/// Where the letters of this process go.
pub enum Office {
    /// Out of the house, from here.
    Carrier(Arc<dyn Carrier>),
    /// To a queue, from which others deliver.
    Queue(Arc<dyn Post>),
    /// Nowhere yet: they wait in the log until somebody can carry them.
    Closed,
}

/// Hears and delivers until the soft stop; what was begun is finished.
pub async fn run<W: World>(
    world: W,
    settings: Settings,
    office: Office,
    receipts: Option<AnyReceipts>,
    lifecycle: Lifecycle,
) {
    Metric::describe();
    let told = Arc::new(Notify::new());
    let (way, carrier) = match office {
        Office::Carrier(carrier) => (Way::Log(told.clone()), Some(carrier)),
        Office::Queue(post) => (Way::Queue(post), None),
        Office::Closed => (Way::Log(told.clone()), None),
    };
    let listening = Listening { world: world.clone(), settings: settings.clone(), way, receipts: receipts.clone() };
    let listens = serve(&listening, &settings.backoff, &lifecycle);
    let delivers = async {
        if let Some(carrier) = carrier {
            let postman = Postman::new(world.clone(), settings.clone(), carrier, receipts, told);
            Arc::new(postman).run(&lifecycle).await;
        }
    };
    tokio::join!(listens, delivers, measure::measure(&world, &lifecycle));
}
