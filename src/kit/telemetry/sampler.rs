//! Whether a request is traced. Decided once, where it comes in, and by us: any client can write a header, and a trace costs a
//! thousand times what a request does, so that only a few of those that ask for one get it, each second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::domain::shared::trace::{Parent, Trace};
use crate::kit::telemetry::settings::TracingSettings;

pub struct Sampler {
    ratio: f64,
    since: Instant,
    begun: Pace,
    asked: Pace,
}

impl Sampler {
    pub fn new(settings: &TracingSettings) -> Self {
        Self {
            ratio: settings.sample_ratio,
            since: Instant::now(),
            begun: Pace::new(settings.begun_per_s_max),
            asked: Pace::new(settings.asked_per_s_max),
        }
    }

    /// `None`: not traced. A caller that says no is believed; one that says yes, as often as is allowed, and after that it is
    /// not believed.
    pub fn decide(&self, parent: Option<Parent>) -> Option<Option<Trace>> {
        match parent {
            Some(parent) if !parent.is_sampled => return None,
            Some(parent) if self.asked.take(self.second()) => return Some(Some(parent.trace)),
            _ => {}
        }
        // The time is asked for of those only that chance has chosen.
        (fastrand::f64() < self.ratio && self.begun.take(self.second())).then_some(None)
    }

    fn second(&self) -> u32 {
        self.since.elapsed().as_secs() as u32
    }
}

/// So many in a second.
struct Pace {
    max: u32,
    /// The second, and how many it has seen.
    seen: AtomicU64,
}

impl Pace {
    fn new(max: u32) -> Self {
        Self { max, seen: AtomicU64::new(0) }
    }

    fn take(&self, second: u32) -> bool {
        let taken = self.seen.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seen| {
            let (of, count) = ((seen >> 32) as u32, seen as u32);
            let count = if of == second { count } else { 0 };
            (count < self.max).then(|| u64::from(second) << 32 | u64::from(count + 1))
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Sampler};
    use crate::domain::shared::trace::Parent;
    use crate::kit::telemetry::settings::TracingSettings;

    fn sampler(sample_ratio: f64, begun_per_s_max: u32, asked_per_s_max: u32) -> Sampler {
        Sampler::new(&TracingSettings { sample_ratio, begun_per_s_max, asked_per_s_max, ..TracingSettings::default() })
    }

    fn parent(flags: &str) -> Option<Parent> {
        Parent::parse(&format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"))
    }

    #[test]
    fn a_pace_starts_anew_with_each_second() {
        let pace = Pace::new(2);
        assert_eq!([pace.take(0), pace.take(0), pace.take(0)], [true, true, false]);
        assert_eq!([pace.take(1), pace.take(1), pace.take(1)], [true, true, false]);
        assert!(!Pace::new(0).take(7));
    }

    #[test]
    fn who_asks_is_heard_a_few_times() {
        let sampler = sampler(0.0, 100, 3);
        let traced = (0..100).filter_map(|_| sampler.decide(parent("01"))).collect::<Vec<_>>();
        // Twice as many when a second begins in the middle.
        assert!((3..=6).contains(&traced.len()), "{}", traced.len());
        assert!(traced.iter().all(Option::is_some), "in the trace that was asked for");
        assert!((0..100).all(|_| sampler.decide(None).is_none()), "the ratio is 0");
    }

    #[test]
    fn who_says_no_is_believed_and_the_ratio_is_bounded() {
        let sampler = sampler(1.0, 5, 0);
        assert!((0..100).all(|_| sampler.decide(parent("00")).is_none()));
        let traced = (0..100).filter_map(|_| sampler.decide(parent("01"))).collect::<Vec<_>>();
        assert!((5..=10).contains(&traced.len()), "{}", traced.len());
        assert!(traced.iter().all(Option::is_none), "a trace of its own: no caller is believed any more");
    }
}
