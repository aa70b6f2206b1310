//! The rush: every buyer presses the button at a moment fixed beforehand, whatever became of those before.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{AttemptId, BuyerId};
use miaosha::faces::tokens::TokenKeys;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::balance::{Balance, Needless, Way};
use crate::client::{Answer, Client, address_of};
use crate::follow::{self, Followed, Queue};
use crate::roll::{self, Rotation};
use crate::target::Target;
use crate::verdict::{self, Verdict};

/// Shoppers with accounts have small numbers; these never meet them.
pub const FIRST_BUYER: u64 = 1_000_000_000_000;
const OPERATOR: BuyerId = BuyerId(999_999_999_999);
const TOKEN_MS: i64 = 3 * 3_600_000;
const ANSWER: &str = "the answer";

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub enum World {
    Embedded,
    Cluster,
}

#[derive(Args, Clone)]
pub struct Options {
    /// Which world: a shop started for this run, or the fleet of `make fleet`.
    #[arg(long, value_enum, default_value = "embedded")]
    pub world: World,
    /// Through the fleet's nginx and not around it, every buyer from an address of its own.
    #[arg(long)]
    pub front: bool,
    /// A shop that runs already, instead of a world.
    #[arg(long)]
    pub url: Option<String>,
    /// The fleet's folder.
    #[arg(long, default_value = ".fleet")]
    pub fleet: PathBuf,
    #[arg(long, default_value_t = 5_000)]
    pub buyers: u64,
    #[arg(long, default_value_t = 1)]
    pub sales: u64,
    /// Units of each sale.
    #[arg(long, default_value_t = 100)]
    pub capacity: u32,
    /// Parties that may wait, of each sale.
    #[arg(long, default_value_t = 200)]
    pub standby: u32,
    /// Units an attempt asks for: 1 to this.
    #[arg(long, default_value_t = 1)]
    quantity_max: u8,
    /// Arrivals per second.
    #[arg(long, default_value_t = 10_000)]
    pub rate: u64,
    #[arg(long, default_value_t = 128)]
    connections: usize,
    /// Connections on which buyers ask what became of them, and pay.
    #[arg(long, default_value_t = 16)]
    followers: usize,
    /// What share of those who hold something pays for it.
    #[arg(long, default_value_t = 0.5)]
    pay_share: f64,
    /// What share of those who paid is refunded by an operator: half of them all they bought, the others a single unit.
    #[arg(long, default_value_t = 0.0)]
    refund_share: f64,
    #[arg(long, default_value_t = 3_000)]
    hold_ms: i64,
    /// Parts killed with kill -9, spread evenly over the rush, and started again: `shop`, or a kind or name of the fleet's parts;
    /// `redis` loses all of its memory, `redis-stale` comes back as it was a while ago, `redis-flushed` forgets everything and goes on.
    /// `stop-…` ends a part by SIGTERM instead, `…-paused` makes it silent by SIGSTOP and SIGCONT, `…-panics` has one of its long
    /// tasks panic, so that it ends by itself.
    #[arg(long, value_delimiter = ',')]
    pub kill: Vec<String>,
    /// Kinds of the fleet's parts that are rolled during the rush: stopped by SIGTERM and started again, one of each kind at a time.
    /// Buyers then come by way of a load balancer, and nothing may be refused that need not be.
    #[arg(long, value_delimiter = ',')]
    pub roll: Vec<String>,
    /// New keys of tokens are published, then sign, by two rolls during the rush; the old ones are dropped by another one after it.
    #[arg(long)]
    pub rotate_keys: bool,
    /// How long a killed part stays away.
    #[arg(long, default_value_t = 1_000)]
    pub away_ms: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long everything may take to come to rest after the rush.
    #[arg(long, default_value_t = 240)]
    settle_s_max: u64,
    /// Fails unless exactly so many units are sold in the end, over all sales.
    #[arg(long)]
    expect_sold: Option<u64>,
    /// So many of the buyers are connected by sockets and told by them: rounds without and with them, in turns, side by side.
    #[arg(long, default_value_t = 0)]
    pub sockets: u64,
    /// Rounds of each kind.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Gateways that serve these sockets and nothing else, in the Cluster world.
    #[arg(long, default_value_t = 1)]
    pub socket_gateways: usize,
    /// The last line is one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What every buyer of the run follows from.
pub struct Plan {
    pub publishers: Arc<Balance>,
    pub gateways: Arc<Balance>,
    pub needless: Needless,
    pub keys: Arc<TokenKeys>,
    /// Of a rotation: who came later logged in by these. The number is the first such buyer's.
    new_keys: OnceLock<(u64, Arc<TokenKeys>)>,
    pub sales: Vec<u64>,
    options: Options,
}

/// What the button's press became, for one buyer.
#[derive(Clone, Copy)]
pub struct Pressed {
    pub buyer: u64,
    pub sale: u64,
    /// Microseconds from the rush's start: when it was meant to be pressed, when the answered request left, when the answer came.
    pub intended_us: u64,
    pub sent_us: u64,
    pub answered_us: u64,
    pub answer: PressAnswer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PressAnswer {
    Accepted(AttemptId),
    SoldOut,
    Refused(u16),
}

struct Rush {
    start: Instant,
    next: AtomicU64,
    open: AtomicU64,
    again: Mutex<BinaryHeap<Reverse<(Instant, u64)>>>,
    shed: AtomicU64,
    unheard: AtomicU64,
}

impl Options {
    fn is_rolled(&self) -> bool {
        self.rotate_keys || !self.roll.is_empty()
    }

    /// Whose readiness is looked at: nginx looks for itself.
    fn place(&self, kind: &'static str) -> &'static str {
        if self.front { "front" } else { kind }
    }
}

impl Plan {
    pub fn token(&self, buyer: BuyerId) -> String {
        let keys = match self.new_keys.get() {
            Some((first, new)) if buyer.0 >= *first => new,
            _ => &self.keys,
        };
        keys.sign_access(buyer, Role::Shopper, SystemClock::machine_now(), TOKEN_MS)
    }

    /// What is said to a front of where a buyer is.
    pub fn address(&self, buyer: u64) -> Option<Ipv4Addr> {
        self.options.front.then(|| address_of(buyer))
    }

    pub fn pays(&self, buyer: u64) -> bool {
        let draw = fastrand::Rng::with_seed(self.options.seed ^ buyer.wrapping_mul(0x9e37_79b9_7f4a_7c15)).f64();
        draw < self.options.pay_share
    }

    /// Whether this buyer's order is refunded, and if so, whether all of it is.
    pub fn refunds(&self, buyer: u64) -> Option<bool> {
        let mut chance = fastrand::Rng::with_seed(self.options.seed ^ buyer.wrapping_mul(0xa24b_aed4_963e_e407));
        (chance.f64() < self.options.refund_share).then(|| chance.bool())
    }

    pub fn operator_token(&self) -> String {
        self.keys.sign_access(OPERATOR, Role::Operator, SystemClock::machine_now(), TOKEN_MS)
    }

    fn quantity(&self, number: u64) -> u8 {
        let seed = self.options.seed.wrapping_add(number).wrapping_mul(0xd134_2543_de82_ef95);
        fastrand::Rng::with_seed(seed).u8(1..=self.options.quantity_max)
    }

    fn sale(&self, number: u64) -> u64 {
        self.sales[(number % self.sales.len() as u64) as usize]
    }
}

/// A rush that is over and at rest.
pub struct Round {
    pub pressed: Vec<Pressed>,
    pub audit: Option<Value>,
    pub verdict: Verdict,
}

pub async fn run(options: Options) -> Result<bool, String> {
    let mut target = match (&options.url, options.world) {
        (Some(url), _) => Target::url(url)?,
        (None, World::Embedded) => Target::embedded(None).await?,
        (None, World::Cluster) => Target::fleet(&options.fleet, options.front)?,
    };
    let outcome = drive(&options, &mut target).await;
    let ok = matches!(outcome, Ok(true));
    target.end(ok).await?;
    outcome
}

async fn drive(options: &Options, target: &mut Target) -> Result<bool, String> {
    target.check_kills(&options.kill)?;
    let sales = open_sales(options, target).await?;
    let round = rush(options, target, sales).await?;
    report(options, &round.verdict)
}

/// Everybody presses, pays or lapses, and the books are audited.
pub async fn rush(options: &Options, target: &mut Target, sales: Vec<u64>) -> Result<Round, String> {
    let plan = Arc::new(Plan {
        publishers: Balance::new(target.places(options.place("publisher"), &target.publishers)),
        gateways: Balance::new(target.places(options.place("gateway"), &target.gateways)),
        needless: Needless::default(),
        keys: target.keys.clone(),
        new_keys: OnceLock::new(),
        sales,
        options: options.clone(),
    });
    let queue = Arc::new(Queue::default());
    let stop = CancellationToken::new();
    if options.is_rolled() {
        tokio::spawn(plan.publishers.clone().watch(stop.clone()));
        tokio::spawn(plan.gateways.clone().watch(stop.clone()));
    }
    let followers: Vec<_> = (0..options.followers)
        .map(|number| tokio::spawn(follow::follow(plan.clone(), queue.clone(), number, stop.clone())))
        .collect();

    let rush = Arc::new(Rush {
        start: Instant::now() + Duration::from_millis(200),
        next: AtomicU64::new(0),
        open: AtomicU64::new(options.buyers),
        again: Mutex::default(),
        shed: AtomicU64::new(0),
        unheard: AtomicU64::new(0),
    });
    let pressing: Vec<_> = (0..options.connections)
        .map(|number| tokio::spawn(press_all(plan.clone(), rush.clone(), queue.clone(), number)))
        .collect();
    roll::kill_parts(options, target, rush.start).await?;
    let rotation = change(options, target, &plan, &rush).await?;
    let mut pressed = Vec::new();
    for worker in pressing {
        pressed.extend(worker.await.map_err(|error| error.to_string())?);
    }

    follow::settle(&plan, &queue, Duration::from_secs(options.settle_s_max)).await;
    stop.cancel();
    for follower in followers {
        follower.await.map_err(|error| error.to_string())?;
    }
    let audit = at_rest(options, target, &plan.sales).await?;
    let mut verdict = verdict::judge(
        &pressed,
        audit.as_ref(),
        rush.shed.load(Ordering::Relaxed),
        rush.unheard.load(Ordering::Relaxed),
    );
    verdict.note_followers(&queue);
    if options.is_rolled() {
        verdict.note_needless(&plan.needless);
    }
    if let Some(mut rotation) = rotation {
        rotation.drop_old(target).await?;
    }
    Ok(Round { pressed, audit, verdict })
}

fn report(options: &Options, verdict: &Verdict) -> Result<bool, String> {
    let expected = options.expect_sold.is_none_or(|expected| expected == verdict.sold);
    let ok = verdict.holds() && expected;
    println!("{verdict}");
    if !expected {
        println!("sold {} units, not the {} expected", verdict.sold, options.expect_sold.unwrap_or_default());
    }
    if options.json {
        println!("{}", verdict.json());
    }
    Ok(ok)
}

/// Creates the sales of this run as an operator would, and waits until every publisher knows them.
pub async fn open_sales(options: &Options, target: &Target) -> Result<Vec<u64>, String> {
    let now = SystemClock::machine_now();
    let token = target.keys.sign_access(OPERATOR, Role::Operator, now, TOKEN_MS);
    let mut gateway = Client::new(&target.gateways[0]);
    let item = json!({ "title": "Loadtest", "description": "sold in a rush" }).to_string();
    let item = created(gateway.post("/v1/admin/items", &token, item).await?)?;
    let mut sales = Vec::new();
    for _ in 0..options.sales {
        let sale = json!({
            "item_id": item,
            "price": { "minor": 100_000, "currency": "TWD" },
            "capacity": options.capacity,
            "quantity_max": options.quantity_max,
            "standby_max": options.standby,
            "hold_ms": options.hold_ms,
            "opens_at": now.0 - 1_000,
            "closes_at": now.0 + 3_600_000,
            "questions": [{ "prompt": "What is asked?", "answer": ANSWER }],
        });
        sales.push(created(gateway.post("/v1/admin/sales", &token, sale.to_string()).await?)?);
    }
    // A wrong answer is refused only by a publisher that knows the sale.
    let shopper = target.keys.sign_access(OPERATOR, Role::Shopper, now, TOKEN_MS);
    let wrong = json!({ "question_id": 0, "answer": "no", "quantity": 1 }).to_string();
    for publisher in &target.news_at {
        let mut client = Client::new(publisher);
        for sale in &sales {
            let path = format!("/v1/sales/{sale}/attempts");
            let mut tries = 0;
            while client.post(&path, &shopper, wrong.clone()).await?.status != 422 {
                tries += 1;
                if tries > 200 {
                    return Err(format!("publisher {publisher} never heard of sale {sale}"));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    Ok(sales)
}

fn created(answer: Answer) -> Result<u64, String> {
    match (answer.status, answer.json()["id"].as_u64()) {
        (201, Some(id)) => Ok(id),
        _ => Err(format!("an operator's call was answered {} {}", answer.status, answer.json())),
    }
}

/// The rolls and the rotation, while buyers come and go.
async fn change(options: &Options, target: &mut Target, plan: &Plan, rush: &Rush) -> Result<Option<Rotation>, String> {
    if !options.is_rolled() {
        return Ok(None);
    }
    tokio::time::sleep_until((rush.start + Duration::from_secs(1)).into()).await;
    if !options.roll.is_empty() {
        roll::roll(target, &options.roll).await?;
    }
    let mut rotation = None;
    if options.rotate_keys {
        let mut begun = Rotation::begin(target).await?;
        begun.publish(target).await?;
        let first = FIRST_BUYER + rush.next.load(Ordering::Relaxed);
        let _ = plan.new_keys.set((first, begun.new_keys.clone()));
        begun.sign(target).await?;
        rotation = Some(begun);
    }
    let came = rush.next.load(Ordering::Relaxed);
    eprintln!("loadtest: all is changed, {} ms into the rush, after {came} buyers", rush.start.elapsed().as_millis());
    if came >= options.buyers {
        return Err(
            "the rush was over before everything was changed: nobody was there to see it; lower the rate".to_owned()
        );
    }
    Ok(rotation)
}

/// One connection's share of the presses.
async fn press_all(plan: Arc<Plan>, rush: Arc<Rush>, queue: Arc<Queue>, publisher: usize) -> Vec<Pressed> {
    let mut way = Way::new(&plan.publishers, publisher);
    let mut pressed = Vec::new();
    tokio::time::sleep_until(rush.start.into()).await;
    let give_up = rush.start + Duration::from_secs(plan.options.buyers / plan.options.rate + plan.options.settle_s_max);
    while rush.open.load(Ordering::Relaxed) > 0 && Instant::now() < give_up {
        let Some((number, intended)) = rush.next_press(&plan).await else {
            continue;
        };
        let sent = Instant::now();
        match press(&plan, &mut way, number).await {
            Ok(Press::Answered(answer)) => {
                rush.open.fetch_sub(1, Ordering::Relaxed);
                let since = |at: Instant| at.duration_since(rush.start).as_micros() as u64;
                let sale = plan.sale(number);
                if let PressAnswer::Accepted(attempt) = answer {
                    queue.enter(Followed { buyer: FIRST_BUYER + number, sale, attempt: attempt.to_string() });
                }
                let (intended_us, sent_us, answered_us) = (since(intended), since(sent), since(Instant::now()));
                pressed.push(Pressed { buyer: FIRST_BUYER + number, sale, intended_us, sent_us, answered_us, answer });
            }
            Ok(Press::Shed { retry_after_s }) => {
                rush.shed.fetch_add(1, Ordering::Relaxed);
                rush.press_again(number, Duration::from_secs(retry_after_s));
            }
            Err(_unheard) => {
                rush.unheard.fetch_add(1, Ordering::Relaxed);
                way.turn();
                rush.press_again(number, Duration::from_millis(50));
            }
        }
    }
    pressed
}

impl Rush {
    /// The next press that is due, or nothing while everything that is left waits for later.
    async fn next_press(&self, plan: &Plan) -> Option<(u64, Instant)> {
        let intended = |number: u64| self.start + Duration::from_secs_f64(number as f64 / plan.options.rate as f64);
        let again = {
            let mut again = self.again.lock().expect("no presser panics");
            match again.peek() {
                Some(Reverse((due, _))) if *due <= Instant::now() => again.pop(),
                _ => None,
            }
        };
        if let Some(Reverse((_, number))) = again {
            return Some((number, intended(number)));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= plan.options.buyers {
            tokio::time::sleep(Duration::from_millis(5)).await;
            return None;
        }
        let at = intended(number);
        if at > Instant::now() {
            tokio::time::sleep_until(at.into()).await;
        }
        Some((number, at))
    }

    fn press_again(&self, number: u64, after: Duration) {
        self.again.lock().expect("no presser panics").push(Reverse((Instant::now() + after, number)));
    }
}

enum Press {
    Answered(PressAnswer),
    Shed { retry_after_s: u64 },
}

async fn press(plan: &Plan, way: &mut Way, number: u64) -> Result<Press, String> {
    let token = plan.token(BuyerId(FIRST_BUYER + number));
    way.on_behalf_of(plan.address(FIRST_BUYER + number));
    let path = format!("/v1/sales/{}/attempts", plan.sale(number));
    let body = format!(r#"{{"question_id":0,"answer":"{ANSWER}","quantity":{}}}"#, plan.quantity(number));
    let answer = way.post(&plan.needless, &path, &token, body).await?;
    Ok(match answer.status {
        202 => match answer.json()["attempt_id"].as_str().and_then(|id| id.parse().ok()) {
            Some(attempt) => Press::Answered(PressAnswer::Accepted(attempt)),
            None => Press::Answered(PressAnswer::Refused(202)),
        },
        200 => Press::Answered(PressAnswer::SoldOut),
        429 | 502 | 503 | 504 => Press::Shed { retry_after_s: answer.retry_after_s.unwrap_or(1) },
        status => Press::Answered(PressAnswer::Refused(status)),
    })
}

/// The audit of a sale that has come to rest, or of one that did not in time.
async fn at_rest(options: &Options, target: &Target, sales: &[u64]) -> Result<Option<Value>, String> {
    if target.is_elsewhere() {
        return Ok(None);
    }
    let give_up = Instant::now() + Duration::from_secs(options.settle_s_max);
    loop {
        let audit = target.audit(sales).await?;
        let rests = audit.as_ref().is_none_or(|audit| audit["at_rest"] == true);
        if rests || Instant::now() >= give_up {
            return Ok(audit);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
