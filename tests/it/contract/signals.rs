//! What wakes and tells: alarms ring once their time is over and again until they are acknowledged; notices and news reach
//! everybody who listens.

use std::time::{Duration, Instant};

use miaosha::domain::sale::notice::{Missed, Notice};
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::sale::{Allotment, Question, QuestionKey, Sale, SaleState, StandbyUntil};
use miaosha::domain::shared::id::{BuyerId, ItemId, ReservationId, SaleId};
use miaosha::domain::shared::money::{Currency, Money};
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::sale::deadlines::{Deadline, Deadlines};
use miaosha::ports::sale::feed::{NewsRequest, SaleFeed, SaleNews, SaleSnapshot};
use miaosha::ports::sale::notices::{NoticeItem, NoticeStream, Notices};
use miaosha::ports::{Result, Subscription};

use super::attempts::patiently;

pub fn deadline(sale: u64) -> Deadline {
    Deadline {
        sale: SaleId(sale),
        reservations: vec![ReservationId(u128::from(sale) << 80), ReservationId(7)],
        traced: Vec::new(),
    }
}

pub fn notice(number: u64) -> Notice {
    Notice {
        sale: SaleId(1),
        buyer: BuyerId(number),
        reservation: ReservationId(u128::from(number)),
        state: Kind::Held,
        version: 1,
        lapses_at: Some(Timestamp(5)),
        trace: None,
    }
}

pub fn bulletin<const N: usize>(sales: [SaleNews; N]) -> SaleSnapshot {
    let sent_at = sales.iter().map(|word| word.sent_at).max().unwrap_or_default();
    SaleSnapshot { sent_at, sales: sales.into(), ..SaleSnapshot::default() }
}

pub fn news(sale: u64, revision: u64) -> SaleNews {
    let sale = Sale {
        id: SaleId(sale),
        item: ItemId(1),
        title: "a chair — “stuhl”".to_owned(),
        price: Money { minor: 1_000, currency: "EUR".parse::<Currency>().unwrap() },
        allotment: Allotment { capacity: 10, quantity_max: 2, standby_max: 3 },
        standby_until: StandbyUntil::default(),
        hold_ms: 1_000,
        opens_at: Timestamp(1),
        closes_at: Timestamp(2),
        state: SaleState::Active,
        version: 1,
        generation: 1,
        questions: vec![Question { prompt: "2 + 2".to_owned(), answer: "4".to_owned() }],
        question_key: QuestionKey([7; 32]),
        draft: false,
    };
    SaleNews { sale, exhausted: Some(false), generation: 1, revision, sent_at: Timestamp(revision as i64) }
}

async fn ring(deadlines: &mut Box<dyn Subscription<Deadline>>) -> Deadline {
    let mut rung = patiently(deadlines.next(1)).await.unwrap();
    assert_eq!(rung.len(), 1);
    let delivery = rung.remove(0);
    let deadline = delivery.body().clone();
    delivery.ack().await.unwrap();
    deadline
}

/// Never early, in the order in which they were set; one that is asked for at once waits for no other.
pub async fn deadlines_ring(signals: &impl Deadlines) {
    let mut deadlines = signals.deadlines().await.unwrap();
    let begun = Instant::now();
    signals.schedule(deadline(3), 600).await.unwrap();
    signals.schedule(deadline(4), 900).await.unwrap();
    signals.schedule(deadline(2), 300).await.unwrap();
    signals.schedule(deadline(1), 0).await.unwrap();
    assert_eq!(ring(&mut deadlines).await, deadline(1));
    // A shorter one may wait behind a longer one.
    let mut rung = Vec::new();
    for _ in 0..3 {
        let sale = ring(&mut deadlines).await.sale.0;
        assert!(begun.elapsed() >= Duration::from_millis((sale - 1) * 300), "{sale} rang early");
        rung.push(sale);
    }
    assert!(rung.iter().position(|sale| *sale == 3) < rung.iter().position(|sale| *sale == 4), "{rung:?}");
    rung.sort_unstable();
    assert_eq!(rung, [2, 3, 4]);
}

/// Holds of any lengths, those that fit in no class among them, have an alarm that is taken.
pub async fn any_hold_has_an_alarm(signals: &impl Deadlines) {
    for hold_ms in [1, 9_999, 10_000, 10_001, 61_000, 599_999, 3_600_001, 86_400_000, 90_000_000] {
        signals.schedule(deadline(1), hold_ms).await.unwrap();
    }
    assert_eq!(ring(&mut signals.deadlines().await.unwrap()).await, deadline(1));
}

/// One that was not acknowledged rings again, for the subscribers of that time.
pub async fn a_dropped_deadline_rings_again(signals: &impl Deadlines) {
    let mut deadlines = signals.deadlines().await.unwrap();
    signals.schedule(deadline(1), 0).await.unwrap();
    let rung = patiently(deadlines.next(10)).await.unwrap();
    assert_eq!(rung[0].body(), &deadline(1));
    drop((rung, deadlines));
    let mut deadlines = signals.deadlines().await.unwrap();
    assert_eq!(ring(&mut deadlines).await, deadline(1));
    signals.schedule(deadline(2), 0).await.unwrap();
    assert_eq!(ring(&mut deadlines).await, deadline(2), "what is acknowledged does not ring again");
}

/// Several listen, each alarm rings for one of them.
pub async fn a_deadline_rings_once(signals: &impl Deadlines) {
    let mut one = signals.deadlines().await.unwrap();
    let mut other = signals.deadlines().await.unwrap();
    for sale in 0..20 {
        signals.schedule(deadline(sale), 20).await.unwrap();
    }
    let mut rung = Vec::new();
    while rung.len() < 20 {
        let next = async {
            tokio::select! {
                rung = one.next(3) => rung,
                rung = other.next(3) => rung,
            }
        };
        for delivery in patiently(next).await.unwrap() {
            rung.push(delivery.body().sale.0);
            delivery.ack().await.unwrap();
        }
    }
    rung.sort_unstable();
    assert_eq!(rung, (0..20).collect::<Vec<_>>());
}

/// The next notices; what is said to be missed is passed over.
pub async fn told(stream: &mut Box<dyn NoticeStream>) -> Result<Vec<Notice>> {
    loop {
        if let NoticeItem::Notices(notices) = stream.next().await? {
            return Ok(notices);
        }
    }
}

/// What is said to be missed next; notices are passed over.
pub async fn missed(stream: &mut Box<dyn NoticeStream>) -> Missed {
    loop {
        if let NoticeItem::Missed(missed) = patiently(stream.next()).await.unwrap() {
            return missed;
        }
    }
}

async fn heard(stream: &mut Box<dyn NoticeStream>, count: usize) -> Vec<Notice> {
    let mut heard = Vec::new();
    while heard.len() < count {
        heard.extend(patiently(told(stream)).await.unwrap());
    }
    heard
}

/// Where no notice could be made, all subscribers get that one was missed, and in which sale.
pub async fn what_is_missed_is_said(signals: &impl Notices) {
    let mut streams = [signals.notices().await.unwrap(), signals.notices().await.unwrap()];
    signals.missed(SaleId(7));
    for stream in &mut streams {
        let missed = missed(stream).await;
        assert!(matches!(&missed, Missed::Sales(sales) if sales.len() == 1 && sales[0].0 == SaleId(7)), "{missed:?}");
    }
    signals.tell(&[notice(1)]).await.unwrap();
    for stream in &mut streams {
        let next = patiently(stream.next()).await.unwrap();
        assert_eq!(next, NoticeItem::Notices(vec![notice(1)]), "it is said once");
    }
}

pub async fn notices_reach_everybody(signals: &impl Notices) {
    let mut streams = [signals.notices().await.unwrap(), signals.notices().await.unwrap()];
    signals.tell(&[]).await.unwrap();
    signals.tell(&[notice(1), notice(2)]).await.unwrap();
    signals.tell(&[notice(3)]).await.unwrap();
    for stream in &mut streams {
        assert_eq!(heard(stream, 3).await, [notice(1), notice(2), notice(3)]);
    }
    drop(streams);
    signals.tell(&[notice(4)]).await.unwrap();
    let mut late = signals.notices().await.unwrap();
    signals.tell(&[notice(5)]).await.unwrap();
    assert_eq!(heard(&mut late, 1).await, [notice(5)]);
}

pub async fn news_reach_everybody(signals: &impl SaleFeed) {
    let mut streams = [signals.news().await.unwrap(), signals.news().await.unwrap()];
    signals.publish(&SaleSnapshot { sent_at: Timestamp(7), ..SaleSnapshot::default() }).await.unwrap();
    signals.publish(&bulletin([news(1, 4), news(2, 5)])).await.unwrap();
    for stream in &mut streams {
        let quiet = patiently(stream.next()).await.unwrap();
        assert_eq!((quiet.sent_at, quiet.sales.len()), (Timestamp(7), 0), "the time is told when nothing is on sale");
        let heard = patiently(stream.next()).await.unwrap();
        let words: Vec<_> = heard.sales.iter().map(|word| (&word.sale, word.revision)).collect();
        assert_eq!(words, [(&news(1, 4).sale, 4), (&news(2, 5).sale, 5)]);
    }
}

/// Several listen, and each request is given to one of them.
pub async fn a_request_is_heard_once(signals: &impl SaleFeed) {
    let mut streams = [signals.requests().await.unwrap(), signals.requests().await.unwrap()];
    let some = NewsRequest::Sales { sales: vec![SaleId(1), SaleId(2)] };
    let everything = |number| NewsRequest::Everything { number };
    signals.request(&some).await.unwrap();
    for number in 0..20 {
        signals.request(&everything(number)).await.unwrap();
    }
    let mut heard = Vec::new();
    while heard.len() < 21 {
        let [one, other] = &mut streams;
        let next = async {
            tokio::select! {
                requests = one.next() => requests,
                requests = other.next() => requests,
            }
        };
        heard.extend(patiently(next).await.unwrap());
    }
    let place = |request: &NewsRequest| heard.iter().filter(|heard| *heard == request).count();
    assert_eq!(place(&some), 1);
    assert!((0..20).all(|number| place(&everything(number)) == 1), "{heard:?}");
}
