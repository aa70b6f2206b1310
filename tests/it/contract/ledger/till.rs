//! Checkouts that begin and end together: each by its own condition, and one that cannot be written fails alone.

use futures_util::future::join_all;
use miaosha::domain::money::order::Order;
use miaosha::domain::money::payment::{DECLINES_MAX, Payment, PaymentState};
use miaosha::domain::sale::reservation::{Kind, Reservation, State};
use miaosha::domain::shared::event::Fact;
use miaosha::domain::shared::id::{BuyerId, PaymentId, RequestId};
use miaosha::domain::shared::money::Money;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::money::paying::{Begin, Begun, Confirmed, Finish, Take, Took};
use miaosha::ports::platform::idempotency::{Answer, Asked, Claim, Fingerprint, Idempotency, Key, Lease};

use super::counter::{Counter, NOW, Store, later};

fn pay(payment: &Payment, buyer: BuyerId) -> Begin {
    Begin { request: None, take: Take::Paying { payment: payment.clone(), buyer } }
}

fn asked<S: Store>(counter: &Counter<S>, key: u8, request: u128) -> Asked {
    let mut bytes = [key; 32];
    bytes[..8].copy_from_slice(&counter.sale.id.0.to_be_bytes());
    Asked {
        key: Key(bytes),
        fingerprints: vec![Fingerprint([7; 32])],
        request: RequestId(request),
        now: NOW,
        leased_until: NOW.plus_ms(1_000),
        expires_at: NOW.plus_ms(60_000),
    }
}

fn answer(body: &str) -> Answer {
    Answer::Kept { status: 201, content_type: "application/json".to_owned(), body: body.as_bytes().to_vec() }
}

async fn begin<S: Store>(store: &S, begins: &[Begin], now: Timestamp) -> Vec<Begun> {
    store.begin_all(begins, now).await.unwrap().into_iter().map(Result::unwrap).collect()
}

/// What was taken, of requests that are nobody else's.
fn took(begun: &Begun) -> &Took {
    let Begun::Here { took, .. } = begun else { panic!("{begun:?}") };
    took
}

fn row_of(begun: &Begun) -> &Reservation {
    let Took::Paying(row) = took(begun) else { panic!("{begun:?}") };
    row
}

fn finish(row: &Reservation, payment: &Payment, number: &str) -> Finish {
    Finish { order: Order::placed(row, payment, number, later()), keep: None }
}

pub async fn checkouts_begin_and_end_together<S: Store>(store: S) {
    let mut counter = Counter::open(store, 5, 1).await;
    let rows = counter.reserved(&[(1, 2), (2, 1), (3, 1), (4, 1), (5, 1)]).await;
    let payments: Vec<Payment> = rows.iter().zip(1..).map(|(row, number)| counter.payment(row, number)).collect();
    let bills = counter.store.bills(&[rows[1].id, rows[0].id, rows[1].id]).await.unwrap();
    let mut billed: Vec<_> = bills.into_iter().map(|bill| (bill.row, bill.price)).collect();
    billed.sort_by_key(|(row, _)| row.buyer);
    assert_eq!(billed, [(rows[0].clone(), counter.sale.price), (rows[1].clone(), counter.sale.price)]);

    counter.store.cancel(rows[3].id, rows[3].buyer, NOW).await.unwrap();
    let mut begins: Vec<Begin> = rows.iter().zip(&payments).map(|(row, payment)| pay(payment, row.buyer)).collect();
    begins.push(Begin { request: None, take: Take::Nothing });
    let Take::Paying { buyer, .. } = &mut begins[2].take else { panic!() };
    *buyer = BuyerId(9);
    let begun = begin(&counter.store, &begins, later().plus_ms(-1)).await;
    for number in [0, 1] {
        let State::Held { units, .. } = rows[number].state.clone() else { panic!() };
        let since = later().plus_ms(-1);
        let state = State::Paying { units, lapses_at: later(), payment: payments[number].id, since };
        let taken = Reservation { state, version: 2, ..rows[number].clone() };
        assert_eq!(took(&begun[number]), &Took::Paying(taken.clone()));
        assert_eq!(counter.row(taken.id).await, taken, "as it was told");
    }
    assert_eq!(took(&begun[2]), &Took::Refused(None), "of another buyer");
    let Took::Refused(Some(gone)) = took(&begun[3]) else { panic!("{:?}", begun[3]) };
    assert_eq!(gone.state, State::Cancelled);
    assert_eq!(took(&begun[4]), &Took::Refused(Some(rows[4].clone())), "on standby");
    assert_eq!(took(&begun[5]), &Took::Nothing);
    assert_eq!(took(&begin(&counter.store, &begins[..1], NOW).await[0]), took(&begun[0]), "asked again");
    let second = begin(&counter.store, &[pay(&counter.payment(&rows[0], 9), rows[0].buyer)], NOW).await;
    assert_eq!(took(&second[0]), &Took::Refused(Some(row_of(&begun[0]).clone())), "one at a time");
    let late = begin(&counter.store, &[pay(&payments[2], rows[2].buyer)], later()).await;
    assert_eq!(took(&late[0]), &Took::Refused(Some(rows[2].clone())), "too late");
    let facts = counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap();
    let mut recorded: Vec<_> = facts.payments.into_iter().collect();
    recorded.sort_by_key(|payment| payment.id);
    assert_eq!(recorded, payments[..2], "of what was refused nothing is written");

    // One came to nothing meanwhile.
    counter.store.payment_voided(rows[1].id, payments[1].id, NOW).await.unwrap();
    let paying: Vec<&Reservation> = begun[..2].iter().map(row_of).collect();
    let ends = [finish(paying[0], &payments[0], "A"), finish(paying[1], &payments[1], "B")];
    for again in [false, true] {
        let finished = counter.store.finish_all(&ends, later()).await.unwrap();
        let [first, second] = &finished[..] else { panic!() };
        let (first, second) = (first.as_ref().unwrap(), second.as_ref().unwrap());
        assert_eq!(first.confirmed, Confirmed::Order(ends[0].order.clone()));
        assert_eq!((&first.row, first.is_kept), (&counter.row(rows[0].id).await, false), "again: {again}");
        assert_eq!(first.row.state, State::Confirmed { units: ends[0].order.units.clone(), payment: payments[0].id });
        assert!(matches!(&second.confirmed, Confirmed::RefundDue(row) if row.id == rows[1].id), "{second:?}");
    }
    assert_eq!(counter.store.order("A").await.unwrap(), Some(ends[0].order.clone()));
    assert_eq!(counter.store.order("B").await.unwrap(), None);
    let late = begin(&counter.store, &begins[..1], NOW).await;
    assert_eq!(took(&late[0]), &Took::Refused(Some(counter.row(rows[0].id).await)));
    assert_eq!(counter.payment_state(payments[0].id).await, PaymentState::Captured, "a late copy undoes nothing");
    let told = counter.store.unpublished(99).await.unwrap();
    let told: Vec<_> = told.iter().filter(|event| matches!(event.fact, Fact::OrderPaid(_))).collect();
    assert_eq!(told.len(), 1);
    let due = counter.store.refunds_due(later(), 9).await.unwrap();
    assert_eq!(due.iter().map(|entry| entry.refund.payment).collect::<Vec<_>>(), [payments[1].id]);
}

pub async fn of_two_in_a_group_who_want_one_hold_one_takes_it<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    let [first, second] = [1, 2].map(|number| counter.payment(&row, number));
    let begun = begin(&counter.store, &[pay(&first, row.buyer), pay(&second, row.buyer)], NOW).await;
    let taken = row_of(&begun[0]).clone();
    assert!(taken.pays_with(first.id));
    assert_eq!(took(&begun[1]), &Took::Refused(Some(taken.clone())));
    assert_eq!(counter.row(row.id).await, taken);
    let facts = counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap();
    assert_eq!(facts.payments, [first], "the other is not even written down");
}

pub async fn one_that_cannot_be_written_fails_alone<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 0).await;
    let mut rows = counter.reserved(&[(1, 1), (2, 1), (3, 1), (4, 1)]).await;
    let other = rows.remove(3);
    let mut payments: Vec<Payment> = rows.iter().zip(1..).map(|(row, number)| counter.payment(row, number)).collect();
    // The name of one is taken.
    counter.begin_paying(&other, 2).await;
    let begins = |payments: &[Payment]| -> Vec<Begin> {
        rows.iter().zip(payments).map(|(row, payment)| pay(payment, row.buyer)).collect()
    };
    let begun = counter.store.begin_all(&begins(&payments), NOW).await.unwrap();
    assert_eq!(begun.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let kinds = async |counter: &Counter<S>| {
        let kinds = join_all(rows.iter().map(|row| counter.kind(row.id)));
        kinds.await
    };
    assert_eq!(kinds(&counter).await, [Kind::Paying, Kind::Held, Kind::Paying]);
    payments[1].id = PaymentId(payments[1].id.0 + 7);
    let begun = begin(&counter.store, &begins(&payments), NOW).await;
    let paying: Vec<Reservation> = begun.iter().map(row_of).cloned().collect();

    // Two cannot have one number.
    let ends: Vec<Finish> =
        [(0, "A"), (1, "A"), (2, "C")].map(|(n, number)| finish(&paying[n], &payments[n], number)).into();
    let finished = counter.store.finish_all(&ends, NOW).await.unwrap();
    assert_eq!(finished.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(kinds(&counter).await, [Kind::Confirmed, Kind::Paying, Kind::Confirmed]);
    assert_eq!(counter.payment_state(payments[1].id).await, PaymentState::Opened);
    let alone = counter.store.finish_all(&ends[1..2], NOW).await;
    assert!(alone.is_err(), "{alone:?}");
    let other = finish(&paying[1], &payments[1], "B");
    counter.store.finish_all(&[other], NOW).await.unwrap().remove(0).unwrap();
    assert_eq!(kinds(&counter).await, [Kind::Confirmed; 3]);
    assert_eq!(counter.claimed().await, [1, 2, 3, 4]);
}

pub async fn a_request_is_claimed_with_what_it_asks_for<S: Store>(store: S) {
    let mut counter = Counter::open(store, 6, 0).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1)]).await;
    // What others asked before: one is under way, one was answered, one has let go, one has expired.
    let before: Vec<Asked> = (0..4).map(|n| asked(&counter, n, u128::from(n) + 1)).collect();
    let lease = |n: u8| Lease { request: RequestId(u128::from(n) + 1), attempt: 1 };
    for asked in &before[..3] {
        assert_eq!(
            Idempotency::claim(&counter.store, asked).await.unwrap(),
            Claim::Yours(Lease { request: asked.request, attempt: 1 })
        );
    }
    Idempotency::claim(&counter.store, &Asked { expires_at: NOW, ..before[3].clone() }).await.unwrap();
    assert!(Idempotency::keep(&counter.store, before[1].key, lease(1), &answer("told")).await.unwrap());
    counter.store.let_go(before[2].key, lease(2)).await.unwrap();

    let mut begins: Vec<Begin> =
        rows.iter().zip(1..).map(|(row, n)| pay(&counter.payment(row, n), row.buyer)).collect();
    for (begin, n) in begins.iter_mut().zip([0, 1, 2, 3, 4, 4]) {
        begin.request = Some(asked(&counter, n, 100));
    }
    // The same key twice in one group, and the second with something else in it.
    begins[4].request.as_mut().unwrap().request = RequestId(104);
    let second = begins[5].request.as_mut().unwrap();
    (second.request, second.fingerprints) = (RequestId(105), vec![Fingerprint([8; 32])]);
    let begun = begin(&counter.store, &begins, NOW).await;
    assert_eq!(begun[0], Begun::Elsewhere(Claim::InFlight));
    assert_eq!(begun[1], Begun::Elsewhere(Claim::Done { lease: lease(1), answer: answer("told") }));
    assert_eq!(begun[5], Begun::Elsewhere(Claim::OtherPayload));
    let leases: Vec<_> = begun[2..5]
        .iter()
        .map(|begun| match begun {
            Begun::Here { lease: Some(lease), took: Took::Paying(_) } => (lease.request.0, lease.attempt),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(leases, [(3, 2), (100, 1), (104, 1)], "taken over, begun anew, and new");
    let kinds = join_all(rows.iter().map(|row| counter.kind(row.id))).await;
    let (held, paying) = (Kind::Held, Kind::Paying);
    assert_eq!(kinds, [held, held, paying, paying, paying, held], "only who has the claim takes anything");
    assert_eq!(Idempotency::claim(&counter.store, begins[4].request.as_ref().unwrap()).await.unwrap(), Claim::InFlight);
}

pub async fn an_answer_is_kept_with_its_order<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 0).await;
    let rows = counter.reserved(&[(1, 1), (2, 1), (3, 1)]).await;
    let payments: Vec<Payment> = rows.iter().zip(1..).map(|(row, number)| counter.payment(row, number)).collect();
    let requests: Vec<Asked> = (0..3).map(|n| asked(&counter, n, u128::from(n) + 1)).collect();
    let begins = rows.iter().zip(&payments).zip(&requests);
    let begins: Vec<Begin> = begins
        .map(|((row, payment), asked)| Begin { request: Some(asked.clone()), ..pay(payment, row.buyer) })
        .collect();
    let begun = begin(&counter.store, &begins, NOW).await;
    // The second row went another way, and the third's request was taken over.
    counter.store.payment_voided(rows[1].id, payments[1].id, NOW).await.unwrap();
    let later_on = Asked { now: NOW.plus_ms(1_000), leased_until: NOW.plus_ms(2_000), ..requests[2].clone() };
    let Claim::Yours(theirs) = Idempotency::claim(&counter.store, &later_on).await.unwrap() else { panic!() };
    let ends: Vec<Finish> = (0..3)
        .map(|n| Finish {
            keep: Some((requests[n].key, Lease { request: requests[n].request, attempt: 1 }, answer(&format!("{n}")))),
            ..finish(row_of(&begun[n]), &payments[n], &format!("N{n}"))
        })
        .collect();
    let finished = counter.store.finish_all(&ends, NOW).await.unwrap();
    let kept: Vec<bool> = finished.into_iter().map(|finished| finished.unwrap().is_kept).collect();
    assert_eq!(kept, [true, false, false]);
    let ask = async |n: usize| {
        Idempotency::claim(&counter.store, &Asked { request: RequestId(9), ..requests[n].clone() }).await.unwrap()
    };
    let lease = Lease { request: requests[0].request, attempt: 1 };
    assert_eq!(ask(0).await, Claim::Done { lease, answer: answer("0") });
    assert_eq!((ask(1).await, ask(2).await), (Claim::InFlight, Claim::InFlight));
    assert!(Idempotency::keep(&counter.store, requests[2].key, theirs, &answer("theirs")).await.unwrap());
}

/// One way through all of them and one the other way, again and again.
pub async fn groups_of_two_tills_take_each_hold_once<S: Store>(store: S) {
    let mut counter = Counter::open(store, 24, 0).await;
    let rows = counter.reserved(&(1..=24).map(|buyer| (buyer, 1)).collect::<Vec<_>>()).await;
    let group = |till: u128, rows: Vec<&Reservation>| -> Vec<(Payment, Begin)> {
        let payments =
            rows.into_iter().map(|row| (counter.payment(row, till << 32 | u128::from(row.buyer.0)), row.buyer));
        payments.map(|(payment, buyer)| (payment.clone(), pay(&payment, buyer))).collect()
    };
    let tills: Vec<Vec<(Payment, Begin)>> =
        [group(1, rows.iter().collect()), group(2, rows.iter().rev().collect()), group(3, rows.iter().collect())]
            .into();
    let store = &counter.store;
    let work = tills.iter().map(|till| async move {
        let mut won = 0;
        for part in till.chunks(8) {
            let begins: Vec<Begin> = part.iter().map(|(_, begin)| begin.clone()).collect();
            let begun = begin(store, &begins, NOW).await;
            let ends = begun.iter().zip(part).filter(|(begun, _)| matches!(took(begun), Took::Paying(_)));
            let ends =
                ends.map(|(begun, (payment, _))| finish(row_of(begun), payment, &format!("{}", payment.id)[12..]));
            let ends: Vec<Finish> = ends.collect();
            for finished in store.finish_all(&ends, NOW).await.unwrap() {
                assert!(matches!(finished.unwrap().confirmed, Confirmed::Order(_)));
            }
            won += ends.len();
        }
        won
    });
    let won: Vec<usize> = join_all(work).await;
    assert_eq!(won.iter().sum::<usize>(), 24, "{won:?}");
    let facts = counter.store.audit(counter.sale.id, NOW).await.unwrap().unwrap();
    assert_eq!((facts.orders.len(), facts.payments.len()), (24, 24));
    assert!(facts.payments.iter().all(|payment| payment.state == PaymentState::Captured));
}

/// More rows than one statement has assignments.
pub async fn a_crowd_checks_out_together<S: Store>(store: S) {
    let mut counter = Counter::open(store, 131, 0).await;
    let rows = counter.reserved(&(1..=131).map(|buyer| (buyer, 1)).collect::<Vec<_>>()).await;
    let payments: Vec<Payment> = rows.iter().zip(1..).map(|(row, number)| counter.payment(row, number)).collect();
    let requests: Vec<Asked> = (0..131).map(|n| asked(&counter, n, u128::from(n) + 1)).collect();
    let begins = rows.iter().zip(&payments).zip(&requests);
    let begins: Vec<Begin> = begins
        .map(|((row, payment), asked)| Begin { request: Some(asked.clone()), ..pay(payment, row.buyer) })
        .collect();
    let begun = begin(&counter.store, &begins, NOW).await;
    let ends: Vec<Finish> = (0..131)
        .map(|n| Finish {
            keep: Some((requests[n].key, Lease { request: requests[n].request, attempt: 1 }, answer(&n.to_string()))),
            ..finish(row_of(&begun[n]), &payments[n], &format!("N{n}"))
        })
        .collect();
    let finished = counter.store.finish_all(&ends, NOW).await.unwrap();
    assert!(finished.into_iter().all(|finished| finished.unwrap().is_kept));
    for (n, row) in rows.iter().enumerate() {
        let order = counter.store.order_of(row.id).await.unwrap().unwrap();
        assert_eq!((order.number, order.payment), (format!("N{n}"), payments[n].id));
        let Claim::Done { answer: told, .. } = Idempotency::claim(&counter.store, &requests[n]).await.unwrap() else {
            panic!()
        };
        assert_eq!(told, answer(&n.to_string()));
    }
    assert_eq!(counter.claimed().await.len(), 131);
}

pub async fn a_payment_that_was_never_opened_is_no_decline<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let row = counter.reserved(&[(1, 1)]).await.remove(0);
    for number in 1..=u128::from(DECLINES_MAX) + 1 {
        let payment = counter.payment(&row, number);
        let begun = begin(&counter.store, &[pay(&payment, row.buyer)], NOW).await;
        row_of(&begun[0]);
        let held = counter.store.payment_unopened(row.id, payment.id, NOW).await.unwrap().unwrap();
        assert_eq!(held.state, row.state);
        assert_eq!(counter.store.declines(row.id).await.unwrap(), 0);
        assert_eq!(counter.payment_state(payment.id).await, PaymentState::Voided);
        assert_eq!(counter.store.payment_unopened(row.id, payment.id, later()).await.unwrap(), Some(held), "once");
    }
    let last = counter.begin_paying(&row, 99).await;
    let lapsed = counter.store.payment_unopened(row.id, last, later()).await.unwrap().unwrap();
    assert_eq!((&lapsed.state, lapsed.freed), (&State::Lapsed, false), "out of time");
}

pub async fn what_costs_nothing_is_confirmed_at_once<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 1).await;
    let rows = counter.reserved(&[(1, 2), (2, 1)]).await;
    let (row, waits) = (&rows[0], &rows[1]);
    let nothing = Money { minor: 0, currency: counter.sale.price.currency };
    let free = |row: &Reservation, number: u128| {
        let paid = Payment { amount: nothing, state: PaymentState::Captured, ..counter.payment(row, number) };
        Order::placed(row, &paid, &format!("N{number}"), NOW)
    };
    let take = async |order: &Order, now| {
        let take = Take::Free { order: order.clone(), answer: Some(answer("told")) };
        let request = asked(&counter, 1, order.payment.0);
        let begun = begin(&counter.store, &[Begin { request: Some(request.clone()), take }], now).await.remove(0);
        let Begun::Here { lease: Some(lease), took } = begun else { panic!("{begun:?}") };
        if !matches!(took, Took::Order(_)) {
            counter.store.withdraw(request.key, lease).await.unwrap();
        }
        took
    };
    let order = free(row, 1);
    assert_eq!(take(&Order { buyer: BuyerId(2), ..order.clone() }, NOW).await, Took::Refused(None), "of another buyer");
    assert_eq!(take(&order, later()).await, Took::Refused(Some(row.clone())), "too late");
    assert_eq!(take(&free(waits, 2), NOW).await, Took::Refused(Some(waits.clone())), "on standby");
    let costly = Order { amount: counter.sale.price, ..order.clone() };
    let other = Order { units: vec![2], ..order.clone() };
    for wrong in [costly, other] {
        let take = Take::Free { order: wrong, answer: None };
        counter.store.begin_all(&[Begin { request: None, take }], NOW).await.unwrap_err();
    }
    assert_eq!(counter.store.audit(row.sale, NOW).await.unwrap().unwrap().payments, [], "nothing was written");

    let Took::Order(confirmed) = take(&order, later().plus_ms(-1)).await else { panic!() };
    assert_eq!(
        (&confirmed.state, confirmed.version),
        (&State::Confirmed { units: vec![1, 2], payment: order.payment }, 2)
    );
    assert_eq!(counter.row(row.id).await, confirmed);
    let request = asked(&counter, 1, 9);
    assert!(
        matches!(Idempotency::claim(&counter.store, &request).await.unwrap(), Claim::Done { answer: told, .. } if told == answer("told"))
    );
    let second = Take::Free { order: free(row, 3), answer: None };
    let begun = begin(&counter.store, &[Begin { request: None, take: second }], NOW).await;
    assert_eq!(took(&begun[0]), &Took::Refused(Some(confirmed)), "one order for each hold");
    let again = counter.store.confirm(row.id, order.payment, "B", NOW).await.unwrap();
    assert_eq!(again, Confirmed::Order(order.clone()));
    let facts = counter.store.audit(row.sale, NOW).await.unwrap().unwrap();
    let payment = Payment { amount: nothing, state: PaymentState::Captured, ..counter.payment(row, 1) };
    assert_eq!((facts.payments, facts.orders, facts.refunds), (vec![payment], vec![order], vec![]));
    assert_eq!(counter.claimed().await, [1, 2]);
}
