//! 225 accounts that pay for nothing press before everybody else, and press again whenever a hold lapses: who gets units in a sale's
//! first hour, by what an admission asks. Every admission is a gateway's, every press is judged as a publisher judges it, every hold
//! lapses by the sweeper; only the clock is moved by hand. It needs no server, but a minute and more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use miaosha::app::sale::admission::Settings;
use miaosha::app::sale::admission::proof::{Proof, zero_bits};
use miaosha::domain::people::Role;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::time::Timestamp;
use miaosha::faces::front;
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::admission::SaleAdmission;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::clock::Clock;
use miaosha::wire::gateway::Gateway;
use miaosha::workers::payment_consumer::{self as payments, Job, Sweeper};
use serde_json::{Value, json};

use super::embedded;
use super::fixture::{Fixture, allotment, payment_settings};
use crate::gateway::fixture::{self as front_fixture, Calls};
use crate::support::clock::START;

const HOARDERS: u64 = 225;
const CAPACITY: u32 = 100;
const STANDBY: u32 = 125;
const FIRST_HONEST: u64 = 10_000;
const HOLD_MS: i64 = 600_000;
/// Shorter than an admission lives.
const STEP_MS: i64 = 50_000;
const STEPS: u64 = 72;
/// They come all the time, and each tries for so many steps.
const HONEST_A_STEP: u64 = 5;
const PATIENCE: u64 = 6;

/// What a hoarder presses with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// What gateways give.
    Gateway,
    /// As if gateways gave admissions to those who have a reservation, too.
    GivenWhileStanding,
    /// As if admissions lived longer than holds.
    OutlivesItsHold,
    /// What gateways give; and each hold is let go before it would cost anything.
    CancelledInTime,
}

struct Shop {
    fixture: Fixture,
    keys: Arc<TokenKeys>,
    calls: Calls,
    by: By,
    networks: u64,
    /// Of hoarders: what they have, and what they may do.
    admissions: BTreeMap<u64, SaleAdmission>,
    out: BTreeSet<u64>,
    /// Digests that hoarders had to try, about.
    work: u64,
}

/// What became of one hour.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hour {
    honest_came: u64,
    /// Units, to the honest.
    sold: u64,
    /// By hoarders.
    presses: u64,
    work: u64,
}

impl Shop {
    async fn open(admission: Settings, by: By, networks: u64) -> Self {
        let fixture = embedded::fixture().await.with_sale_of(allotment(CAPACITY, STANDBY), HOLD_MS).await;
        let [a, c, d] = ["a", "c", "d"].map(|digit| digit.repeat(64));
        let keys = TokenKeys::parse(&format!("access:a1:{a},checkout:c1:{c},admission:d1:{d}")).unwrap();
        let keys = Arc::new(keys);
        let settings = front::Settings { admission, ..front_fixture::settings() };
        let receipts = front_fixture::receipts(&fixture.world);
        let gateway = Gateway::new(fixture.world.needs(), keys.clone(), receipts, settings, &Lifecycle::new());
        let (calls, admissions) = (front_fixture::calls(gateway).await, BTreeMap::new());
        Self { fixture, keys, calls, by, networks, admissions, out: BTreeSet::new(), work: 0 }
    }

    fn now(&self) -> Timestamp {
        self.fixture.clock.now()
    }

    async fn ask(&self, buyer: u64, body: &Value) -> (u16, Value) {
        let token = self.keys.sign_access(BuyerId(buyer), Role::Shopper, self.now(), 86_400_000);
        let request = TestRequest::default().method(Method::POST);
        let request = request.uri(&format!("/v1/sales/{}/admission", self.fixture.sale));
        let answer = (self.calls)(
            request
                .insert_header(("Authorization", format!("Bearer {token}")))
                .peer_addr(self.address(buyer))
                .set_json(body),
        )
        .await;
        (answer.status.as_u16(), answer.body)
    }

    /// Who is honest is alone; hoarders share some networks.
    fn address(&self, buyer: u64) -> SocketAddr {
        let network = if buyer < FIRST_HONEST { buyer % self.networks } else { buyer };
        format!("10.{}.{}.{}:9", network >> 8 & 255, network & 255, buyer % 250).parse().unwrap()
    }

    /// An admission as a gateway gives it, worked for where it asks for work.
    async fn admitted(&mut self, buyer: u64) -> Option<SaleAdmission> {
        let (mut status, mut said) = self.ask(buyer, &json!({})).await;
        if status == 428 {
            let (challenge, bits) = (said["challenge"].as_str().unwrap().to_owned(), said["bits"].as_u64().unwrap());
            self.work += 1 << bits;
            let is_it = |solution: &String| zero_bits(Proof { challenge: &challenge, solution }) >= bits as u32;
            let solution = (0_u64..).map(|number| number.to_string()).find(is_it).unwrap();
            (status, said) = self.ask(buyer, &json!({ "challenge": challenge, "solution": solution })).await;
        }
        match status {
            200 => Some(self.keys.for_publisher().verify(said["admission"].as_str().unwrap()).unwrap()),
            403 if said["type"] == "/problems/lapsed_out" => {
                self.out.insert(buyer);
                None
            }
            _ => None,
        }
    }

    /// What a hoarder presses with now, as a publisher would take it.
    async fn hoarders_admission(&mut self, buyer: u64, is_live: bool) -> bool {
        let now = self.now();
        let (life_ms, gives) = match self.by {
            By::Gateway | By::CancelledInTime => (0, false),
            By::GivenWhileStanding => (60_000, is_live || now == START),
            By::OutlivesItsHold => (86_400_000, now == START),
        };
        let sale = self.fixture.sale;
        if gives {
            let until = now.plus_ms(life_ms);
            self.admissions.insert(buyer, SaleAdmission::new(BuyerId(buyer), sale, 0, now, until));
        } else if matches!(self.by, By::Gateway | By::CancelledInTime)
            && !is_live
            && !self.out.contains(&buyer)
            && self.admissions.get(&buyer).is_none_or(|admission| now >= admission.until)
        {
            match self.admitted(buyer).await {
                Some(admission) => self.admissions.insert(buyer, admission),
                None => self.admissions.remove(&buyer),
            };
        }
        !is_live && self.admissions.get(&buyer).is_some_and(|admission| now < admission.until)
    }

    /// Where each of these stands that was ever there.
    async fn kinds(&self, buyers: impl IntoIterator<Item = u64>) -> BTreeMap<u64, Kind> {
        let buyers: Vec<BuyerId> = buyers.into_iter().map(BuyerId).collect();
        let places = self.fixture.world.reservations.places(self.fixture.sale, &buyers).await.unwrap();
        places.into_iter().map(|place| (place.row.buyer.0, place.row.state.kind())).collect()
    }

    async fn sweep(&self) {
        let settings = payments::Settings { alarm_ms: 0, ..payment_settings() };
        let sweeper = Sweeper::new(self.fixture.world.needs(), settings);
        for job in [Job::Overdue, Job::Unfreed] {
            sweeper.sweep_one(job).await.unwrap();
        }
    }

    async fn press(&self, buyers: Vec<u64>) {
        if !buyers.is_empty() {
            self.fixture.decide([self.fixture.batch(buyers)]).await;
        }
    }

    async fn hour(mut self) -> Hour {
        let (mut hour, mut honest) = (Hour::default(), BTreeMap::new());
        for step in 0..STEPS {
            if self.by == By::CancelledInTime {
                for (buyer, _) in self.kinds(1..=HOARDERS).await.into_iter().filter(|(_, kind)| *kind == Kind::Held) {
                    self.fixture.cancel(buyer).await;
                }
            }
            self.sweep().await;
            let (mut pressing, kinds) = (Vec::new(), self.kinds(1..=HOARDERS).await);
            for buyer in 1..=HOARDERS {
                let is_live = kinds.get(&buyer).is_some_and(|kind| kind.is_live());
                if self.hoarders_admission(buyer, is_live).await {
                    pressing.push(buyer);
                }
            }
            hour.presses += pressing.len() as u64;
            self.press(pressing).await;
            hour.honest_came += HONEST_A_STEP;
            honest.extend((0..HONEST_A_STEP).map(|n| (FIRST_HONEST + step * HONEST_A_STEP + n, step)));
            let (mut pressing, kinds) = (Vec::new(), self.kinds(honest.keys().copied()).await);
            for buyer in honest.keys().copied().collect::<Vec<_>>() {
                let is_live = kinds.get(&buyer).is_some_and(|kind| kind.is_live());
                if !is_live && self.admitted(buyer).await.is_some() {
                    pressing.push(buyer);
                }
            }
            self.press(pressing).await;
            // Whoever has a unit pays, whoever waits waits, and the others lose patience in the end.
            let kinds = self.kinds(honest.keys().copied()).await;
            for (buyer, came) in honest.clone() {
                match kinds.get(&buyer) {
                    Some(Kind::Held) => {
                        self.fixture.pay(buyer).await;
                        hour.sold += 1;
                        honest.remove(&buyer);
                    }
                    Some(Kind::Standby) => {}
                    _ if step >= came + PATIENCE => drop(honest.remove(&buyer)),
                    _ => {}
                }
            }
            self.fixture.clock.advance_ms(STEP_MS);
        }
        Hour { work: self.work, ..hour }
    }
}

/// As a shop has them, but that work is a 16,384th of what it is, and that a network has places enough.
fn conditions() -> Settings {
    Settings { bits: 2, bits_max: 8, network_places_min: 500, ..Settings::default() }
}

fn without() -> Settings {
    Settings::default().without_conditions()
}

#[actix_web::test]
async fn hoarders_hold_a_sale_for_nothing_or_pay_for_it() {
    let cool_off = Settings { cool_off: true, ..without() };
    let few_places = Settings { network_places_min: 5, ..conditions() };
    let always_forgiven = Settings { regrets_max: u32::MAX, given_max: u32::MAX, ..conditions() };
    let rows = [
        ("no conditions", without(), By::Gateway, 1),
        ("a wait after each lapse", cool_off, By::Gateway, 1),
        ("all conditions, one network", conditions(), By::Gateway, 1),
        ("all, a tenth of the places, one network", few_places, By::Gateway, 1),
        ("all, but given while standing", conditions(), By::GivenWhileStanding, 1),
        ("all, each hold cancelled in time", conditions(), By::CancelledInTime, 1),
        ("the same, always forgiven", always_forgiven, By::CancelledInTime, 1),
        ("all, but outliving its hold", conditions(), By::OutlivesItsHold, 1),
    ];
    println!("{:<40}{:>10}{:>8}{:>10}{:>18}", "", "honest", "sold", "presses", "work (2^14 of)");
    let mut shares = Vec::new();
    for (name, settings, by, networks) in rows {
        let hour = Shop::open(settings, by, networks).await.hour().await;
        let Hour { honest_came, sold, presses, work } = hour;
        println!("{name:<40}{honest_came:>10}{sold:>8}{presses:>10}{work:>18}");
        shares.push(sold);
    }
    let [none, waits, all, few, standing, cancelling, forgiven, outliving] = shares[..] else { panic!("{shares:?}") };
    assert_eq!(none, 0, "nobody else gets anything");
    assert!(waits.min(all) >= u64::from(CAPACITY) / 2, "{shares:?}");
    assert_eq!(few, u64::from(CAPACITY), "{shares:?}");
    assert!(cancelling >= u64::from(CAPACITY) / 2, "{shares:?}");
    assert_eq!(forgiven, 0, "a hold that costs nothing is one more for nothing");
    assert_eq!((standing, outliving), (0, 0), "each half of an admission's life is needed");
}
