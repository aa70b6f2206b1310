//! Writes to people about what happened to them, and sees that it arrives.
//!
//! A letter is due about every event that concerns a buyer, and an event may come twice: the log of letters says what was sent.
//! Where there is a queue to post letters to, they are delivered from there; otherwise they are delivered from the log, here.
//! A second mail is sent only when a process crashes between the mail server's answer and its own mark, and it is the same mail.

mod delivery;
mod listen;
mod measure;

use std::sync::Arc;

use tokio::sync::Notify;

pub use crate::workers::mailer::delivery::DeliveryWorker;
pub use crate::workers::mailer::listen::{Listening, Way};

use crate::app::mail::metric::Metric;
use crate::app::mail::{AnyReceipts, Needs, Settings};
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::serve::serve;
use crate::ports::mail::transport::{MailQueue, MailSender};

/// Where the letters of this process go.
pub enum MailTransport {
    /// Out of the house, from here.
    Sender(Arc<dyn MailSender>),
    /// To a queue, from which others deliver.
    Queue(Arc<dyn MailQueue>),
    /// Nowhere yet: they wait in the log until a process can send them.
    Closed,
}

/// Receives events and delivers letters until the soft stop; what was begun is finished.
pub async fn run(
    needs: Needs,
    settings: Settings,
    office: MailTransport,
    receipts: Option<AnyReceipts>,
    lifecycle: Lifecycle,
) {
    Metric::describe();
    let told = Arc::new(Notify::new());
    let (way, carrier) = match office {
        MailTransport::Sender(carrier) => (Way::Log(told.clone()), Some(carrier)),
        MailTransport::Queue(post) => (Way::Queue(post), None),
        MailTransport::Closed => (Way::Log(told.clone()), None),
    };
    let listening = Listening { needs: needs.clone(), settings: settings.clone(), way, receipts: receipts.clone() };
    let listens = serve(&listening, &settings.backoff, &lifecycle);
    let delivers = async {
        if let Some(carrier) = carrier {
            let postman = DeliveryWorker::new(needs.clone(), settings.clone(), carrier, receipts, told);
            Arc::new(postman).run(&lifecycle).await;
        }
    };
    tokio::join!(listens, delivers, measure::measure(&needs, &lifecycle));
}
