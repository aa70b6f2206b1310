//! What runs beside the requests: notices from the broker to who waits for them, and a look at the ledger for `/readyz`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::domain::sale::notice::{Missed, Notice};
use crate::domain::shared::trace::Mark;
use crate::faces::gateway::Gateway;
use crate::faces::gateway::metric::Metric;
use crate::kit::telemetry::trace::Span;
use crate::kit::telemetry::traced::{Way, processes};
use crate::ports::Result;
use crate::ports::sale::notices::NoticeItem;

/// Before subscribing again, in milliseconds.
const RESUBSCRIBE_MS: u64 = 500;
/// Between looks at the ledger, and for one at most.
const LOOK_MS: u64 = 1_000;

/// Until the soft stop.
pub async fn hear(gateway: &Gateway) {
    let endless = async {
        loop {
            if let Err(fault) = hear_until_it_fails(gateway).await {
                tracing::warn!(fault.part = fault.part, "no notices come: {fault}");
            }
            gateway.0.hears.send_replace(false);
            tokio::time::sleep(Duration::from_millis(RESUBSCRIBE_MS)).await;
        }
    };
    tokio::select! {
        () = endless => {}
        () = gateway.stopping() => {}
    }
}

async fn hear_until_it_fails(gateway: &Gateway) -> Result<()> {
    let mut stream = gateway.needs().notices.notices().await?;
    // Who waits looks once more now: what was told before this moment went past us.
    gateway.0.hears.send_replace(true);
    gateway.registry().missed();
    loop {
        let mut notices = match stream.next().await? {
            NoticeItem::Notices(notices) => notices,
            NoticeItem::Missed(missed) => {
                look_again(gateway, missed);
                continue;
            }
        };
        metrics::counter!(Metric::Notices.name()).increment(notices.len() as u64);
        let _span = told_here(gateway, &mut notices);
        for notice in &notices {
            gateway.registry().tell(notice);
        }
    }
}

fn look_again(gateway: &Gateway, missed: Missed) {
    let count = |of: &'static str, age_ms: u64| {
        metrics::histogram!(Metric::MissedSeconds.name(), "of" => of).record(age_ms as f64 / 1_000.0);
    };
    match missed {
        Missed::All { age_ms } => {
            count("all", age_ms);
            gateway.0.missed.store(true, Ordering::Release);
        }
        Missed::Sales(sales) => {
            for (sale, age_ms) in sales {
                count("sale", age_ms);
                gateway.look_again(sale);
            }
        }
    }
}

/// In the traces of those among them that somebody waits for here: every other gateway hears of them, too.
fn told_here(gateway: &Gateway, notices: &mut [Notice]) -> Span {
    for notice in notices.iter_mut().filter(|notice| notice.trace.is_some()) {
        if !gateway.registry().is_awaited(notice.buyer) {
            notice.trace = None;
        }
    }
    let marks: Vec<Mark> = notices.iter().filter_map(Notice::mark).collect();
    let span = processes(Way::Notices, notices.len(), &marks);
    Notice::take_marks(notices, &span.marks());
    span
}

/// Until the soft stop.
pub async fn watch_ledger(gateway: &Gateway) {
    let pause = Duration::from_millis(LOOK_MS);
    while !gateway.is_stopping() {
        // A gateway that does not know who logged out lets nobody in by readiness.
        let asked = async {
            gateway.needs().ledger_time.time().await?;
            gateway.learn_revocations().await
        };
        let answer = tokio::time::timeout(pause, asked).await;
        let answers = matches!(answer, Ok(Ok(_)));
        if gateway.0.ledger_answers.swap(answers, Ordering::AcqRel) != answers {
            tracing::info!(ledger.answers = answers, "the ledger's state changed");
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = gateway.stopping() => {}
        }
    }
}
