//! How much of a fleet is looked at together, how many calls change it at once, and what is answered where time is up: by a fleet
//! that exists in words only.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use miaosha::domain::fleet::Size;
use miaosha::ports::Result;
use miaosha::ports::fleet::{Fleet, Health, Kind, Leveled, Seen, Targets};
use miaosha::workers::warmer::plan::Plan;
use miaosha::workers::warmer::{Answer, Outcome, RunError, Settings, Trouble, Warmer};
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

/// Says this of itself once, if anything, and then no look is answered.
struct Silent(Mutex<Option<Health>>);

#[async_trait]
impl Targets for Silent {
    async fn health(&self, _: &str) -> Result<Vec<Health>> {
        let said = self.0.lock().unwrap().take();
        match said {
            Some(health) => Ok(vec![health]),
            None => pending().await,
        }
    }
}

fn warmer(tags: Option<Hold>, health: Hold) -> (Warmer, Arc<Groups>) {
    let groups = Arc::new(Groups { tags, looks: Mutex::default() });
    let (instances, functions, targets) = (Arc::new(Nothing), Arc::new(Nothing), Arc::new(Behind(health)));
    let fleet = Fleet { groups: groups.clone(), instances, functions, targets };
    (Warmer { fleet, settings: Settings { calls_max: 3, ..Settings::default() }, clock: ManualClock::new() }, groups)
}

async fn run(warmer: &Warmer, groups: usize, targets: usize, wait_s_max: u32) -> Result<Answer, RunError> {
    // Each to a size of its own, so that none is changed together with another.
    let groups: Vec<Value> = (1..=groups).map(|at| json!({ "name": format!("g{at}"), "capacity": at + 1 })).collect();
    let targets: Vec<String> =
        (1..=targets).map(|at| format!("arn:aws:elasticloadbalancing:x:1:targetgroup/t{at}/1")).collect();
    let plan = json!({ "version": 1, "event": "e", "action": "warm", "until": START.plus_ms(3_600_000).rfc3339(),
        "groups": groups, "target_groups": targets, "wait_s_max": wait_s_max });
    let plan = Plan::read(&plan, &warmer.settings).unwrap();
    warmer.run(&plan, START.plus_ms(60_000)).await
}

async fn warm(warmer: &Warmer, groups: usize, targets: usize) {
    run(warmer, groups, targets, 0).await.unwrap();
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

/// A look that changed something saw the fleet before that: it does not say what is missing now.
#[tokio::test(start_paused = true)]
async fn a_last_look_that_is_cut_is_answered_with_what_the_one_before_missed() {
    let sick = || Some(Health::Not("unhealthy".to_owned()));
    let (missed, cut) = ("0 of 1 are healthy; 1 unhealthy", "calls took longer than there was time for");
    for (said, groups, expected) in [(sick(), 0, Ok(missed)), (None, 0, Err(cut)), (sick(), 1, Err(cut))] {
        let (mut warmer, _) = warmer(None, Hold::new());
        warmer.fleet.targets = Arc::new(Silent(Mutex::new(said)));
        let answer = match run(&warmer, groups, 1, 30).await {
            Ok(answer) => {
                assert_eq!((answer.outcome, answer.waited_s), (Outcome::NotReady, 52));
                Ok(answer.not_ready)
            }
            Err(RunError::Failed(failed)) => Err(failed.troubles),
            Err(other) => panic!("{other}"),
        };
        let why = |troubles: Vec<Trouble>| troubles.into_iter().map(|trouble| trouble.why).collect::<Vec<_>>();
        let expected = expected.map(|why| vec![why.to_owned()]).map_err(|why| vec![why.to_owned()]);
        assert_eq!(answer.map(why).map_err(why), expected);
    }
}
