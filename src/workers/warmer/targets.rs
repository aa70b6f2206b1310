//! Whether those behind a load balancer serve: as many as the plan's groups bring, and all that are there.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use crate::ports::fleet::Health;
use crate::workers::warmer::Warmer;
use crate::workers::warmer::plan::Plan;
use crate::workers::warmer::report::{Part, Trouble};
use crate::workers::warmer::turn::Turn;

const KIND: &str = "target_group";

impl Warmer {
    /// `brought`: how many the groups bring to each.
    pub(super) async fn targets(&self, plan: &Plan, brought: &BTreeMap<String, u32>, turn: &mut Turn) {
        let targets = &self.fleet.targets;
        let asked = stream::iter(&plan.target_groups).map(|group| async move { (group, targets.health(group).await) });
        let answers: Vec<_> = asked.buffered(self.settings.calls_max).collect().await;
        for (group, health) in answers {
            match health {
                Ok(health) => {
                    let wanted = brought.get(group).copied().unwrap_or_default().max(1);
                    let (level, why) = judged(&health, wanted);
                    turn.target_groups.push(Part { name: group.clone(), level, events: BTreeMap::new() });
                    turn.waits.extend(why.map(|why| Trouble { kind: KIND, name: group.clone(), why }));
                }
                Err(fault) => turn.failed.push(Trouble { kind: KIND, name: group.clone(), why: fault.what }),
            }
        }
    }
}

/// How many are healthy, and what is missing.
pub fn judged(health: &[Health], wanted: u32) -> (String, Option<String>) {
    let healthy = health.iter().filter(|health| **health == Health::Healthy).count();
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for health in health {
        if let Health::Not(why) = health {
            *others.entry(why).or_default() += 1;
        }
    }
    let is_ready = healthy >= wanted as usize && others.is_empty();
    let why = (!is_ready).then(|| {
        let others = others.iter().map(|(why, count)| format!("; {count} {why}"));
        format!("{healthy} of {wanted} are healthy{}", others.collect::<String>())
    });
    (healthy.to_string(), why)
}
