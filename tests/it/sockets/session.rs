//! The session by itself: no socket, no clock, nothing waits.

use std::sync::Arc;

use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::faces::front::settings::sockets::Settings;
use miaosha::faces::live::close::Close;
use miaosha::faces::live::session::{Effect, Input, Now, Pass, SaleWord, Session, Truth};
use miaosha::kit::socket::Incoming;

const SALE: SaleId = SaleId(7);

struct Fixture {
    rules: Settings,
    session: Session,
    ms: u64,
}

impl Fixture {
    fn new() -> Self {
        let rules = Settings::default();
        let session = Session::new(&rules, now(0));
        Self { rules, session, ms: 0 }
    }

    /// A buyer who watches the sale, and whose first look is under way.
    fn watching() -> Self {
        let mut fixture = Self::new();
        assert_eq!(fixture.frame(r#"{"type":"hello","token":"t","sales":[7]}"#), [Effect::Enter("t".into())]);
        let acts = fixture.told(Input::Entered(Ok(Pass { buyer: BuyerId(1), expires_at: Timestamp(1_000_000) })));
        assert!(matches!(&acts[0], Effect::Say(time) if time.contains("server_time")));
        assert_eq!(acts[1..], [Effect::Watch(SALE), Effect::Look { sale: SALE, first: true }]);
        fixture
    }

    fn frame(&mut self, text: &str) -> Vec<Effect> {
        let mut acts = Vec::new();
        self.session.frame(&self.rules, now(self.ms), Incoming::Text(text.into()), &mut acts);
        acts
    }

    fn told(&mut self, world: Input) -> Vec<Effect> {
        let mut acts = Vec::new();
        self.session.told(&self.rules, now(self.ms), world, &mut acts);
        acts
    }

    fn beat(&mut self, ms: u64) -> (Vec<Effect>, u64) {
        self.ms = ms;
        let mut acts = Vec::new();
        let due = self.session.beat(&self.rules, now(ms), &mut acts);
        (acts, due)
    }
}

fn now(ms: u64) -> Now {
    Now { ms, at: Timestamp(ms as i64) }
}

fn row(born_at: i64, reservation: u128, version: u64) -> Input {
    let text = format!("{reservation}:{version}").into();
    let reservation = ReservationId(reservation);
    Input::Truth { sale: SALE, truth: Truth::Row { born_at: Timestamp(born_at), reservation, version, text } }
}

fn notice(reservation: u128, version: u64) -> Input {
    Input::Notice { sale: SALE, reservation: ReservationId(reservation), version }
}

fn said(text: &str) -> Vec<Effect> {
    vec![Effect::Say(text.to_owned().into())]
}

const LOOK: Effect = Effect::Look { sale: SALE, first: false };

#[test]
fn looks_of_one_sale_follow_each_other() {
    let mut fixture = Fixture::watching();
    assert_eq!(fixture.told(notice(5, 1)), [], "a look is under way");
    assert_eq!(fixture.told(Input::Missed), []);
    assert_eq!(fixture.told(row(10, 5, 1)), [said("5:1"), vec![LOOK]].concat(), "once more, for both");
    assert_eq!(fixture.told(row(10, 5, 1)), [], "nothing is told twice");
    assert_eq!(fixture.told(notice(5, 1)), [], "a doubled notice is no reason to look");
    assert_eq!(fixture.told(notice(5, 2)), [LOOK]);
}

#[test]
fn nothing_older_follows_something_newer() {
    let mut fixture = Fixture::watching();
    assert_eq!(fixture.told(row(10, 5, 3)), said("5:3"));
    for (world, acts) in [
        (row(10, 5, 2), vec![]),
        (row(10, 5, 4), said("5:4")),
        (row(20, 6, 1), said("6:1")),
        (row(10, 5, 9), vec![]),
        (row(20, 6, 1), vec![]),
        (Input::Truth { sale: SALE, truth: Truth::Nothing }, vec![]),
        (row(20, 6, 2), said("6:2")),
    ] {
        assert_eq!(fixture.told(notice(99, 1)), [LOOK]);
        assert_eq!(fixture.told(world), acts);
    }
    assert_eq!(fixture.frame(r#"{"type":"watch","sale":7}"#), [LOOK]);
    assert_eq!(fixture.told(row(20, 6, 2)), said("6:2"), "who asks again is told again");
}

#[test]
fn counters_only_grow_newer() {
    let mut fixture = Fixture::watching();
    let word = |number| Input::Sale(Arc::new(SaleWord { sale: SALE, number, text: number.to_string().into() }));
    assert_eq!(fixture.told(word(2)), said("2"));
    assert_eq!(fixture.told(word(1)), []);
    assert_eq!(fixture.told(word(2)), []);
    assert_eq!(fixture.told(word(3)), said("3"));
    assert_eq!(fixture.frame(r#"{"type":"unwatch","sale":7}"#), [Effect::Unwatch(SALE)]);
    assert_eq!(fixture.told(word(4)), []);
    assert_eq!(fixture.told(row(1, 1, 1)), [], "the answer to a look that nobody waits for");
}

#[test]
fn heartbeats_ask_and_give_up() {
    let mut fixture = Fixture::watching();
    let Settings { ping_ms, pong_ms_max, .. } = fixture.rules;
    let (acts, due) = fixture.beat(ping_ms - 1);
    assert_eq!((acts.len(), due), (0, ping_ms));
    let (acts, due) = fixture.beat(ping_ms);
    assert_eq!((&acts[0], due), (&Effect::Ping, ping_ms + pong_ms_max));
    // Whatever arrives is a sign of life.
    fixture.frame(r#"{"type":"ping"}"#);
    let (acts, due) = fixture.beat(ping_ms + pong_ms_max);
    assert_eq!((acts.len(), due), (0, 2 * ping_ms));
    fixture.beat(2 * ping_ms);
    let (acts, _) = fixture.beat(2 * ping_ms + pong_ms_max);
    assert!(acts.contains(&Effect::Close(Close::Silent)), "{acts:?}");
    let (acts, _) = fixture.beat(3 * ping_ms);
    assert_eq!(acts, [Effect::Drop], "who does not answer the close is dropped");
}

#[test]
fn who_says_nothing_is_sent_away_and_then_dropped() {
    let mut fixture = Fixture::new();
    let Settings { hello_ms_max, linger_ms_max, .. } = fixture.rules;
    assert_eq!(fixture.beat(hello_ms_max - 1), (vec![], hello_ms_max));
    let (acts, due) = fixture.beat(hello_ms_max);
    assert!(matches!(acts.last(), Some(Effect::Close(_))), "{acts:?}");
    assert_eq!(due, hello_ms_max + linger_ms_max);
    assert_eq!(fixture.beat(due - 1), (vec![], due));
    assert_eq!(fixture.beat(due).0, [Effect::Drop]);
}

/// However often one is sent: the answer to the first decides.
#[test]
fn heartbeats_may_be_quicker_than_answers() {
    let mut fixture = Fixture::watching();
    (fixture.rules.ping_ms, fixture.rules.pong_ms_max) = (100, 250);
    let mut due = 25_000;
    let mut closed = false;
    for _ in 0..10 {
        let (acts, next) = fixture.beat(due);
        closed |= acts.contains(&Effect::Close(Close::Silent));
        due = next;
    }
    assert!(closed);
}

#[test]
fn a_close_is_the_last_word() {
    let mut fixture = Fixture::watching();
    let acts = fixture.told(Input::Stop { come_back_in_ms: 77 });
    assert!(matches!(&acts[..], [Effect::Say(bye), Effect::Close(Close::Restart { come_back_in_ms: 77 })]
        if bye.contains("\"come_back_in_ms\":77")));
    assert_eq!(fixture.told(row(1, 1, 1)), []);
    assert_eq!(fixture.told(Input::TooSlow), []);
    assert_eq!(fixture.frame("nonsense"), []);
    let mut acts = Vec::new();
    fixture.session.frame(&fixture.rules, now(0), Incoming::Close(None), &mut acts);
    assert_eq!(acts, [Effect::Drop]);
}

/// The last that a second may have is answered, the one after it ends the socket; the next second begins anew.
#[test]
fn messages_of_a_second_are_counted_to_the_last_one() {
    let closes = |acts: &[Effect]| acts.contains(&Effect::Close(Close::TooManyMessages));
    let mut fixture = Fixture::watching();
    fixture.rules.messages_per_s_max = 5;
    for second in 1..=2 {
        fixture.ms = second * 1_000;
        for number in 1..=5 {
            let acts = fixture.frame(r#"{"type":"ping"}"#);
            assert!(matches!(&acts[..], [Effect::Say(pong)] if pong.contains("pong")), "{second} {number}: {acts:?}");
        }
    }
    assert!(closes(&fixture.frame(r#"{"type":"ping"}"#)));
}

/// However long its list is.
#[test]
fn a_hello_is_not_answered_at_length() {
    let mut fixture = Fixture::new();
    let sales = |first: u64| (first..first + 500).map(|sale| sale.to_string()).collect::<Vec<_>>().join(",");
    for first in [100, 1 << 63] {
        let acts = fixture.frame(&format!(r#"{{"type":"hello","token":"t","sales":[{}]}}"#, sales(first)));
        let refused = acts.iter().filter(|act| matches!(act, Effect::Say(_))).count();
        assert_eq!((refused, acts.len()), (fixture.rules.watched_max, fixture.rules.watched_max + 1), "and the token");
    }
}

#[test]
fn so_many_sales_are_watched_and_one_more_is_not() {
    let mut fixture = Fixture::watching();
    let watched_max = fixture.rules.watched_max as u64;
    assert_eq!(watched_max, 16);
    fixture.rules.messages_per_s_max = 100;
    // The first is watched already.
    for sale in 100..100 + watched_max - 1 {
        let acts = fixture.frame(&format!(r#"{{"type":"watch","sale":{sale}}}"#));
        assert_eq!(acts, [Effect::Watch(SaleId(sale)), Effect::Look { sale: SaleId(sale), first: true }]);
    }
    let acts = fixture.frame(r#"{"type":"watch","sale":99}"#);
    assert!(matches!(&acts[..], [Effect::Say(refused)] if refused.contains("too_many")), "{acts:?}");
    fixture.frame(r#"{"type":"unwatch","sale":100}"#);
    assert_eq!(fixture.frame(r#"{"type":"watch","sale":99}"#).len(), 2, "who lets one go has room for another");
}
