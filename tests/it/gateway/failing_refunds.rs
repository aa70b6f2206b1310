//! Refunds that do not go back at once, or never: what is said of them everywhere, who asks again and how often, and what
//! operators do about them.

use miaosha::app::audit::{Verdict, audit};
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{ReservationId, SaleId};
use miaosha::ports::platform::clock::Clock;
use miaosha::workers::payment_consumer::{self as payments, Job, Sweeper};
use serde_json::{Value, json};

use super::fixture::Fixture;
use super::webhooks::{CARD, fixture, tell};
use crate::support::stripe::{NetworkFault, Step, StripeServer};

const WAIT_MS: i64 = 1_000;
const TRIES_MAX: u32 = 3;

struct Bought {
    server: StripeServer,
    fixture: Fixture,
    sale: SaleId,
    id: ReservationId,
    number: String,
}

/// An order of so many units, 250 each.
async fn bought(quantity: u8) -> Bought {
    let (server, fixture) = fixture().await;
    let sale = fixture.sale(4, 0).await.id;
    let id = fixture.attempt(sale, 7, quantity).await;
    let token = fixture.checkout_token(sale, 7).await;
    let order = fixture.check_out(7, &token, CARD).await.is(201);
    Bought { server, fixture, sale, id, number: order["order_number"].as_str().unwrap().to_owned() }
}

fn settings() -> payments::Settings {
    payments::Settings {
        refund_wait_ms: WAIT_MS,
        refund_wait_ms_max: 4 * WAIT_MS,
        refund_tries_max: TRIES_MAX,
        ..payments::Settings::default()
    }
}

async fn sweep(fixture: &Fixture) {
    Sweeper::new(fixture.world.needs(), settings()).sweep_one(Job::Refunds).await.unwrap();
}

async fn audited(fixture: &Fixture, sale: SaleId) -> Verdict {
    let events: Vec<_> = fixture.world.outbox.unpublished(999).await.unwrap().iter().map(|event| event.id).collect();
    fixture.world.outbox.mark_published(&events, fixture.clock.now()).await.unwrap();
    Sweeper::new(fixture.world.needs(), settings()).sweep_one(Job::Unfreed).await.unwrap();
    audit(&fixture.world.needs(), sale).await.unwrap().unwrap()
}

impl Bought {
    async fn refund(&self, body: Value) -> Value {
        let path = format!("/v1/admin/orders/{}/refunds", self.number);
        self.fixture.post(&path, &self.fixture.operator(), &body).await.is(201)["refund"].clone()
    }

    /// As operators see them, and as the buyer does: the same states.
    async fn refunds(&self) -> Vec<Value> {
        let whole =
            self.fixture.get(&format!("/v1/admin/orders/{}", self.number), &self.fixture.operator()).await.is(200);
        let own = self.fixture.get(&format!("/v1/orders/{}", self.number), &self.fixture.shopper(7)).await.is(200);
        let mut list = self.fixture.get("/v1/orders", &self.fixture.shopper(7)).await.is(200);
        list[0].as_object_mut().unwrap().remove("sale_title");
        assert_eq!(list[0], own);
        let (whole, own) = (whole["refunds"].as_array().unwrap(), own["refunds"].as_array().unwrap());
        let brief = |refund: &Value| (refund["state"].clone(), refund["amount"].clone(), refund["done_at"].clone());
        assert_eq!(whole.iter().map(brief).collect::<Vec<_>>(), own.iter().map(brief).collect::<Vec<_>>());
        assert!(own.iter().all(|refund| refund.get("code").is_none() && refund.get("note").is_none()));
        whole.clone()
    }

    async fn states(&self) -> Vec<String> {
        self.refunds().await.iter().map(|refund| refund["state"].as_str().unwrap().to_owned()).collect()
    }

    async fn act(&self, refund: &Value, verb: &str, body: &Value) -> super::fixture::Answer {
        let path = format!("/v1/admin/refunds/{}/{verb}", refund["id"].as_str().unwrap());
        self.fixture.post(&path, &self.fixture.operator(), body).await
    }

    async fn listed(&self, query: &str) -> Value {
        self.fixture.get(&format!("/v1/admin/refunds{query}"), &self.fixture.operator()).await.is(200)
    }

    /// Everything that Stripe would tell, the newest first and each twice.
    async fn tell_all(&self) {
        for event in self.server.events().iter().rev() {
            for _ in 0..2 {
                assert_eq!(tell(&self.fixture, event).await.status, 204);
            }
        }
    }

    /// Refused until it is not asked any more.
    async fn refused_for_good(&self) -> Value {
        (0..TRIES_MAX).for_each(|_| self.server.next(Step::Refund, NetworkFault::Kept(400)));
        let refund = self.refund(json!({ "units": [1] })).await;
        for wait in [0, WAIT_MS, 2 * WAIT_MS] {
            assert_eq!(self.states().await, ["due"]);
            self.fixture.clock.advance_ms(wait);
            sweep(&self.fixture).await;
        }
        assert_eq!(self.states().await, ["failed"]);
        refund
    }
}

/// Stripe keeps the refusal under the key of the first try: without another key it would be refused for ever.
#[actix_web::test]
async fn one_that_was_refused_once_goes_the_next_time() {
    let shop = bought(2).await;
    let Bought { server, fixture, .. } = &shop;
    server.next(Step::Refund, NetworkFault::Kept(400));
    let refund = shop.refund(json!({ "units": [2] })).await;
    assert_eq!((&refund["state"], &refund["tries"]), (&json!("due"), &json!(0)));
    for _ in 0..3 {
        sweep(fixture).await;
    }
    fixture.clock.advance_ms(WAIT_MS - 1);
    sweep(fixture).await;
    assert_eq!((shop.states().await, server.calls(Step::Refund)), (vec!["due".to_owned()], 1), "it waits");
    assert_eq!(shop.refunds().await[0]["tries"], 1);
    fixture.clock.advance_ms(1);
    sweep(fixture).await;
    let done = &shop.refunds().await[0];
    assert_eq!((&done["state"], &done["done_at"]), (&json!("done"), &json!(fixture.clock.now().0)));
    assert_eq!((server.moved(), server.calls(Step::Refund)), ((500, 250), 2));
    let verdict = audited(fixture, shop.sale).await;
    assert!(verdict.pass && verdict.is_at_rest() && verdict.owed.is_empty(), "{verdict}");
}

#[actix_web::test]
async fn one_that_is_refused_for_good_waits_for_an_operator() {
    let shop = bought(2).await;
    let Bought { server, fixture, sale, .. } = &shop;
    let refund = shop.refused_for_good().await;
    let failed = shop.refunds().await.remove(0);
    assert_eq!((&failed["code"], &failed["tries"]), (&json!("api_error"), &json!(TRIES_MAX)));
    let mut listed = shop.listed("").await[0].clone();
    assert_eq!(listed.as_object_mut().unwrap().remove("order_number"), Some(json!(shop.number)));
    assert_eq!(listed, failed);
    assert_eq!(shop.listed("?state=due").await, json!([]));

    // The books are right, and say what is owed; it does not count as refunded.
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
    assert_eq!((verdict.figures.refunds_failed, verdict.owed[0].amount.minor), (1, 250));
    assert!(
        verdict.to_string().contains("owed: 1 refunds failed") && verdict.to_string().contains("api_error"),
        "{verdict}"
    );
    let report = fixture.get(&format!("/v1/admin/sales/{sale}/report"), &fixture.operator()).await.is(200);
    let by_state = &report["orders"]["refunds_by_state"];
    assert_eq!((&by_state["failed"]["refunds"], &by_state["failed"]["amount"]["minor"]), (&json!(1), &json!(250)));
    assert_eq!(by_state["done"]["refunds"], 0);
    let csv = fixture.get(&format!("/v1/admin/sales/{sale}/exports/orders.csv"), &fixture.operator()).await;
    let csv = String::from_utf8(csv.bytes).unwrap();
    assert!(csv.contains("refund_pending_minor,refund_done_minor,refund_failed_minor,refund_settled_minor"), "{csv}");
    assert!(csv.contains(",250,0,0,250,0\r\n"), "{csv}");

    let asked = server.calls(Step::Look);
    for _ in 0..3 {
        fixture.clock.advance_ms(86_400_000 / 8);
        sweep(fixture).await;
    }
    assert_eq!(server.calls(Step::Look), asked, "nobody asks unasked");

    // Twice, once under its key again: it is asked for once.
    let path = format!("/v1/admin/refunds/{}/retry", refund["id"].as_str().unwrap());
    for key in ["k", "k", "other"] {
        let answer = fixture.post_under(key, &path, &fixture.operator(), &json!({})).await.is(200);
        assert_eq!((&answer["state"], &answer["id"]), (&json!("due"), &refund["id"]));
    }
    for _ in 0..2 {
        sweep(fixture).await;
    }
    assert_eq!((shop.states().await, server.moved()), (vec!["done".to_owned()], (500, 250)));
    assert_eq!(server.calls(Step::Refund), TRIES_MAX as usize + 1);
    assert_eq!(shop.listed("").await, json!([]));
    shop.act(&refund, "retry", &json!({})).await.is_problem(409, "conflict");
    shop.act(&refund, "settlement", &json!({ "note": "in cash" })).await.is_problem(409, "conflict");
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.owed.is_empty(), "{verdict}");
}

#[actix_web::test]
async fn what_was_settled_otherwise_is_owed_no_more() {
    let shop = bought(2).await;
    let Bought { server, fixture, sale, .. } = &shop;
    let refund = shop.refused_for_good().await;
    for bad in [json!({}), json!({ "note": " " }), json!({ "note": "x".repeat(501) })] {
        shop.act(&refund, "settlement", &bad).await.blames(400, "note");
    }
    let nobodys = json!({ "id": "00000000000000000000000000000009" });
    shop.act(&nobodys, "settlement", &json!({ "note": "x".repeat(500) })).await.is_problem(404, "not_found");
    let note = json!({ "note": " By transfer 7788 " });
    for _ in 0..2 {
        let settled = shop.act(&refund, "settlement", &note).await.is(200);
        assert_eq!((&settled["state"], &settled["note"]), (&json!("settled"), &json!("By transfer 7788")));
        assert_eq!(
            (&settled["settled_by"], &settled["settled_at"]),
            (&json!(1_000_000), &json!(fixture.clock.now().0))
        );
    }
    shop.act(&refund, "settlement", &json!({ "note": "twice" })).await.is_problem(409, "conflict");
    shop.act(&refund, "retry", &json!({})).await.is_problem(409, "conflict");
    fixture.clock.advance_ms(86_400_000 / 2);
    sweep(fixture).await;
    assert_eq!((shop.states().await, server.moved()), (vec!["settled".to_owned()], (500, 0)));
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.is_at_rest() && verdict.owed.is_empty(), "{verdict}");
    for nobody in ["00000000000000000000000000000009", "nonsense"] {
        shop.act(&json!({ "id": nobody }), "retry", &json!({})).await.is_problem(404, "not_found");
    }
}

/// The operator and a sweep, or two operators, in one moment: one of them moves it.
#[actix_web::test]
async fn of_two_operators_at_once_one_decides() {
    let shop = bought(2).await;
    let refund = shop.refused_for_good().await;
    let (retried, settled) = futures_util::future::join(
        shop.act(&refund, "retry", &json!({})),
        shop.act(&refund, "settlement", &json!({ "note": "in cash" })),
    )
    .await;
    let mut answers = [retried.status.as_u16(), settled.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [200, 409]);
    let (a, b) = futures_util::future::join(sweep(&shop.fixture), sweep(&shop.fixture)).await;
    assert_eq!((a, b), ((), ()));
    let won = if retried.status == 200 { ("done", (500, 250)) } else { ("settled", (500, 0)) };
    assert_eq!((shop.states().await[0].as_str(), shop.server.moved()), won);
}

#[actix_web::test]
async fn one_that_is_pending_is_not_back_yet() {
    let shop = bought(2).await;
    let Bought { server, fixture, sale, .. } = &shop;
    server.next_refund("pending");
    shop.refund(json!({ "units": [1] })).await;
    sweep(fixture).await;
    assert_eq!(shop.states().await, ["sent"]);
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.in_motion == ["1 refunds are pending at the provider"], "{verdict}");
    // The word of its end is lost: it is looked at again, and not asked for.
    server.set_last_refund("succeeded");
    sweep(fixture).await;
    assert_eq!(shop.states().await, ["sent"]);
    fixture.clock.advance_ms(WAIT_MS);
    sweep(fixture).await;
    assert_eq!((shop.states().await, server.calls(Step::Refund)), (vec!["done".to_owned()], 1));
}

/// Said by the provider later: a pending one, and one that was done long ago.
#[actix_web::test]
async fn one_that_fails_later_is_owed_again() {
    for begins in ["pending", "succeeded"] {
        let shop = bought(2).await;
        let Bought { server, fixture, sale, .. } = &shop;
        server.next_refund(begins);
        let refund = shop.refund(json!({ "units": [1] })).await;
        sweep(fixture).await;
        let before = if begins == "pending" { "sent" } else { "done" };
        assert_eq!(shop.states().await, [before]);
        server.set_last_refund("failed");
        // Out of order, and each twice: what is so is asked.
        shop.tell_all().await;
        assert_eq!(shop.refunds().await[0]["code"], "lost_or_stolen_card");
        shop.tell_all().await;
        assert_eq!(shop.refunds().await[0]["tries"], 1);
        let verdict = audited(fixture, *sale).await;
        assert!(verdict.pass && verdict.owed.len() == 1, "{verdict}");
        fixture.clock.advance_ms(86_400_000 / 8);
        sweep(fixture).await;
        assert_eq!((shop.states().await, server.calls(Step::Refund)), (vec!["failed".to_owned()], 1));
        shop.act(&refund, "retry", &json!({})).await.is(200);
        sweep(fixture).await;
        shop.tell_all().await;
        assert_eq!((shop.states().await, server.moved()), (vec!["done".to_owned()], (500, 250)));
        let tries: Vec<_> = server.refunds().iter().map(|made| made["metadata"]["try"].clone()).collect();
        assert_eq!(tries, ["0", "1"], "each under a name of its own");
    }
}

/// The word of a failure is lost, and the audit says that something is wrong: who asks for a retry has the provider looked at.
#[actix_web::test]
async fn a_failure_that_was_not_heard_of_is_found_by_a_retry() {
    let shop = bought(2).await;
    let Bought { server, fixture, sale, .. } = &shop;
    let refund = shop.refund(json!({ "units": [1] })).await;
    sweep(fixture).await;
    shop.act(&refund, "retry", &json!({})).await.is_problem(409, "conflict");
    server.set_last_refund("failed");
    assert_eq!(audited(fixture, *sale).await.divergence.unwrap().invariant, 7);
    assert_eq!(shop.act(&refund, "retry", &json!({})).await.is(200)["state"], "due");
    sweep(fixture).await;
    assert_eq!((shop.states().await, server.moved()), (vec!["done".to_owned()], (500, 250)));
    assert!(audited(fixture, *sale).await.pass);
}

/// A part names no unit: the order stands, and what is given back later is no more than what is left.
#[actix_web::test]
async fn a_part_given_back_by_hand_is_in_the_books() {
    let shop = bought(2).await;
    let Bought { server, fixture, sale, id, .. } = &shop;
    server.give_back_by_hand(300);
    shop.tell_all().await;
    let made = shop.refunds().await.remove(0);
    assert_eq!((&made["why"], &made["state"], &made["units"]), (&json!("at_provider"), &json!("done"), &json!([])));
    let order = fixture.get(&format!("/v1/orders/{}", shop.number), &fixture.shopper(7)).await.is(200);
    assert_eq!((&order["refunded_amount"]["minor"], &order["refunded"]), (&json!(300), &json!(false)));
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
    assert_eq!(shop.refund(json!({ "units": [2] })).await["amount"]["minor"], 200);
    sweep(fixture).await;
    shop.tell_all().await;
    assert_eq!((shop.states().await, server.moved()), (vec!["done".to_owned(); 2], (500, 500)));
    assert_eq!((fixture.kind(*id).await, fixture.row(*id).await.state.units()), (Kind::Confirmed, [1].as_slice()));
    // Nothing is left for the last one.
    let last = shop.refund(json!({})).await;
    assert_eq!((&last["amount"]["minor"], &last["state"]), (&json!(0), &json!("done")));
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
}

/// What was refused here is given back by hand, and the word of it is lost: the next ask finds it.
#[actix_web::test]
async fn what_is_due_and_given_back_by_hand_is_done() {
    let shop = bought(1).await;
    let Bought { server, fixture, sale, .. } = &shop;
    shop.refund(json!({})).await;
    server.give_back_by_hand(250);
    sweep(fixture).await;
    assert_eq!((server.moved(), server.calls(Step::Refund)), ((250, 250), 0));
    assert_eq!(shop.states().await, ["done", "done"]);
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
}

/// Of two units one failed; an operator gives it back in the provider's own window. The other is still the buyer's.
#[actix_web::test]
async fn what_failed_and_is_given_back_by_hand_is_owed_no_more() {
    let shop = bought(2).await;
    let Bought { server, fixture, sale, id, .. } = &shop;
    shop.refused_for_good().await;
    server.give_back_by_hand(250);
    shop.tell_all().await;
    assert_eq!(shop.states().await, ["done", "done"]);
    assert_eq!(fixture.row(*id).await.state.units(), [2]);
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.is_at_rest() && verdict.owed.is_empty(), "{verdict}");
    assert_eq!(shop.refund(json!({})).await["amount"]["minor"], 250);
    sweep(fixture).await;
    assert_eq!(server.moved(), (500, 500));
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
}

/// A failure that was made by hand, and failed there, is the shop's to see to.
#[actix_web::test]
async fn one_made_by_hand_may_fail_too() {
    let shop = bought(2).await;
    let Bought { server, fixture, sale, .. } = &shop;
    server.give_back_by_hand(100);
    shop.tell_all().await;
    server.set_last_refund("failed");
    shop.tell_all().await;
    assert_eq!(shop.states().await, ["failed"]);
    let verdict = audited(fixture, *sale).await;
    assert!(verdict.pass && verdict.owed[0].amount.minor == 100, "{verdict}");
    let refund = shop.refunds().await.remove(0);
    shop.act(&refund, "retry", &json!({})).await.is(200);
    sweep(fixture).await;
    shop.tell_all().await;
    assert_eq!((shop.states().await, server.moved()), (vec!["done".to_owned()], (500, 100)));
    assert!(audited(fixture, *sale).await.pass);
}

/// Sixty that are refused: each sweep asks for so many and no more, each of them so often and no more, two processes or one.
#[actix_web::test]
async fn many_refused_ones_make_a_bounded_number_of_calls() {
    const MANY: u64 = 60;
    let (server, fixture) = fixture().await;
    let sale = fixture.sale(MANY as u32, 0).await.id;
    for buyer in 1..=MANY {
        let id = fixture.attempt(sale, buyer, 1).await;
        let token = fixture.checkout_token(sale, buyer).await;
        fixture.check_out(buyer, &token, CARD).await.is(201);
        fixture.refund_all(id).await;
    }
    (0..MANY * u64::from(TRIES_MAX)).for_each(|_| server.next(Step::Refund, NetworkFault::Kept(400)));
    let (first, second) =
        (Sweeper::new(fixture.world.needs(), settings()), Sweeper::new(fixture.world.needs(), settings()));
    let each = settings().sweep_refunds_max as usize;
    for _ in 0..40 {
        let before = server.calls(Step::Refund);
        let (a, b) = futures_util::future::join(first.sweep_one(Job::Refunds), second.sweep_one(Job::Refunds)).await;
        a.and(b).unwrap();
        assert!(server.calls(Step::Refund) - before <= 2 * each);
        fixture.clock.advance_ms(WAIT_MS);
    }
    assert_eq!(
        server.calls(Step::Refund),
        MANY as usize * TRIES_MAX as usize,
        "each was asked for so often, and no more"
    );
    let verdict = audited(&fixture, sale).await;
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
    assert_eq!((verdict.figures.refunds_failed, verdict.owed.len()), (MANY, 20));

    // A page after the other, each once.
    let (mut next, mut seen) = (Some("/v1/admin/refunds?state=failed&limit=25".to_owned()), Vec::new());
    for expected in [25, 25, 10] {
        let page = fixture.get(&next.unwrap(), &fixture.operator()).await;
        let link = page.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
        next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
        let refunds = page.is(200);
        let refunds = refunds.as_array().unwrap();
        assert_eq!(refunds.len(), expected);
        seen.extend(refunds.iter().map(|refund| refund["id"].to_string()));
    }
    assert_eq!(next, None);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), MANY as usize);
}

#[actix_web::test]
async fn what_cannot_be_listed_is_said_by_name() {
    let (_, fixture) = fixture().await;
    for (query, field) in [
        ("state=refunded", "state"),
        ("after=1", "after"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("page=2", "page"),
        ("state=due&state=due", "state"),
    ] {
        fixture.get(&format!("/v1/admin/refunds?{query}"), &fixture.operator()).await.blames(400, field);
    }
    let unknown = "/v1/admin/refunds?after=00000000000000000000000000000009";
    assert_eq!(fixture.get(unknown, &fixture.operator()).await.is(200), json!([]));
    fixture.get("/v1/admin/refunds?limit=100", &fixture.operator()).await.is(200);
}
