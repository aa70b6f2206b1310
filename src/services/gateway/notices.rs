//! What runs beside the requests: notices from the broker to who waits for them, and a look at the ledger for `/readyz`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::domain::notice::{Missed, Notice};
use crate::domain::trace::Mark;
use crate::ports::ledger::Ledger;
use crate::ports::notices::{NoticeItem, NoticeStream, Notices};
use crate::ports::{Result, World};
use crate::runtime::telemetry::trace::Span;
use crate::services::gateway::Gateway;
use crate::services::gateway::metric::Metric;
use crate::services::traced::{Way, processes};

/// Before subscribing again, in milliseconds.
const RESUBSCRIBE_MS: u64 = 500;
/// Between looks at the ledger, and for one at most.
const LOOK_MS: u64 = 1_000;

/// Until the soft stop.
pub async fn hear<W: World>(gateway: &Gateway<W>) {
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

async fn hear_until_it_fails<W: World>(gateway: &Gateway<W>) -> Result<()> {
    let mut stream = gateway.world().signals().notices().await?;
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

fn look_again<W: World>(gateway: &Gateway<W>, missed: Missed) {
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
fn told_here<W: World>(gateway: &Gateway<W>, notices: &mut [Notice]) -> Span {
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
pub async fn watch_ledger<W: World>(gateway: &Gateway<W>) {
    let pause = Duration::from_millis(LOOK_MS);
    while !gateway.is_stopping() {
        // A gateway that does not know who logged out lets nobody in by readiness.
        let asked = async {
            gateway.world().store().time().await?;
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
