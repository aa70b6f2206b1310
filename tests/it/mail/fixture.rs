//! A fixture that writes letters: a world with people and a sale, a mail server, and events that happened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use miaosha::adapters::mail::smtp::Smtp;
use miaosha::app::mail::{AnyReceipts, Receipt, Receipts, Settings};
use miaosha::domain::people::Role;
use miaosha::domain::sale::{Allotment, QuestionKey, StandbyUntil};
use miaosha::domain::shared::event::{Event, Fact, PasswordChanged, Purchase, Refunded};
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::money::Money;
use miaosha::ports::mail::transport::MailSender;
use miaosha::ports::people::accounts::{Account, Accounts};
use miaosha::ports::sale::catalogue::{Catalogue, NewItem, NewSale};
use miaosha::ports::{Fault, Result};
use miaosha::wire::world::World;
use miaosha::workers::mailer::{DeliveryWorker, Listening, Way};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::gateway::worlds;
use crate::support::clock::{ManualClock, START};
use crate::support::faults::StopAt;
use crate::support::sink::Sink;

pub const PDF: &[u8] = b"%PDF-1.7 a receipt";

/// Receipts that a test makes scarce.
#[derive(Default)]
pub struct Drawer {
    away: AtomicBool,
    pub asked: Mutex<Vec<String>>,
}

impl Drawer {
    pub fn away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }
}

#[async_trait]
impl Receipts for Drawer {
    async fn receipt(&self, order: &str) -> Result<Option<Receipt>> {
        self.asked.lock().unwrap().push(order.to_owned());
        if self.away.load(Ordering::SeqCst) {
            return Err(Fault::new("archive", "away"));
        }
        Ok(Some(Receipt { key: format!("receipts/{order}-0.pdf").to_lowercase(), bytes: PDF.to_vec() }))
    }
}

pub struct Fixture {
    pub world: World,
    pub clock: Arc<ManualClock>,
    pub sink: Sink,
    pub drawer: Arc<Drawer>,
    pub settings: Settings,
    pub told: Arc<Notify>,
    pub sale: SaleId,
    _folder: TempDir,
}

pub fn settings() -> Settings {
    Settings { look_ms: 20, carry_ms_max: 2_000, deliver_ms_max: 3_000, again_ms: 1_000, ..Settings::default() }
}

impl Fixture {
    pub async fn embedded() -> Self {
        let (folder, clock) = (TempDir::new().unwrap(), ManualClock::new());
        let world = worlds::embedded(folder.path(), clock.clone(), StopAt::new()).await;
        Self::of(world, clock, folder).await
    }
}

impl Fixture {
    pub async fn on_mysql() -> Self {
        let (folder, clock) = (TempDir::new().unwrap(), ManualClock::new());
        let world = worlds::on_mysql(folder.path(), clock.clone(), StopAt::new()).await;
        Self::of(world, clock, folder).await
    }
}

impl Fixture {
    async fn of(world: World, clock: Arc<ManualClock>, folder: TempDir) -> Self {
        let sale = new_sale(&*world.catalogue).await;
        let (sink, drawer) = (Sink::start().await, Arc::default());
        Self { world, clock, sink, drawer, settings: settings(), told: Arc::default(), sale, _folder: folder }
    }

    pub fn receipts(&self) -> AnyReceipts {
        self.drawer.clone()
    }

    pub fn carrier(&self) -> Arc<dyn MailSender> {
        Arc::new(
            Smtp::new(&self.sink.url(), "d.example.org", Duration::from_millis(self.settings.carry_ms_max)).unwrap(),
        )
    }

    pub fn postman(&self) -> DeliveryWorker {
        self.postman_with(self.carrier())
    }

    pub fn postman_with(&self, carrier: Arc<dyn MailSender>) -> DeliveryWorker {
        DeliveryWorker::new(
            self.world.needs(),
            self.settings.clone(),
            carrier,
            Some(self.receipts()),
            self.told.clone(),
        )
    }

    pub fn listening(&self, way: Way) -> Listening {
        let (needs, settings) = (self.world.needs(), self.settings.clone());
        Listening { needs, settings, way, receipts: Some(self.receipts()) }
    }

    /// What the listener does with events.
    pub async fn happened(&self, events: &[Event]) {
        self.listening(Way::Log(self.told.clone())).take(events).await.unwrap();
    }

    pub async fn person(&self, name: &str) -> Account {
        person(&*self.world.accounts, name).await
    }

    pub fn paid(&self, buyer: BuyerId, number: u128) -> Event {
        paid(self.sale, buyer, number)
    }

    pub fn refunded(&self, buyer: BuyerId, number: u128, left: Vec<u32>) -> Event {
        let (order, amount) = ("0000-0000-0001".into(), money(1));
        let (reservation, units) = (ReservationId(number), vec![9]);
        let fact = Refunded { order, reservation, sale: self.sale, buyer, units, amount, left };
        Event::new(Fact::OrderRefunded(fact), 1, START)
    }

    /// A letter that needs neither a sale nor a receipt.
    pub fn changed(&self, buyer: BuyerId, number: u128) -> Event {
        Event::new(Fact::PasswordChanged(PasswordChanged { buyer }), number, START)
    }
}

pub async fn person(accounts: &dyn Accounts, name: &str) -> Account {
    let email = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
    accounts.create_account(name, &email, "hash", Role::Shopper, Locale::En, None).await.unwrap().unwrap()
}

pub fn money(minor: i64) -> Money {
    Money { minor, currency: "TWD".parse().unwrap() }
}

pub fn paid(sale: SaleId, buyer: BuyerId, number: u128) -> Event {
    let fact = Purchase {
        order: format!("0000-0000-{number:04}"),
        reservation: ReservationId(number),
        sale,
        buyer,
        units: vec![1, 2],
        amount: money(50_000),
    };
    Event::new(Fact::OrderPaid(fact), 1, START)
}

pub async fn new_sale(catalogue: &dyn Catalogue) -> SaleId {
    let item = NewItem { title: "跨年演唱會".into(), description: String::new() };
    let item = catalogue.create_item(&item).await.unwrap();
    let sale = NewSale {
        item: item.id,
        price: money(25_000),
        allotment: Allotment { capacity: 10, quantity_max: 2, standby_max: 10 },
        standby_until: StandbyUntil::default(),
        hold_ms: 60_000,
        opens_at: START,
        closes_at: START.plus_ms(86_400_000),
        questions: vec![],
        question_key: QuestionKey([7; 32]),
    };
    catalogue.create_sale(&sale).await.unwrap().unwrap().id
}
