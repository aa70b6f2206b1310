//! Hoarding: accounts that pay for nothing press before everybody else, and again whenever a hold lapses, beside honest buyers who
//! press once a hold period and pay. Two shops at once, one that asks nothing of who comes and one that asks what shops ask: who
//! gets the units, by what hoarders are turned away, and what a hold costs them.
//!
//! Deliberately absent: sign-up. What an account costs is told in accounts: a mailbox that somebody reads, each.

mod buyer;
mod reserve;
mod scale;
mod stage;
mod tally;
mod work;

use std::sync::Arc;

use clap::{Args, value_parser};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use buyer::{Buyer, Next};
use scale::Scale;
use stage::Stage;
use tally::{Figures, Side};

use crate::rush::at_rest;
use crate::target::Target;

#[derive(Args, Clone)]
pub struct Options {
    /// Accounts of the hoarder.
    #[arg(long, default_value_t = 225)]
    accounts: u64,
    /// Networks (a /24 each) that they come from.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=256))]
    networks: u16,
    /// Honest buyers at any time: who has paid goes, and another one comes.
    #[arg(long, default_value_t = 20)]
    honest: u64,
    #[arg(long, default_value_t = 100)]
    capacity: u32,
    /// Hoarders ask for so many units, honest buyers for 1 to so many.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u8).range(1..))]
    quantity_max: u8,
    /// Parties that may wait.
    #[arg(long, default_value_t = 200)]
    standby: u32,
    /// So long is a hold here; of a shop it is ten minutes. Waits, windows and work are shortened with it, and the work is told as a
    /// shop would have asked for it.
    #[arg(long, default_value_t = 4_000, value_parser = value_parser!(i64).range(2_000..))]
    hold_ms: i64,
    /// Hold periods from the bell, at most; it ends when all is sold.
    #[arg(long, default_value_t = 36)]
    periods: u32,
    /// Buyers of one network that the shop with conditions admits; a share of the sale, as in shops, when it is not said.
    #[arg(long)]
    network_places: Option<u32>,
    /// Connections of each side.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How long the books may take to come to rest.
    #[arg(long, default_value_t = 120)]
    settle_s_max: u64,
    /// The last line is one JSON object.
    #[arg(long)]
    json: bool,
}

impl Options {
    /// Accounts that a sale has room for, all of one hoarder.
    fn places(&self) -> usize {
        (self.capacity / u32::from(self.quantity_max) + self.standby) as usize
    }
}

pub async fn run(options: Options) -> Result<bool, String> {
    let speed = work::speed().await?;
    let (without, with) = tokio::try_join!(shop(&options, false, speed), shop(&options, true, speed))?;
    let [before, after] = [without.json(), with.json()];
    let gets_less = with.tally.honest.units < without.tally.honest.units;
    println!(
        "{} accounts of a hoarder in {} networks, {} honest buyers at any time, {} units",
        options.accounts, options.networks, options.honest, options.capacity
    );
    println!("{:<32}{:>24}{:>24}", "", "nothing is asked", "as shops ask");
    for (name, figure) in before.as_object().into_iter().flatten() {
        print_row(name, figure, &after[name]);
    }
    if gets_less {
        println!("honest buyers get less with the conditions than without");
    }
    if options.json {
        println!("{}", json!({ "digests_per_s": speed.round(), "without": before, "with": after }));
    }
    Ok(without.adds_up() && with.adds_up() && !gets_less)
}

/// What has names of its own takes a row for each.
fn print_row(name: &str, before: &Value, after: &Value) {
    let (Some(first), Some(second)) = (before.as_object(), after.as_object()) else {
        return println!("{name:<32}{:>24}{:>24}", before.to_string(), after.to_string());
    };
    println!("{name}");
    let told = |value: Option<&Value>| {
        value.map_or_else(|| "-".to_owned(), |of| format!("{} ({} calls)", of["accounts"], of["calls"]))
    };
    let mut keys: Vec<&String> = first.keys().chain(second.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        println!("  {key:<30}{:>24}{:>24}", told(first.get(key)), told(second.get(key)));
    }
}

async fn shop(options: &Options, conditions: bool, speed: f64) -> Result<Figures, String> {
    let scale = Scale { hold_ms: options.hold_ms };
    let target = Target::embedded(None, &scale.settings(conditions, options.network_places)).await?;
    let outcome = contest(options, &target, speed).await;
    target.end(outcome.as_ref().is_ok_and(Figures::adds_up)).await?;
    outcome
}

async fn contest(options: &Options, target: &Target, speed: f64) -> Result<Figures, String> {
    let stage = Stage::open(options, target).await?;
    let mut sides = JoinSet::new();
    for number in 0..options.accounts {
        sides.spawn(hoard(stage.clone(), number));
    }
    for _ in 0..options.honest {
        sides.spawn(be_honest(stage.clone()));
    }
    stage.last().await;
    let periods = stage.periods();
    while let Some(ended) = sides.join_next().await {
        ended.map_err(|error| error.to_string())?;
    }
    let booked = booked(&stage, target).await?;
    let tally = std::mem::take(&mut *stage.tally());
    let work_s = stage.scale.digests(tally.digests) / speed;
    Ok(Figures { tally, periods, capacity: options.capacity, work_s, booked })
}

/// An account of the hoarder: in the sale while there is room for it, and again until it is out.
async fn hoard(stage: Arc<Stage>, number: u64) {
    let mut buyer = Buyer::new(&stage, Side::Hoarder, number);
    while stage.stop.run_until_cancelled(stage.reserve.enter()).await.is_some() {
        let next = loop {
            match buyer.turn().await {
                Next::Again => {}
                Next::Later(pause) => {
                    if !stage.rest(pause).await {
                        break Next::Out;
                    }
                }
                next => break next,
            }
            if stage.stop.is_cancelled() {
                break Next::Out;
            }
        };
        stage.reserve.leave();
        let Next::Waits(pause) = next else { return };
        if !stage.rest(pause).await {
            return;
        }
    }
}

/// One honest buyer after another, each of whom comes at some moment of a hold period, and tries once in each.
async fn be_honest(stage: Arc<Stage>) {
    if !stage.bell().await {
        return;
    }
    loop {
        let mut buyer = Buyer::new(&stage, Side::Honest, stage.comes());
        loop {
            let moment = stage.scale.hold().mul_f64(fastrand::f64());
            if !stage.rest(moment).await {
                return;
            }
            if matches!(buyer.turn().await, Next::Paid | Next::Out) {
                break;
            }
            if !stage.rest(stage.scale.hold() - moment).await {
                return;
            }
        }
    }
}

/// Units sold by the books, once everybody has let go of what was not paid; nothing where the books are wrong.
async fn booked(stage: &Arc<Stage>, target: &Target) -> Result<Option<u64>, String> {
    for number in 0..stage.options.accounts {
        Buyer::new(stage, Side::Hoarder, number).let_go().await?;
    }
    for number in 0..stage.comes() {
        Buyer::new(stage, Side::Honest, number).let_go().await?;
    }
    let audit = at_rest(stage.options.settle_s_max, target, &[stage.sale]).await?.unwrap_or_default();
    let is_right = audit["pass"] == true && audit["at_rest"] == true;
    Ok(is_right.then(|| audit["sales"][0]["figures"]["sold"].as_u64().unwrap_or_default()))
}
