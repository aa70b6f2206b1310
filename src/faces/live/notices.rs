//! Notices, from the broker to what waits for them in this process: sockets, and requests of other faces.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::domain::sale::notice::{Missed, Notice};
use crate::domain::shared::trace::Mark;
use crate::faces::live::Live;
use crate::faces::live::metric::Metric;
use crate::kit::telemetry::trace::Span;
use crate::kit::telemetry::traced::{Way, processes};
use crate::ports::Result;
use crate::ports::sale::notices::NoticeItem;

/// Before subscribing again, in milliseconds.
const RESUBSCRIBE_MS: u64 = 500;

/// Until the soft stop.
pub async fn hear(live: &Live) {
    let endless = async {
        loop {
            if let Err(fault) = hear_until_it_fails(live).await {
                tracing::warn!(fault.part = fault.part, fault.what = %fault.what, "the notices subscription ended");
            }
            live.notices_come(false);
            tokio::time::sleep(Duration::from_millis(RESUBSCRIBE_MS)).await;
        }
    };
    tokio::select! {
        () = endless => {}
        () = live.stopping() => {}
    }
}

async fn hear_until_it_fails(live: &Live) -> Result<()> {
    let mut stream = live.needs().notices.notices().await?;
    // Who waits looks once more now: what was told before this moment went past us.
    live.notices_come(true);
    live.registry().missed();
    loop {
        let mut notices = match stream.next().await? {
            NoticeItem::Notices(notices) => notices,
            NoticeItem::Missed(missed) => {
                look_again(live, missed);
                continue;
            }
        };
        metrics::counter!(Metric::Notices.name()).increment(notices.len() as u64);
        let _span = told_here(live, &mut notices);
        for notice in &notices {
            live.registry().tell(notice);
        }
    }
}

fn look_again(live: &Live, missed: Missed) {
    let count = |of: &'static str, age_ms: u64| {
        metrics::histogram!(Metric::MissedSeconds.name(), "of" => of).record(age_ms as f64 / 1_000.0);
    };
    match missed {
        Missed::All { age_ms } => {
            count("all", age_ms);
            live.0.missed.store(true, Ordering::Release);
        }
        Missed::Sales(sales) => {
            for (sale, age_ms) in sales {
                count("sale", age_ms);
                live.look_again(sale);
            }
        }
    }
}

/// Traced only for the notices that a socket or a request of this process waits for: every other process gets them, too.
fn told_here(live: &Live, notices: &mut [Notice]) -> Span {
    for notice in notices.iter_mut().filter(|notice| notice.trace.is_some()) {
        if !live.registry().is_awaited(notice.buyer) {
            notice.trace = None;
        }
    }
    let marks: Vec<Mark> = notices.iter().filter_map(Notice::mark).collect();
    let span = processes(Way::Notices, notices.len(), &marks);
    Notice::take_marks(notices, &span.marks());
    span
}
