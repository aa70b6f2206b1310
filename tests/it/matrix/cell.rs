//! One cell: who goes wrong where, and what the provider does; and what must be so in the end.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::rt;
use actix_web::test::TestRequest;
use futures_util::future::{JoinAll, join_all};
use miaosha::app::money;
use miaosha::domain::money::payment::PaymentState;
use miaosha::domain::people::Role;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use miaosha::faces::tokens::TokenKeys;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::clock::Clock;
use miaosha::wire::gateway::Gateway;
use miaosha::wire::world::World;
use miaosha::workers::payment_consumer::{self as payments, Job, Sweeper};
use serde_json::json;

use super::places::{How, Place, Plan};
use super::provider::{Lever, Outcome, ProviderState, kept};
use super::watched::Watched;
use crate::gateway::fixture::{self, Answer, Calls};
use crate::workers::fixture::{Fixture, HOLD_MS, allotment, payment_settings};

/// In a group.
const BUYERS: u64 = 4;
/// The payment-consumer comes by after so long.
const PAUSE_MS: i64 = 20;
const ROUNDS_MAX: usize = 8;

/// Who meets the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// In a checkout.
    Gateway,
    /// In a sweep, behind a gateway that did not finish.
    PaymentConsumer,
    /// A gateway that gets the provider's webhook, behind one that did not finish.
    WebhookRequest,
    /// In a checkout of what costs nothing.
    FreeGateway,
    /// In checkouts of several buyers at once, which share its commits.
    GroupGateway,
}

impl Who {
    pub const ALL: [Who; 5] =
        [Who::Gateway, Who::PaymentConsumer, Who::WebhookRequest, Who::FreeGateway, Who::GroupGateway];

    /// What may become of a capture; where there is none, nothing but this. In a group, of every second one.
    pub fn outcomes(self) -> &'static [Outcome] {
        match self {
            Who::FreeGateway => &[Outcome::Captured],
            Who::GroupGateway => &[Outcome::Declined, Outcome::TimeOutCaptured, Outcome::LateBeforeVoid],
            _ => &Outcome::ALL,
        }
    }

    fn is_first(self) -> bool {
        matches!(self, Who::Gateway | Who::FreeGateway | Who::GroupGateway)
    }

    fn buyers(self) -> std::ops::RangeInclusive<u64> {
        1..=if self == Who::GroupGateway { BUYERS } else { 1 }
    }
}

#[derive(Debug, Clone)]
pub struct Cell {
    who: Who,
    outcome: Outcome,
    fault: Option<(usize, Place, How)>,
}

impl Cell {
    /// Without the provider's part in it.
    pub fn point(&self) -> String {
        let fault = self.fault.as_ref().map_or("nothing".to_owned(), |(_, place, how)| format!("{place}: {how:?}"));
        format!("{:?} {fault}", self.who)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.fault.as_ref().map_or(0, |(number, ..)| *number);
        write!(f, "{:?}, {} (place {number})", self.outcome, self.point())
    }
}

/// A world in which cell follows cell, each with a sale of its own.
pub struct Lane {
    fixture: Fixture,
    keys: Arc<TokenKeys>,
}

/// A process, and what it came by.
struct Shop {
    world: World,
    provider: Arc<Lever>,
    calls: Calls,
}

/// What a buyer was told, and the payments that were opened meanwhile.
struct Told {
    id: ReservationId,
    answer: Answer,
    payments: Vec<PaymentId>,
}

impl Lane {
    pub fn new(fixture: Fixture) -> Self {
        let [a, c, d] = ["a", "c", "d"].map(|digit| digit.repeat(64));
        let keys = Arc::new(TokenKeys::parse(&format!("access:a1:{a},checkout:c1:{c},admission:d1:{d}")).unwrap());
        Self { fixture, keys }
    }

    /// What there is to go wrong, found by a run in which nothing does.
    pub async fn cells(&mut self, who: Who, outcome: Outcome) -> Vec<Cell> {
        let (came_by, verdict) = self.play(&Cell { who, outcome, fault: None }).await;
        verdict.unwrap_or_else(|what| panic!("{who:?} {outcome:?}, without a fault: {what}"));
        let places = came_by.into_iter().enumerate();
        places
            .flat_map(|(number, place)| {
                let ways = place.ways().iter().map(move |how| (number, place.clone(), *how));
                ways.map(move |fault| Cell { who, outcome, fault: Some(fault) })
            })
            .collect()
    }

    pub async fn run(&mut self, cell: &Cell) -> Result<(), String> {
        self.play(cell).await.1
    }

    async fn play(&mut self, cell: &Cell) -> (Vec<Place>, Result<(), String>) {
        let is_free = cell.who == Who::FreeGateway;
        let minor = if is_free { 0 } else { 1_000 };
        let buyers = cell.who.buyers();
        let units = u32::try_from(*buyers.end()).unwrap();
        self.fixture.sale = self.fixture.new_sale_at(minor, allotment(units, 1), HOLD_MS).await.id;
        self.fixture.decide([self.fixture.batch(1..=buyers.end() + 1)]).await;
        let mut crowd = Vec::new();
        for buyer in buyers {
            crowd.push((buyer, self.fixture.row(buyer).await.unwrap().id));
        }
        let provider_state = Arc::new(ProviderState::default());
        let fault = cell.fault.as_ref().map(|(number, _, how)| (*number, *how));
        let faulty = Plan::new(fault);
        let first = match cell.who {
            who if who.is_first() => self.shop(&faulty, &provider_state).await,
            _ => self.shop(&self.unfinished(cell.outcome), &provider_state).await,
        };
        let mut told = Vec::new();
        let checkouts = crowd.iter().map(|(buyer, id)| {
            let outcome = if buyer % 2 == 1 { cell.outcome } else { Outcome::Captured };
            rt::spawn(self.check_out(&first, *buyer, *id, (!is_free).then_some(&outcome.card())))
        });
        let checkouts = join_all(checkouts.collect::<Vec<_>>());
        // A process that stalls answers later.
        let mut late = None;
        if cell.who.is_first() {
            late = stands_or_ends(&faulty, checkouts, &mut told).await;
        } else {
            told.extend(checkouts.await.into_iter().flatten());
        }
        let consumer = self.faulty_work(cell.who, &faulty, &provider_state).await;
        let other = self.shop(&Plan::new(None), &provider_state).await;
        let mut verdict = self.come_to_rest(&other, &provider_state).await;
        for (buyer, id) in &crowd {
            told.push(self.check_out(&other, *buyer, *id, (!is_free).then_some("ok")).await);
        }
        faulty.go_on();
        if let Some(checkouts) = late {
            told.extend(checkouts.await.into_iter().flatten());
        }
        if let Some(work) = consumer {
            let _ = work.await;
        }
        let _ = other.provider.arrive(true).await;
        self.fixture.clock.advance_ms(HOLD_MS);
        verdict = verdict.and(self.come_to_rest(&other, &provider_state).await);
        for (_, id) in crowd {
            verdict = verdict.and(match is_free {
                true => self.judge_free(id, &provider_state, &told).await,
                false => self.judge(id, &provider_state, &told).await,
            });
        }
        (faulty.came_by(), verdict)
    }

    /// What a gateway left that crashed after the provider's answer. One that finds the row gone says so first.
    fn unfinished(&self, outcome: Outcome) -> Arc<Plan> {
        if outcome.needs_refund() { Plan::new(None) } else { Plan::dying_at(money::points::CHECKOUT_AFTER_CAPTURE) }
    }

    fn watched(&self, plan: &Arc<Plan>, provider_state: &Arc<ProviderState>) -> (World, Arc<Lever>) {
        let provider = Arc::new(Lever::new(self.fixture.world.clone(), plan.clone(), provider_state.clone()));
        (Watched::world(&self.fixture.world, plan, provider.clone()), provider)
    }

    async fn shop(&self, plan: &Arc<Plan>, provider_state: &Arc<ProviderState>) -> Rc<Shop> {
        let (world, provider) = self.watched(plan, provider_state);
        let gateway = Gateway::new(
            world.needs(),
            self.keys.clone(),
            fixture::receipts(&world),
            fixture::settings(),
            &Lifecycle::new(),
        );
        Rc::new(Shop { world, provider, calls: fixture::calls(gateway).await })
    }

    fn check_out(
        &self,
        shop: &Rc<Shop>,
        buyer: u64,
        id: ReservationId,
        card: Option<&str>,
    ) -> impl Future<Output = Told> + 'static {
        let now = self.fixture.clock.now();
        let token = self.keys.sign_checkout(id, BuyerId(buyer), now, 10 * HOLD_MS);
        let access = self.keys.sign_access(BuyerId(buyer), Role::Shopper, now, 10 * HOLD_MS);
        let request = TestRequest::default().method(Method::POST).uri("/v1/checkouts");
        let request = request.insert_header(("Authorization", format!("Bearer {access}")));
        let key = format!("{:032x}", getrandom::u64().unwrap());
        let request = request.insert_header(("Idempotency-Key", key));
        let mut body = json!({ "checkout_token": token });
        if let Some(card) = card {
            body["card"] = json!(card);
        }
        let request = request.set_json(body);
        let shop = shop.clone();
        async move {
            let before = shop.provider.opened().len();
            let answer = (shop.calls)(request).await;
            Told { id, answer, payments: shop.provider.opened().split_off(before) }
        }
    }

    /// The second one's work, which meets the fault; what stands still comes back.
    async fn faulty_work(
        &self,
        who: Who,
        plan: &Arc<Plan>,
        provider_state: &Arc<ProviderState>,
    ) -> Option<rt::task::JoinHandle<()>> {
        let mut work = match who {
            Who::Gateway | Who::FreeGateway | Who::GroupGateway => return None,
            Who::PaymentConsumer => {
                self.fixture.clock.advance_ms(PAUSE_MS);
                rt::spawn(sweep(self.watched(plan, provider_state).0))
            }
            Who::WebhookRequest => {
                let shop = self.shop(plan, provider_state).await;
                let payments = provider_state.opened.lock().unwrap().clone();
                rt::spawn(async move { tell(&shop, payments).await })
            }
        };
        tokio::select! {
            _ = &mut work => None,
            () = plan.reached() => Some(work),
        }
    }

    /// No more faults: sweeps, and the provider's webhooks of all it knows.
    async fn come_to_rest(&self, shop: &Rc<Shop>, provider_state: &ProviderState) -> Result<(), String> {
        let mut verdict = String::new();
        for round in 0..ROUNDS_MAX {
            self.fixture.clock.advance_ms(PAUSE_MS);
            sweep(shop.world.clone()).await;
            if round == 0 {
                let payments = provider_state.opened.lock().unwrap().clone();
                tell(shop, payments).await;
                continue;
            }
            self.fixture.relay().drain().await.map_err(|fault| fault.to_string())?;
            let audit = self.fixture.audit().await;
            if audit.pass && audit.is_at_rest() {
                return Ok(());
            }
            verdict = audit.to_string();
        }
        Err(format!("does not come to rest: {verdict}"))
    }

    async fn judge(&self, id: ReservationId, provider_state: &ProviderState, told: &[Told]) -> Result<(), String> {
        let world = &self.fixture.world;
        if provider_state.charged_twice() {
            return Err("was charged twice".to_owned());
        }
        let row = self.fixture.world.reservations.reservation(id).await.unwrap().unwrap();
        let mut standing = 0;
        let opened = provider_state.opened.lock().unwrap().clone();
        for payment in opened {
            let is_ours = world.paying.payment(payment).await.unwrap().is_some_and(|payment| payment.reservation == id);
            standing += usize::from(is_ours && kept(world, payment).await.unwrap());
        }
        let is_paid = usize::from(row.state.kind() == Kind::Confirmed);
        if standing != is_paid {
            return Err(format!("{standing} charges stand for {:?}", row.state.kind()));
        }
        for Told { answer, payments, .. } in told.iter().filter(|told| told.id == id) {
            self.is_true(id, answer, payments, provider_state)
                .await
                .map_err(|what| format!("was told {} {}, and {what}", answer.status, answer.body))?;
        }
        Ok(())
    }

    /// One order, whatever happened, and a provider that does not know it.
    async fn judge_free(&self, id: ReservationId, provider_state: &ProviderState, told: &[Told]) -> Result<(), String> {
        let facts =
            self.fixture.world.auditing.audit(self.fixture.sale, self.fixture.clock.now()).await.unwrap().unwrap();
        let payments: Vec<_> = facts.payments.iter().map(|payment| (payment.amount.minor, payment.state)).collect();
        if facts.orders.len() != 1 || payments != [(0, PaymentState::Captured)] {
            return Err(format!("{} orders, and payments {payments:?}", facts.orders.len()));
        }
        let row = self.fixture.world.reservations.reservation(id).await.unwrap().unwrap();
        if row.state.kind() != Kind::Confirmed || !provider_state.opened.lock().unwrap().is_empty() {
            return Err(format!(
                "is {:?}, and the provider was asked for {:?}",
                row.state.kind(),
                provider_state.opened
            ));
        }
        for Told { answer, .. } in told {
            match answer.status.as_u16() {
                200 | 201 if answer.body["order_number"] == facts.orders[0].number.as_str() => {}
                500 | 503 => {}
                _ => return Err(format!("was told {} {}", answer.status, answer.body)),
            }
        }
        Ok(())
    }

    /// What was said then, against what is so now.
    async fn is_true(
        &self,
        id: ReservationId,
        answer: &Answer,
        payments: &[PaymentId],
        provider_state: &ProviderState,
    ) -> Result<(), String> {
        let mut ours = Vec::new();
        for payment in provider_state.captured().into_iter().filter(|payment| payments.contains(payment)) {
            let paid = self.fixture.world.paying.payment(payment).await.unwrap().unwrap();
            ours.extend((paid.reservation == id).then_some(payment));
        }
        match (answer.status.as_u16(), answer.body["type"].as_str().unwrap_or_default()) {
            (200 | 201, _) => {
                let number = answer.body["order_number"].as_str().unwrap_or_default();
                let order = self.fixture.world.orders.order(number).await.unwrap().ok_or("there is no such order")?;
                let stands = kept(&self.fixture.world, order.payment).await.unwrap();
                if stands { Ok(()) } else { Err("its money did not move".to_owned()) }
            }
            // No money moved, and none will.
            (402, _) | (409, "/problems/hold_lapsed" | "/problems/not_held") if ours.is_empty() => Ok(()),
            (402, _) | (409, "/problems/hold_lapsed" | "/problems/not_held") => Err("money moved".to_owned()),
            (409, "/problems/conflict") if ours.len() == 1 => Ok(()),
            (409, _) => Err("no money moved that could go back".to_owned()),
            // "Unknown" was the answer of a process that could not know; a crashed one answers nothing.
            (202 | 500 | 503, _) => Ok(()),
            (other, _) => Err(format!("nobody expects {other}")),
        }
    }
}

/// Waits until all checkouts have ended, or one stands where the plan says.
async fn stands_or_ends(
    plan: &Arc<Plan>,
    mut checkouts: JoinAll<rt::task::JoinHandle<Told>>,
    told: &mut Vec<Told>,
) -> Option<JoinAll<rt::task::JoinHandle<Told>>> {
    tokio::select! {
        ended = &mut checkouts => {
            // A crashed process answers nothing.
            told.extend(ended.into_iter().flatten());
            None
        }
        () = plan.reached() => Some(checkouts),
    }
}

/// What the payment-consumer does, one job after the other.
async fn sweep(world: World) {
    let settings = payments::Settings { paying_ms_max: 10, alarm_ms: 0, ..payment_settings() };
    let sweeper = Sweeper::new(world.needs(), settings);
    for job in [Job::Overdue, Job::Unfreed, Job::Stuck, Job::Refunds] {
        let _ = sweeper.sweep_one(job).await;
    }
}

async fn tell(shop: &Rc<Shop>, payments: Vec<PaymentId>) {
    for payment in payments {
        let request = TestRequest::default().method(Method::POST).uri("/v1/webhooks/stripe");
        let _ = (shop.calls)(request.set_json(payment)).await;
    }
}
