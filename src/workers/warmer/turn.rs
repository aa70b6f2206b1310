//! One look at everything a plan names, and what is done about it.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use crate::domain::fleet::{Ask, Level, Step, Want, Wants, steps};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::fleet::{Kind, Leveled, Seen};
use crate::workers::warmer::plan::{Action, Plan};
use crate::workers::warmer::report::{Part, Trouble};
use crate::workers::warmer::{Settings, Warmer};

/// Before an event's name in a tag's key.
const PREFIX: &str = "miaosha:warm:";

#[derive(Debug, Default)]
pub struct Turn {
    pub steps: usize,
    /// What could not be looked at or done.
    pub failed: Vec<Trouble>,
    /// What was asked for and does not serve yet.
    pub waits: Vec<Trouble>,
    pub is_over: bool,
    pub groups: Vec<Part>,
    pub instances: Vec<Part>,
    pub functions: Vec<Part>,
    pub target_groups: Vec<Part>,
}

impl Turn {
    /// Of which nothing is known, because a call was not answered in time.
    pub fn cut() -> Self {
        let why = "calls took longer than there was time for".to_owned();
        Self { failed: vec![Trouble { kind: "fleet", name: "all".to_owned(), why }], ..Self::default() }
    }

    pub fn is_done(&self) -> bool {
        self.steps == 0 && self.failed.is_empty() && self.waits.is_empty()
    }

    /// Between two looks.
    pub fn tell(&self) {
        let (steps, waits) = (self.steps, self.waits.len());
        tracing::info!(
            steps,
            waits,
            failed = self.failed.len(),
            first = self.waits.first().map(|first| first.to_string()),
            "looked"
        );
        for Trouble { kind, name, why } in &self.failed {
            tracing::warn!(fleet.kind = kind, fleet.name = name, why, "tried again");
        }
    }
}

/// One thing, or those with one tag, of a plan.
struct Item<N> {
    named: N,
    /// Exactly one is expected, of this name; otherwise one at least.
    name: Option<String>,
    what: String,
    amount: u32,
    /// Behind the event's name in a tag's key.
    suffix: String,
}

/// What a turn is about, for each kind of thing.
struct Errand<'a> {
    kind: &'static str,
    event: &'a str,
    action: Action,
    until: Timestamp,
    now: Timestamp,
    settings: &'a Settings,
}

#[derive(Default)]
struct Done {
    steps: usize,
    failed: Vec<Trouble>,
    waits: Vec<Trouble>,
    parts: Vec<Part>,
    brought: BTreeMap<String, u32>,
}

impl Warmer {
    pub(super) async fn turn(&self, plan: &Plan) -> Turn {
        let now = self.clock.now();
        let is_over = plan.action == Action::Warm && plan.until <= now;
        let action = if is_over { Action::Cool } else { plan.action };
        let (event, until, settings) = (plan.event.as_str(), plan.until, &self.settings);
        let errand = |kind| Errand { kind, event, action, until, now, settings };
        let groups: Vec<_> = plan
            .groups
            .iter()
            .map(|(name, capacity)| Item {
                named: name.clone(),
                name: Some(name.clone()),
                what: name.clone(),
                amount: *capacity,
                suffix: String::new(),
            })
            .collect();
        let instances: Vec<_> = plan
            .instances
            .iter()
            .map(|tagged| Item {
                named: tagged.clone(),
                name: None,
                what: format!("{}={}", tagged.tag, tagged.value),
                amount: 1,
                suffix: String::new(),
            })
            .collect();
        let functions: Vec<_> = plan
            .functions
            .iter()
            .map(|(function, provisioned)| {
                let name = format!("{}:{}", function.name, function.qualifier);
                let suffix = format!(":{}", function.qualifier);
                Item { named: function.clone(), name: Some(name.clone()), what: name, amount: *provisioned, suffix }
            })
            .collect();
        let (of_groups, of_instances, of_functions) = (errand("group"), errand("instance"), errand("function"));
        let (groups, instances, functions) = tokio::join!(
            of_groups.bring(&*self.fleet.groups, &groups),
            of_instances.bring(&*self.fleet.instances, &instances),
            of_functions.bring(&*self.fleet.functions, &functions),
        );
        let mut turn = Turn { is_over, ..Turn::default() };
        let brought = turn.take(groups, |turn| &mut turn.groups);
        turn.take(instances, |turn| &mut turn.instances);
        turn.take(functions, |turn| &mut turn.functions);
        if action == Action::Warm {
            self.targets(plan, &brought, &mut turn).await;
        }
        turn
    }
}

impl Turn {
    fn take(&mut self, done: Done, parts: impl Fn(&mut Self) -> &mut Vec<Part>) -> BTreeMap<String, u32> {
        self.steps += done.steps;
        self.failed.extend(done.failed);
        self.waits.extend(done.waits);
        *parts(self) = done.parts;
        done.brought
    }
}

impl Errand<'_> {
    async fn bring<L: Leveled, N: Clone + Sync>(&self, kind: &dyn Kind<L, N>, items: &[Item<N>]) -> Done {
        let mut done = Done::default();
        for items in items.chunks(kind.look_max()) {
            let named: Vec<_> = items.iter().map(|item| item.named.clone()).collect();
            match kind.look(&named).await {
                Ok(all) => self.bring_seen(kind, items, all, &mut done).await,
                Err(fault) => {
                    let names: Vec<&str> = items.iter().map(|item| item.what.as_str()).collect();
                    done.failed.push(self.trouble(&names.join(", "), fault.what));
                }
            }
        }
        done
    }

    async fn bring_seen<L: Leveled, N: Sync>(
        &self,
        kind: &dyn Kind<L, N>,
        items: &[Item<N>],
        all: Vec<Seen<L>>,
        done: &mut Done,
    ) {
        for item in items {
            let is_there = all.iter().any(|seen| item.name.as_ref().is_none_or(|name| *name == seen.name));
            // After the event there is no need of it.
            if !is_there && self.action == Action::Warm {
                done.failed.push(self.trouble(&item.what, "is not there"));
            }
        }
        let mut batches: Vec<Batch<L>> = Vec::new();
        for seen in all {
            let item = items.iter().find(|item| item.name.as_ref().is_none_or(|name| *name == seen.name));
            let Some(item) = item else { continue };
            let wants = match self.wants(&seen, &item.suffix) {
                Ok(wants) => wants,
                Err(trouble) => {
                    done.failed.push(trouble);
                    continue;
                }
            };
            let steps = self.steps(&seen, &wants, item.amount);
            self.record(&seen, &wants, steps.is_empty(), done);
            if steps.is_empty() || seen.moves {
                continue;
            }
            match batches.iter_mut().find(|batch| batch.steps == steps && batch.suffix == item.suffix) {
                Some(batch) => batch.ids.push(seen.id),
                None => batches.push(Batch { ids: vec![seen.id], suffix: item.suffix.clone(), steps }),
            }
        }
        let applied = stream::iter(&batches).map(|batch| self.apply(kind, batch));
        let applied: Vec<_> = applied.buffer_unordered(self.settings.calls_max).collect().await;
        for (steps, failed) in applied {
            done.steps += steps;
            done.failed.extend(failed);
        }
    }

    fn steps<L: Level>(&self, seen: &Seen<L>, wants: &Wants<L>, amount: u32) -> Vec<Step<L>> {
        let ask = match self.action {
            Action::Warm => Ask::Warm { amount },
            Action::Cool => Ask::Cool,
        };
        steps(seen.level, wants, self.event, ask, self.until, self.now)
    }

    fn record<L: Level>(&self, seen: &Seen<L>, wants: &Wants<L>, is_settled: bool, done: &mut Done) {
        let events = wants.iter().filter(|(_, want)| want.until > self.now);
        let events = events.map(|(event, want)| (event.clone(), want.amount)).collect();
        done.parts.push(Part { name: seen.name.clone(), level: seen.level.to_string(), events });
        if let Some(why) = &seen.waits {
            let trouble = self.trouble(&seen.name, why);
            match self.action {
                Action::Warm => done.waits.push(trouble),
                // A cool run waits for nothing but what takes no call yet.
                Action::Cool if seen.moves && !is_settled => done.failed.push(trouble),
                Action::Cool => {}
            }
        }
        for group in &seen.feeds {
            *done.brought.entry(group.clone()).or_default() += seen.level.serving();
        }
    }

    /// What cannot be read may be the only record of how large the thing was: it is left to a version that can read it.
    fn wants<L: Level>(&self, seen: &Seen<L>, suffix: &str) -> Result<Wants<L>, Trouble> {
        let mut wants = Wants::new();
        for (key, value) in &seen.tags {
            let event = key.strip_prefix(PREFIX).and_then(|event| event.strip_suffix(suffix));
            // On a function, tags of other aliases.
            let Some(event) = event.filter(|event| !event.contains(':')) else { continue };
            let unreadable = || self.trouble(&seen.name, format!("the tag {key}={value} cannot be read"));
            wants.insert(event.to_owned(), value.parse::<Want<L>>().map_err(|_| unreadable())?);
        }
        let own = usize::from(self.action == Action::Warm && !wants.contains_key(self.event));
        if wants.len() + own > self.settings.events_max {
            let why = format!("{} events want something of it (events_max)", wants.len() + own);
            return Err(self.trouble(&seen.name, why));
        }
        Ok(wants)
    }

    fn trouble(&self, name: &str, why: impl Into<String>) -> Trouble {
        Trouble { kind: self.kind, name: name.to_owned(), why: why.into() }
    }

    /// What takes the same steps takes them together, until one of them is in the way of the others.
    async fn apply<L: Leveled, N: Sync>(&self, kind: &dyn Kind<L, N>, batch: &Batch<L>) -> (usize, Vec<Trouble>) {
        match self.walk(kind, &batch.ids, batch).await {
            Ok(()) => (batch.ids.len() * batch.steps.len(), Vec::new()),
            Err(trouble) if batch.ids.len() == 1 => (0, vec![trouble]),
            Err(_) => {
                let (mut steps, mut failed) = (0, Vec::new());
                for id in &batch.ids {
                    match self.walk(kind, std::slice::from_ref(id), batch).await {
                        Ok(()) => steps += batch.steps.len(),
                        Err(trouble) => failed.push(trouble),
                    }
                }
                (steps, failed)
            }
        }
    }

    async fn walk<L: Leveled, N: Sync>(
        &self,
        kind: &dyn Kind<L, N>,
        ids: &[String],
        batch: &Batch<L>,
    ) -> Result<(), Trouble> {
        let key = |event: &str| format!("{PREFIX}{event}{}", batch.suffix);
        for step in &batch.steps {
            let (done, said) = match step {
                Step::Want(want) => {
                    let value = want.to_string();
                    (kind.tag(ids, &key(self.event), &value).await, format!("{}={value}", key(self.event)))
                }
                Step::Set(level) => (kind.set(ids, *level).await, format!("level {level}")),
                Step::Forget(events) => {
                    let keys: Vec<String> = events.iter().map(|event| key(event)).collect();
                    (kind.untag(ids, &keys).await, format!("without {}", keys.join(", ")))
                }
            };
            let names = ids.join(", ");
            done.map_err(|fault| self.trouble(&names, format!("{said}: {}", fault.what)))?;
            tracing::info!(fleet.event = self.event, fleet.kind = self.kind, fleet.name = names, step = said, "done");
        }
        Ok(())
    }
}

/// Things that take the same steps.
struct Batch<L> {
    ids: Vec<String>,
    suffix: String,
    steps: Vec<Step<L>>,
}
