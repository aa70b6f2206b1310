//! Everything that is not a worker (buyers, time, faults), put together with the workers into one model.

use crate::event::Event;
use crate::explorer::Model;

use super::picture::picture;
use super::restore::{forget, unlock};
use super::rules::Rule;
use super::state::{ALL, Broken, CONSUMERS, Lease, Ledger, Row, SLOTS, Standing, State, Turnstile, Work, in_set};
use super::worlds::World;
use super::{Steps, consumer, invariants, payer};

impl Model for World {
    type State = State;
    type Action = Event;
    type Broken = Broken;

    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&self) -> State {
        let mut ledger = Ledger { generation: 1, ..Ledger::default() };
        ledger.rows[0] = Row { standing: Standing::Held, ..Row::default() };
        let redis = ledger.turnstile();
        State { ledger, redis, reach: ALL, left: self.left, ..State::default() }
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Steps { world: self, state, out };
        for slot in (0..CONSUMERS).filter(|slot| !(state.frozen && *slot == 0)) {
            consumer::steps(&mut steps, slot);
        }
        payer::steps(&mut steps);
        passage(&mut steps);
        faults_of_consumers(&mut steps);
        faults_of_redis(&mut steps);
    }

    fn always(&self, state: &State) -> Option<Broken> {
        state.broken.or_else(|| invariants::always(self, state))
    }

    fn is_at_rest(&self, state: &State) -> bool {
        invariants::is_at_rest(self, state)
    }

    fn at_rest(&self, state: &State) -> Option<Broken> {
        invariants::at_rest(self, state)
    }

    fn picture(&self, state: &State) -> String {
        picture(state)
    }
}

/// Buyers leave, leases run out, Redis comes back.
fn passage(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    for reservation in (0..state.ledger.rows.len()).filter(|r| in_set(world.cancels, *r)) {
        if matches!(state.ledger.rows[reservation].standing, Standing::Held | Standing::Standby) {
            steps.add("Buyer", "cancels r#", reservation, |next| {
                next.ledger.rows[reservation].standing = Standing::Ended;
                ""
            });
        }
    }
    let lease = state.ledger.lease;
    if let Some(holder) = (lease.by as usize).checked_sub(1) {
        let is_asleep = state.frozen && holder == 0;
        let is_renewed = !is_asleep && state.active as usize == holder && state.memory[holder].is_some();
        if !is_renewed && !lease.endless && world.has(Rule::LeaseEnds) {
            steps.add("Time", "the lease of consumer # is over", holder + 1, |next| {
                next.ledger.lease = Lease::default();
                ""
            });
        }
    }
    if state.reach != ALL && world.returns {
        steps.add("Time", "Redis can be reached again", 0, |next| {
            next.reach = ALL;
            ""
        });
    }
}

fn faults_of_consumers(steps: &mut Steps) {
    let state = steps.state;
    let left = state.left;
    if left.takeovers > 0 && !state.frozen {
        steps.fault("the broker makes another consumer active", 0, |next| {
            next.left.takeovers -= 1;
            next.active = 1 - next.active;
        });
    }
    for slot in 0..SLOTS {
        let memory = state.memory.get(slot).copied().flatten();
        if left.crashes > 0 && (state.work[slot] != Work::Idle || memory.is_some()) {
            steps.fault("worker # dies with all it knew", slot + 1, |next| {
                next.left.crashes -= 1;
                next.hurt |= matches!(next.work[slot], Work::Record { from_redis: true, .. });
                die(next, slot);
            });
        }
        if left.stops > 0 && memory.is_some() && state.work[slot] == Work::Idle && !state.frozen {
            steps.fault("consumer # is told to stop, and gives its lease back", slot + 1, |next| {
                next.left.stops -= 1;
                forget(next, slot);
                next.active = 1 - slot as u8;
            });
        }
    }
    if left.freezes > 0 && state.memory[0].is_some() {
        steps.fault("the first consumer's machine stands still, its connections stay; another is active", 0, |next| {
            next.left.freezes -= 1;
            (next.frozen, next.active) = (true, 1);
        });
    }
    if left.fast_clocks > 0 {
        steps.fault("the first consumer's clock runs far ahead", 0, |next| {
            next.left.fast_clocks -= 1;
            next.fast = true;
        });
    }
    if left.hasty > 0 && state.ledger.lease.by != 0 {
        steps.fault("a lease runs out though its holder lives", 0, |next| {
            next.left.hasty -= 1;
            next.ledger.lease = Lease::default();
        });
    }
    if left.lost > 0 && state.lock != 0 {
        steps.fault("the connection that has the lock ends", 0, |next| {
            next.left.lost -= 1;
            next.lock = 0;
        });
    }
}

fn die(next: &mut State, slot: usize) {
    next.work[slot] = Work::Idle;
    if let Some(memory) = next.memory.get_mut(slot) {
        *memory = None;
    }
    unlock(next, slot);
}

fn faults_of_redis(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    let left = state.left;
    if left.outages > 0 && state.reach == ALL {
        let (what, reach) = match world.one_sided {
            true => ("Redis cannot be reached by the first consumer", ALL & !1),
            false => ("Redis cannot be reached", 0),
        };
        steps.fault(what, 0, |next| {
            next.left.outages -= 1;
            next.reach = reach;
        });
    }
    if left.wipes > 0 {
        steps.fault("Redis is emptied", 0, |next| {
            next.left.wipes -= 1;
            (next.redis, next.hurt) = (Turnstile::default(), true);
        });
    }
    if left.failovers > 0 {
        steps.fault("Redis' replica stops following", 0, |next| {
            next.replica.get_or_insert(next.redis);
        });
        if let Some(replica) = state.replica {
            steps.fault("Redis fails over to its replica", 0, |next| {
                next.left.failovers -= 1;
                next.hurt |= replica != next.redis;
                (next.redis, next.replica) = (replica, None);
            });
        }
    }
}
