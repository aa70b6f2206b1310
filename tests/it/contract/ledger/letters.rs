//! What a log of letters does.

use futures_util::future::join_all;
use miaosha::domain::shared::event::{Cancelled, Event, Fact};
use miaosha::domain::shared::id::{BuyerId, EventId, ReservationId, SaleId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::mail::log::{Claimed, Ending, MailLog, Unsent};

const LEASE_MS: i64 = 1_000;
const AT: Timestamp = Timestamp(1_767_225_600_000);

pub fn event(number: u128) -> Event {
    let fact = Cancelled { reservation: ReservationId(number), sale: SaleId(7), buyer: BuyerId(u64::MAX), quantity: 2 };
    Event::new(Fact::Cancelled(fact), 1, AT)
}

async fn claim(log: &impl MailLog, id: EventId, at: Timestamp) -> Claimed {
    log.claim(id, "cancelled", at, LEASE_MS).await.unwrap()
}

pub async fn a_letter_is_kept_once_and_is_due_until_it_is_done(log: impl MailLog) {
    let (one, other) = (event(1), event(2));
    log.keep(&[], AT).await.unwrap();
    log.keep(&[one.clone(), other.clone(), one.clone()], AT).await.unwrap();
    assert_eq!(log.due(AT.plus_ms(-1), 10).await.unwrap(), []);
    let due = log.due(AT, 10).await.unwrap();
    assert_eq!(due.len(), 2);
    assert!(due.contains(&one) && due.contains(&other), "an event comes back as it was");
    assert_eq!(log.due(AT, 1).await.unwrap().len(), 1);
    assert_eq!(claim(&log, one.id, AT).await, Claimed::Mine { tries: 1, kept_at: AT });
    assert_eq!(log.due(AT, 10).await.unwrap(), std::slice::from_ref(&other));
    log.end(one.id, 1, Ending::Sent, AT).await.unwrap();
    log.keep(std::slice::from_ref(&one), AT.plus_ms(9)).await.unwrap();
    assert_eq!(log.due(AT.plus_ms(LEASE_MS * 9), 10).await.unwrap(), [other], "what is done is never due again");
    assert_eq!(claim(&log, one.id, AT.plus_ms(LEASE_MS * 9)).await, Claimed::Done);
}

pub async fn of_many_who_claim_a_letter_one_has_it(log: impl MailLog) {
    for number in 0..8 {
        let id = event(number).id;
        if number % 2 == 0 {
            log.keep(&[event(number)], AT).await.unwrap();
        }
        let claims = join_all((0..8).map(|_| claim(&log, id, AT))).await;
        let mine = claims.iter().filter(|claimed| matches!(claimed, Claimed::Mine { .. })).count();
        assert_eq!(mine, 1, "{claims:?}");
        assert!(claims.iter().all(|claimed| !matches!(claimed, Claimed::Done)), "{claims:?}");
    }
}

pub async fn the_claim_of_who_died_runs_out(log: impl MailLog) {
    let id = event(1).id;
    assert_eq!(claim(&log, id, AT).await, Claimed::Mine { tries: 1, kept_at: AT });
    assert_eq!(claim(&log, id, AT.plus_ms(LEASE_MS - 1)).await, Claimed::Elsewhere);
    let later = AT.plus_ms(LEASE_MS);
    assert_eq!(claim(&log, id, later).await, Claimed::Mine { tries: 2, kept_at: AT });
    // The first one wakes: what it gave up or was refused is not for it to say any more.
    log.put_off(id, 1, AT).await.unwrap();
    log.end(id, 1, Ending::Refused { why: "late".into() }, later).await.unwrap();
    log.end(id, 1, Ending::Nobody, later).await.unwrap();
    assert_eq!(claim(&log, id, later).await, Claimed::Elsewhere);
    // What it sent is sent.
    log.end(id, 1, Ending::Sent, later).await.unwrap();
    assert_eq!(claim(&log, id, later.plus_ms(LEASE_MS)).await, Claimed::Done);
    log.end(id, 2, Ending::Refused { why: "second".into() }, later).await.unwrap();
    assert_eq!(log.unsent().await.unwrap(), Unsent::default(), "the first ending stays");
}

pub async fn the_claims_of_the_dead_are_void(log: impl MailLog) {
    let event = event(1);
    log.keep(std::slice::from_ref(&event), AT).await.unwrap();
    claim(&log, event.id, AT).await;
    log.void_claims(AT.plus_ms(1)).await.unwrap();
    assert_eq!(log.due(AT.plus_ms(1), 9).await.unwrap(), std::slice::from_ref(&event));
    // A worker that did not crash after all has lost the claim, like any whose lease ran out.
    log.put_off(event.id, 1, AT.plus_ms(LEASE_MS)).await.unwrap();
    assert!(matches!(claim(&log, event.id, AT.plus_ms(1)).await, Claimed::Mine { .. }));
}

pub async fn a_letter_that_is_put_off_is_due_later(log: impl MailLog) {
    let event = event(1);
    log.keep(std::slice::from_ref(&event), AT).await.unwrap();
    claim(&log, event.id, AT).await;
    log.put_off(event.id, 1, AT.plus_ms(50)).await.unwrap();
    assert_eq!(claim(&log, event.id, AT.plus_ms(49)).await, Claimed::Elsewhere);
    assert_eq!(log.due(AT.plus_ms(49), 9).await.unwrap(), []);
    assert_eq!(log.due(AT.plus_ms(50), 9).await.unwrap(), std::slice::from_ref(&event));
    assert_eq!(claim(&log, event.id, AT.plus_ms(50)).await, Claimed::Mine { tries: 2, kept_at: AT });
}

pub async fn what_is_unsent_or_refused_is_counted(log: impl MailLog) {
    assert_eq!(log.unsent().await.unwrap(), Unsent::default());
    let events = [event(1), event(2), event(3), event(4)];
    log.keep(&events[..1], AT).await.unwrap();
    log.keep(&events[1..], AT.plus_ms(5)).await.unwrap();
    let why = "名".repeat(1_000);
    let endings = [Ending::Refused { why }, Ending::Nobody, Ending::Sent];
    for (event, ending) in events.iter().zip(endings) {
        claim(&log, event.id, AT.plus_ms(5)).await;
        log.end(event.id, 1, ending, AT.plus_ms(6)).await.unwrap();
    }
    let unsent = log.unsent().await.unwrap();
    assert_eq!(unsent, Unsent { letters: 1, oldest: Some(AT.plus_ms(5)), refused: 1 });
    // A letter that only a queue knows of has no event, and is not looked for here.
    claim(&log, event(5).id, AT).await;
    assert_eq!(log.due(AT.plus_ms(LEASE_MS * 2), 9).await.unwrap(), [events[3].clone()]);
}
