//! What is to be done, over any order and repetition of events that overlap, with runs that are cut, and with two at once.

use std::collections::BTreeMap;

use miaosha::domain::fleet::{Ask, Level, Size, Step, Want, Wants, steps};
use miaosha::domain::shared::time::Timestamp;
use proptest::prelude::*;

const BASE: Size = Size { min: 1, desired: 2, max: 5 };
const NAMES: [&str; 3] = ["autumn", "spring", "summer"];

/// A group as AWS keeps it.
#[derive(Debug, Clone, PartialEq)]
struct Group<L> {
    level: L,
    wants: Wants<L>,
}

impl<L: Level> Group<L> {
    fn new(level: L) -> Self {
        Self { level, wants: Wants::new() }
    }

    fn take(&mut self, event: &str, step: Step<L>) {
        match step {
            Step::Want(want) => drop(self.wants.insert(event.to_owned(), want)),
            Step::Set(level) => self.level = level,
            Step::Forget(events) => self.wants.retain(|event, _| !events.contains(event)),
        }
    }

    /// Until there is nothing left to do, or it is cut after so many steps.
    fn run(&mut self, order: Order, steps_max: usize) -> bool {
        for taken in 0.. {
            let Some(step) = self.next(order) else { break };
            if taken == steps_max {
                return false;
            }
            self.take(NAMES[order.event], step);
        }
        true
    }

    fn next(&self, order: Order) -> Option<Step<L>> {
        self.steps(order).into_iter().next()
    }

    fn steps(&self, order: Order) -> Vec<Step<L>> {
        steps(self.level, &self.wants, NAMES[order.event], order.ask(), order.until, order.now)
    }
}

#[derive(Debug, Clone, Copy)]
struct Order {
    event: usize,
    /// 0 cools.
    amount: u32,
    until: Timestamp,
    now: Timestamp,
}

impl Order {
    fn ask(self) -> Ask {
        if self.amount == 0 { Ask::Cool } else { Ask::Warm { amount: self.amount } }
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp(second * 1_000)
}

/// Orders one second after the other; some are cut after so many steps, and come again when the others are through.
fn orders() -> impl Strategy<Value = Vec<(Order, usize)>> {
    let order = (0..NAMES.len(), 0..9_u32, 0..40_i64, prop_oneof![3 => Just(9), 1 => 0..3_usize]);
    proptest::collection::vec(order, 1..16).prop_map(|all| {
        let all = all.into_iter().enumerate();
        all.map(|(second, (event, amount, until, cut))| {
            (Order { event, amount, until: at(until), now: at(second as i64) }, cut)
        })
        .collect()
    })
}

/// What the orders that were done ask for.
#[derive(Default)]
struct Asked(BTreeMap<usize, (u32, Timestamp)>);

impl Asked {
    fn done(&mut self, order: Order) {
        if order.amount > 0 {
            self.0.insert(order.event, (order.amount, order.until));
        } else if self.0.get(&order.event).is_some_and(|(_, until)| *until <= order.until) {
            self.0.remove(&order.event);
        }
        self.0.retain(|_, (_, until)| *until > order.now);
    }

    fn level<L: Level>(&self, base: L) -> L {
        base.raised(self.0.values().map(|(amount, _)| *amount).max().unwrap_or(0))
    }
}

/// Through all orders and what was cut; then the level is the largest wish or the base, and nothing else is left.
fn comes_right<L: Level>(base: L, orders: &[(Order, usize)]) -> Result<(), TestCaseError> {
    let (mut group, mut asked, mut again) = (Group::new(base), Asked::default(), Vec::new());
    let mut now = at(0);
    for (order, cut) in orders {
        now = order.now;
        if group.run(*order, *cut) { asked.done(*order) } else { again.push(*order) }
    }
    for order in again {
        let order = Order { now, ..order };
        prop_assert!(group.run(order, 9), "{group:?}");
        asked.done(order);
        prop_assert_eq!(group.steps(order), [], "done twice, there is more to do: {:?}", group);
    }
    let looked = group.run(Order { event: 0, amount: 0, until: at(-1), now }, 9);
    prop_assert!(looked);
    prop_assert_eq!(group.level, asked.level(base));
    let wishes: Vec<u32> = group.wants.values().map(|want| want.amount).collect();
    prop_assert_eq!(wishes, asked.named());
    for event in 0..NAMES.len() {
        let cooled = group.run(Order { event, amount: 0, until: at(99), now }, 9);
        prop_assert!(cooled);
    }
    prop_assert_eq!(group, Group::new(base));
    Ok(())
}

impl Asked {
    fn named(&self) -> Vec<u32> {
        self.0.values().map(|(amount, _)| *amount).collect()
    }
}

/// Two events are warmed at once, by runs that see what they see and act on it later: whose turn it is, chance decides.
fn two_at_once(pairs: &[(Order, Order)], turns: &[bool]) -> Result<(), TestCaseError> {
    let mut group = Group::new(BASE);
    let mut turns = turns.iter().copied().chain([true, false].into_iter().cycle());
    for (one, other) in pairs {
        let mut orders = [*one, *other];
        for order in &mut orders {
            *order = Order {
                amount: order.amount.max(1),
                now: one.now,
                until: order.until.max(one.now.plus_ms(1)),
                ..*order
            };
        }
        orders[1].event = (one.event + 1 + other.event % 2) % NAMES.len();
        let mut plans: [Option<Vec<Step<Size>>>; 2] = [None, None];
        let mut settled = [false, false];
        while settled != [true, true] {
            let at = usize::from(turns.next().unwrap());
            // A run that has answered looks no more.
            if settled[at] {
                continue;
            }
            match &mut plans[at] {
                Some(plan) if !plan.is_empty() => {
                    let step = plan.remove(0);
                    group.take(NAMES[orders[at].event], step);
                }
                plan => {
                    let seen = group.steps(orders[at]);
                    settled[at] = seen.is_empty();
                    *plan = Some(seen);
                }
            }
        }
        let live = group.wants.values().filter(|want| want.until > one.now);
        let wanted = live.map(|want| want.amount).max().unwrap_or(0);
        let least = BASE.raised(wanted);
        prop_assert!(group.level.min >= least.min && group.level.desired >= least.desired, "{group:?}");
        for order in orders {
            prop_assert!(group.wants.contains_key(NAMES[order.event]), "{order:?} was lost: {group:?}");
        }
    }
    for event in 0..NAMES.len() {
        let cooled = group.run(Order { event, amount: 0, until: at(99), now: at(50) }, 9);
        prop_assert!(cooled);
    }
    prop_assert_eq!(group, Group::new(BASE));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_order_of_events_comes_right(orders in orders()) {
        comes_right(BASE, &orders)?;
        comes_right(0_u32, &orders)?;
        comes_right(1_u32, &orders)?;
    }

    #[test]
    fn two_at_once_lose_no_wish_and_no_base(orders in orders(), turns in proptest::collection::vec(any::<bool>(), 0..60)) {
        let orders: Vec<Order> = orders.into_iter().map(|(order, _)| order).collect();
        let pairs: Vec<(Order, Order)> = orders.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        two_at_once(&pairs, &turns)?;
    }

    #[test]
    fn a_wish_is_read_as_it_was_written(amount in any::<u32>(), second in 0..200_000_000_000_i64, parts: [u32; 3]) {
        let mut parts = parts;
        parts.sort_unstable();
        let base = Size { min: parts[0], desired: parts[1], max: parts[2] };
        let want = Want { amount, until: at(second), base };
        prop_assert_eq!(want.to_string().parse(), Ok(want));
        let until = at(second).rfc3339();
        prop_assert_eq!(Timestamp::from_rfc3339(&until), Some(at(second)), "{}", until);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}", shaped in "[0-9/TZ:-]{0,44}") {
        for text in [text, shaped] {
            let _ = text.parse::<Want<Size>>();
            let _ = text.parse::<Want<u32>>();
            if let Some(at) = Timestamp::from_rfc3339(&text) {
                prop_assert_eq!(at.rfc3339(), text);
            }
        }
    }
}

fn warm(event: usize, amount: u32) -> Order {
    Order { event, amount, until: at(100), now: at(1) }
}

fn cool(event: usize) -> Order {
    warm(event, 0)
}

fn size(min: u32, desired: u32, max: u32) -> Size {
    Size { min, desired, max }
}

#[test]
fn the_least_and_the_most_go_along() {
    let mut group = Group::new(BASE);
    group.run(warm(0, 12), 9);
    assert_eq!(group.level, size(12, 12, 12));
    group.run(warm(1, 4), 9);
    group.run(cool(0), 9);
    assert_eq!(group.level, size(4, 4, 5));
    group.run(cool(1), 9);
    assert_eq!(group, Group::new(BASE));
}

#[test]
fn what_was_set_higher_stays_while_an_event_lasts() {
    let mut group = Group::new(BASE);
    group.run(warm(0, 6), 9);
    group.level = size(6, 9, 20);
    group.run(warm(0, 6), 9);
    group.run(warm(1, 8), 9);
    assert_eq!(group.level, size(8, 9, 20), "a second event takes nothing away that the load had added");
    group.run(cool(1), 9);
    assert_eq!(group.level, size(6, 9, 20));
    group.run(cool(0), 9);
    assert_eq!(group.level, BASE);
}

#[test]
fn what_was_set_lower_is_raised_again_but_not_by_cooling() {
    let mut group = Group::new(BASE);
    group.run(warm(0, 6), 9);
    group.level = size(0, 0, 3);
    let mut warmed = group.clone();
    warmed.run(warm(0, 6), 9);
    assert_eq!(warmed.level, size(6, 6, 6));
    group.run(cool(0), 9);
    assert_eq!(group, Group::new(size(0, 0, 3)));
}

#[test]
fn a_smaller_plan_makes_it_smaller() {
    let mut group = Group::new(BASE);
    group.run(warm(0, 12), 9);
    assert!(!group.run(warm(0, 7), 1), "cut in the middle");
    group.run(warm(0, 7), 9);
    assert_eq!(group.level, size(7, 7, 7));
    group.run(cool(0), 9);
    assert_eq!(group, Group::new(BASE));
}

#[test]
fn a_cool_leaves_a_plan_that_lasts_longer() {
    let mut group = Group::new(BASE);
    group.run(Order { until: at(200), ..warm(0, 12) }, 9);
    assert_eq!(group.steps(cool(0)), []);
    group.run(Order { until: at(200), ..cool(0) }, 9);
    assert_eq!(group, Group::new(BASE));
}

#[test]
fn what_ended_wants_nothing() {
    let mut group = Group::new(BASE);
    group.run(Order { now: at(100), ..warm(0, 12) }, 9);
    assert_eq!(group, Group::new(BASE), "warmed too late");
    group.run(warm(0, 12), 9);
    group.run(Order { now: at(101), until: at(300), ..warm(1, 3) }, 9);
    assert_eq!(group.level, size(3, 3, 5), "nobody cooled the first");
    group.run(Order { now: at(301), ..cool(2) }, 9);
    assert_eq!(group, Group::new(BASE), "nobody cooled the second either");
}

#[test]
fn moments_that_do_not_exist_are_not_read() {
    for text in ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-12-01T24:00:00Z", "2026-12-01T14:00:60Z"] {
        assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
    }
    for text in
        ["2026-12-01T14:00:00", "2026-12-01T14:00:00+01:00", "2026-12-01 14:00:00Z", "2026-12-01T14:00:00.5Z", ""]
    {
        assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
    }
    assert_eq!(Timestamp::from_rfc3339("2024-02-29T23:59:59Z"), Some(Timestamp(1_709_251_199_000)));
    assert_eq!(Timestamp::from_rfc3339("1970-01-01T00:00:00Z"), Some(Timestamp(0)));
}
