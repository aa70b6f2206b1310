//! How long things took in a run: to three digits, however many there were.

use hdrhistogram::Histogram;

/// In microseconds.
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are kept"))
    }
}

impl Extend<u64> for Times {
    fn extend<T: IntoIterator<Item = u64>>(&mut self, us: T) {
        for us in us {
            self.0.record(us).expect("it grows with what it is given");
        }
    }
}

impl FromIterator<u64> for Times {
    fn from_iter<T: IntoIterator<Item = u64>>(us: T) -> Self {
        let mut times = Self::default();
        times.extend(us);
        times
    }
}

impl Times {
    /// Of differences between two clocks' milliseconds, which may be a little negative.
    pub fn of_ms(ms: impl IntoIterator<Item = i64>) -> Self {
        ms.into_iter().map(|ms| ms.max(0) as u64 * 1_000).collect()
    }

    pub fn len(&self) -> u64 {
        self.0.len()
    }

    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("it grows with what it is given");
    }

    /// What this share took at most, in milliseconds; 0 of an empty run.
    pub fn ms(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1_000.0
    }

    pub fn mean_ms(&self) -> f64 {
        self.0.mean() / 1_000.0
    }
}
