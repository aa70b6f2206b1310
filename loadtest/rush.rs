//! The rush: every buyer presses the button at a moment fixed beforehand, whatever became of those before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use miaosha::adapters::system::SystemClock;
use miaosha::domain::shared::id::SaleId;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::follow::{self, Queue};
use crate::keys::admission;
use crate::offer::{OPERATOR, Offer};
use crate::plan::{ANSWER, FIRST_BUYER, Options, Plan, World};
use crate::press::{Pressed, Presses, press_all};
use crate::roll::{self, Rotation};
use crate::target::Target;
use crate::verdict::{self, Verdict};

/// A rush that is over and at rest.
pub struct Round {
    pub pressed: Vec<Pressed>,
    pub audit: Option<Value>,
    pub verdict: Verdict,
}

pub async fn run(options: Options) -> Result<bool, String> {
    let mut target = match (&options.url, options.world) {
        (Some(url), _) => Target::url(url)?,
        (None, World::Embedded) => Target::embedded(None, "").await?,
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
    let plan = Plan::new(options, target, sales);
    let queue = Arc::new(Queue::default());
    let stop = CancellationToken::new();
    if options.is_rolled() {
        tokio::spawn(plan.publishers.clone().watch(stop.clone()));
        tokio::spawn(plan.gateways.clone().watch(stop.clone()));
    }
    let followers: Vec<_> = (0..options.followers)
        .map(|number| tokio::spawn(follow::follow(plan.clone(), queue.clone(), number, stop.clone())))
        .collect();

    let presses = Presses::of(options.buyers, Instant::now() + Duration::from_millis(200));
    let pressing: Vec<_> = (0..options.connections)
        .map(|number| tokio::spawn(press_all(plan.clone(), presses.clone(), queue.clone(), number)))
        .collect();
    roll::kill_parts(options, target, presses.start).await?;
    let rotation = change(options, target, &plan, &presses).await?;
    let mut pressed = Vec::new();
    for worker in pressing {
        pressed.extend(worker.await.map_err(|error| error.to_string())?);
    }

    follow::settle(&plan, &queue, Duration::from_secs(options.settle_s_max)).await;
    stop.cancel();
    for follower in followers {
        follower.await.map_err(|error| error.to_string())?;
    }
    let audit = at_rest(options.settle_s_max, target, &plan.sales).await?;
    let mut verdict = verdict::judge(
        &pressed,
        audit.as_ref(),
        presses.shed.load(Ordering::Relaxed),
        presses.unheard.load(Ordering::Relaxed),
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
    let offer = Offer {
        quantity_max: options.quantity_max,
        standby_max: options.standby,
        hold_ms: options.hold_ms,
        questions: json!([{ "prompt": "What is asked?", "answer": ANSWER }]),
        ..Offer::new(now, options.capacity)
    };
    let sales = offer.open(&target.gateways[0], &target.keys, options.sales).await?;
    // A wrong answer is refused only by a publisher that knows the sale.
    let wrong = json!({ "question_id": 0, "answer": "no", "quantity": 1 }).to_string();
    for publisher in &target.news_at {
        let mut client = Client::new(publisher);
        for sale in &sales {
            let path = format!("/v1/sales/{sale}/attempts");
            let shopper = admission(&target.keys, OPERATOR, SaleId(*sale));
            let mut tries = 0;
            while client.post(&path, &shopper, wrong.clone()).await?.status != 422 {
                tries += 1;
                if tries > 200 {
                    return Err(format!("publisher {publisher} does not know sale {sale}"));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    Ok(sales)
}

/// The rolls and the rotation, while buyers come and go.
async fn change(
    options: &Options,
    target: &mut Target,
    plan: &Plan,
    presses: &Presses,
) -> Result<Option<Rotation>, String> {
    if !options.is_rolled() {
        return Ok(None);
    }
    tokio::time::sleep_until((presses.start + Duration::from_secs(1)).into()).await;
    if !options.roll.is_empty() {
        roll::roll(target, &options.roll).await?;
    }
    let mut rotation = None;
    if options.rotate_keys {
        let mut begun = Rotation::begin(target).await?;
        begun.publish(target).await?;
        plan.log_in_by(begun.new_keys.clone(), FIRST_BUYER + presses.came());
        begun.sign(target).await?;
        rotation = Some(begun);
    }
    let came = presses.came();
    eprintln!(
        "loadtest: all is changed, {} ms into the rush, after {came} buyers",
        presses.start.elapsed().as_millis()
    );
    if came >= options.buyers {
        return Err(
            "the rush was over before everything was changed: no buyer was left to meet it; lower the rate".to_owned()
        );
    }
    Ok(rotation)
}

/// The audit of a sale that has come to rest, or of one that did not in time.
pub async fn at_rest(settle_s_max: u64, target: &Target, sales: &[u64]) -> Result<Option<Value>, String> {
    if target.is_elsewhere() {
        return Ok(None);
    }
    let give_up = Instant::now() + Duration::from_secs(settle_s_max);
    loop {
        let audit = target.audit(sales).await?;
        let rests = audit.as_ref().is_none_or(|audit| audit["at_rest"] == true);
        if rests || Instant::now() >= give_up {
            return Ok(audit);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
