//! How much of a fleet is looked at together, and how many calls change it at once, by a fleet that exists in words only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use miaosha::domain::fleet::Size;
use miaosha::ports::Result;
use miaosha::ports::fleet::{Fleet, Health, Kind, Leveled, Seen, Targets};
use miaosha::workers::warmer::plan::Plan;
use miaosha::workers::warmer::{Settings, Warmer};
use serde_json::{Value, json};

use crate::support::clock::{ManualClock, START};
use crate::support::held::{Hold, at_once, in_takes};

/// Groups that stay as small as they are; each is tagged when the test lets it.
struct Groups {
    tags: Option<Hold>,
    looks: Mutex<Vec<usize>>,
}

#[async_trait]
impl Kind<Size, String> for Groups {
    fn look_max(&self) -> usize {
        5
    }

    async fn look(&self, named: &[String]) -> Result<Vec<Seen<Size>>> {
        self.looks.lock().unwrap().push(named.len());
        let seen = |name: &String| Seen {
            id: name.clone(),
            name: name.clone(),
            level: Size { min: 1, desired: 1, max: 1 },
            tags: BTreeMap::new(),
            waits: None,
            moves: false,
            feeds: Vec::new(),
        };
        Ok(named.iter().map(seen).collect())
    }

    async fn set(&self, _: &[String], _: Size) -> Result<()> {
        Ok(())
    }

    async fn tag(&self, _: &[String], _: &str, _: &str) -> Result<()> {
        if let Some(hold) = &self.tags {
            hold.enter().await;
        }
        Ok(())
    }

    async fn untag(&self, _: &[String], _: &[String]) -> Result<()> {
        Ok(())
    }
}

/// There are none.
struct Nothing;

#[async_trait]
impl<L: Leveled, N: Sync> Kind<L, N> for Nothing {
    fn look_max(&self) -> usize {
        1
    }

    async fn look(&self, _: &[N]) -> Result<Vec<Seen<L>>> {
        Ok(Vec::new())
    }

    async fn set(&self, _: &[String], _: L) -> Result<()> {
        Ok(())
    }

    async fn tag(&self, _: &[String], _: &str, _: &str) -> Result<()> {
        Ok(())
    }

    async fn untag(&self, _: &[String], _: &[String]) -> Result<()> {
        Ok(())
    }
}

/// Healthy, each when the test lets it say so.
struct Behind(Hold);

#[async_trait]
impl Targets for Behind {
    async fn health(&self, _: &str) -> Result<Vec<Health>> {
        self.0.enter().await;
        Ok(vec![Health::Healthy])
    }
}

fn warmer(tags: Option<Hold>, health: Hold) -> (Warmer, Arc<Groups>) {
    let groups = Arc::new(Groups { tags, looks: Mutex::default() });
    let (instances, functions, targets) = (Arc::new(Nothing), Arc::new(Nothing), Arc::new(Behind(health)));
    let fleet = Fleet { groups: groups.clone(), instances, functions, targets };
    (Warmer { fleet, settings: Settings { calls_max: 3, ..Settings::default() }, clock: ManualClock::new() }, groups)
}

async fn warm(warmer: &Warmer, groups: usize, targets: usize) {
    // Each to a size of its own, so that none is changed together with another.
    let groups: Vec<Value> = (1..=groups).map(|at| json!({ "name": format!("g{at}"), "capacity": at + 1 })).collect();
    let targets: Vec<String> =
        (1..=targets).map(|at| format!("arn:aws:elasticloadbalancing:x:1:targetgroup/t{at}/1")).collect();
    let plan = json!({ "version": 1, "event": "e", "action": "warm", "until": START.plus_ms(3_600_000).rfc3339(),
        "groups": groups, "target_groups": targets, "wait_s_max": 0 });
    let plan = Plan::read(&plan, &warmer.settings).unwrap();
    warmer.run(&plan, START.plus_ms(60_000)).await.unwrap();
}

#[tokio::test]
async fn so_many_calls_change_a_fleet_at_once() {
    let hold = Hold::new();
    at_once(3, &hold, warm(&warmer(Some(hold.clone()), Hold::new()).0, 3 + 1, 0)).await;
    let hold = Hold::new();
    at_once(3, &hold, warm(&warmer(None, hold.clone()).0, 1, 3 + 1)).await;
}

#[tokio::test]
async fn a_look_is_of_so_many() {
    in_takes(5, async |count| {
        let (warmer, groups) = warmer(None, Hold::new());
        warm(&warmer, count, 0).await;
        let looks = groups.looks.lock().unwrap();
        // It is looked once more at what was just changed.
        looks[..looks.len() / 2].to_vec()
    })
    .await;
}
