//! The press: threads that do nothing but print, run only where a core has nothing else to do, and rest when that is seldom. A shop
//! under load keeps its cores; what is printed meanwhile is printed in the gaps.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::{mpsc, oneshot};

use crate::app::receipts::Settings;
use crate::app::receipts::fonts::Fonts;
use crate::app::receipts::metric::Metric;
use crate::app::receipts::pdf;
use crate::app::receipts::sheet::Sheet;
use crate::app::receipts::stencil::Stencils;
use crate::kit::work::lifecycle::thread;
use crate::ports::{Fault, Result};

/// Why there is no page.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unprinted {
    /// What cannot be printed cannot be printed tomorrow.
    #[error("{0}")]
    Never(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<Unprinted> for Fault {
    fn from(unprinted: Unprinted) -> Self {
        match unprinted {
            Unprinted::Never(why) => Fault::new("press", why),
            Unprinted::Fault(fault) => fault,
        }
    }
}

/// Pages that took so many times their processor time were kept waiting: others want the cores.
const CROWDED: f64 = 1.2;
/// Judged by so much of printing: one page is so short that whoever wakes for a moment would make a crowd.
const JUDGED: Duration = Duration::from_millis(10);
/// Then the press rests so many times as long as it worked. Even a gap is not free: what is printed in it pushes the sale's data
/// out of the caches.
const REST: u32 = 19;

/// Where sheets wait to be printed.
fn line(settings: &Settings) -> (mpsc::Sender<Job>, mpsc::Receiver<Job>) {
    mpsc::channel(settings.pdf_waiting_max.max(1))
}

/// How a sheet becomes a PDF.
trait Print: Fn(&Sheet) -> Result<Vec<u8>, String> + Clone + Send + 'static {}

impl<F: Fn(&Sheet) -> Result<Vec<u8>, String> + Clone + Send + 'static> Print for F {}

type Job = (Sheet, oneshot::Sender<Result<Vec<u8>, String>>);

pub struct Press {
    jobs: mpsc::Sender<Job>,
    waiting: AtomicU64,
    made: AtomicU64,
}

impl Press {
    pub fn new(settings: &Settings) -> Self {
        let stencils = Arc::new(Stencils::default());
        Self::printing(settings, move |sheet| {
            let fonts = Fonts::get();
            let stencil = stencils.of(&sheet.item, sheet.locale, fonts)?;
            pdf::print(sheet, &stencil, fonts)
        })
    }

    /// The threads end when the press is dropped and what waits is printed.
    fn printing(settings: &Settings, print: impl Print) -> Self {
        let (jobs, queue) = line(settings);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..settings.pdf_jobs_max.max(1) {
            let (queue, print) = (queue.clone(), print.clone());
            thread("press", move || work(&queue, print)).expect("the system has room for one more thread");
        }
        Self { jobs, waiting: AtomicU64::new(0), made: AtomicU64::new(0) }
    }

    /// `None` when there is no place to wait, and `waits` says not to wait for one.
    pub async fn print(&self, sheet: Sheet, waits: bool) -> Result<Option<Vec<u8>>, Unprinted> {
        let (tell, told) = oneshot::channel();
        let _waiting = Waiting::count(&self.waiting);
        let closed = || Fault::new("receipts", "the press is closed");
        if waits {
            self.jobs.send((sheet, tell)).await.map_err(|_| closed())?;
        } else {
            match self.jobs.try_send((sheet, tell)) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => return Ok(None),
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(closed().into()),
            }
        }
        let printed = told.await.map_err(|_| closed())?;
        printed.map(Some).map_err(Unprinted::Never)
    }

    /// Returns when no thread prints any more.
    pub async fn closed(&self) {
        self.jobs.closed().await;
    }

    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }

    /// One more was printed and kept.
    pub fn made(&self) {
        self.made.fetch_add(1, Ordering::AcqRel);
    }

    pub fn made_so_far(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }
}

/// One waiting request, until it is dropped.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn count(waiting: &'a AtomicU64) -> Self {
        metrics::gauge!(Metric::Waiting.name()).set((waiting.fetch_add(1, Ordering::AcqRel) + 1) as f64);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        metrics::gauge!(Metric::Waiting.name()).set((self.0.fetch_sub(1, Ordering::AcqRel) - 1) as f64);
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>, print: impl Print) {
    // Lower than the nicest: any thread that wakes takes the core at once, where a nice thread may end its slice first. Of this
    // thread alone. A system that refuses prints at the priority of all other threads.
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
        tracing::debug!(%error, "the printing thread's priority could not be lowered");
    }
    let mut pace = Pace::default();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some((sheet, tell)) = job else { return };
        let (begun, worked) = (Instant::now(), processor_time());
        let printed = catch_unwind(AssertUnwindSafe(|| print(&sheet)));
        let _ = tell.send(printed.unwrap_or_else(|_| Err("the press broke".to_owned())));
        std::thread::sleep(pace.rest(begun.elapsed(), processor_time().saturating_sub(worked)));
    }
}

/// Of the pages since it was judged last: how long they took, and what they had of a core.
#[derive(Default)]
struct Pace {
    took: Duration,
    worked: Duration,
}

impl Pace {
    /// How long to rest after one more page.
    fn rest(&mut self, took: Duration, worked: Duration) -> Duration {
        self.took += took;
        self.worked += worked;
        if self.took < JUDGED {
            return Duration::ZERO;
        }
        let Pace { took, worked } = std::mem::take(self);
        if took > worked.mul_f64(CROWDED) { worked * REST } else { Duration::ZERO }
    }
}

/// Of this thread.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    fn sheet() -> Sheet {
        Sheet {
            order: "N".to_owned(),
            item: "A lamp".to_owned(),
            buyer: None,
            amount: crate::domain::shared::money::Money { minor: 1, currency: "TWD".parse().expect("a currency") },
            placed_at: crate::domain::shared::time::Timestamp(0),
            locale: crate::domain::shared::locale::Locale::En,
            utc_offset_minutes: 0,
            units: Vec::new(),
        }
    }

    #[tokio::test]
    async fn so_many_receipts_are_printed_at_once() {
        let ((begin, begun), (end, ended)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
        let ended = Arc::new(Mutex::new(ended));
        let settings = Settings { pdf_jobs_max: 2, pdf_waiting_max: 9, ..Settings::default() };
        let press = Press::printing(&settings, move |_| {
            begin.send(()).expect("the test listens");
            ended.lock().expect("no thread panics while waiting").recv().expect("the test ends it");
            Ok(Vec::new())
        });
        let mut prints: Vec<_> = (0..3).map(|_| Box::pin(press.print(sheet(), false))).collect();
        for print in &mut prints {
            assert!(poll!(print).is_pending());
        }
        (0..2).for_each(|_| begun.recv().expect("two print"));
        let long = Duration::from_millis(100);
        assert!(begun.recv_timeout(long).is_err(), "the third waits");
        end.send(()).expect("one of them waits for it");
        begun.recv().expect("the third prints");
        (0..2).for_each(|_| end.send(()).expect("they wait for it"));
        for print in prints {
            assert_eq!(print.await, Ok(Some(Vec::new())));
        }
    }

    #[test]
    fn a_press_rests_when_others_want_the_cores() {
        let ms = Duration::from_millis;
        let mut pace = Pace::default();
        assert_eq!(pace.rest(ms(10), ms(10)), ms(0));
        assert_eq!(pace.rest(ms(11), ms(10)), ms(0));
        assert_eq!(pace.rest(ms(30), ms(10)), ms(190));
        // Short pages are judged together.
        assert_eq!(
            [(4, 2), (4, 2), (4, 2), (9, 1)].map(|(took, worked)| pace.rest(ms(took), ms(worked))),
            [ms(0), ms(0), ms(114), ms(0)]
        );
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_for_the_press_comes_again() {
        // The queue is never read, so that requests keep waiting.
        let (jobs, _queue) = line(&Settings { pdf_waiting_max: 2, ..Settings::default() });
        let press = Press { jobs, waiting: AtomicU64::new(0), made: AtomicU64::new(0) };
        let mut first = Box::pin(press.print(sheet(), false));
        let mut second = Box::pin(press.print(sheet(), false));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        assert_eq!(press.print(sheet(), false).await, Ok(None));
        assert_eq!(press.waiting(), 2);
    }
}
