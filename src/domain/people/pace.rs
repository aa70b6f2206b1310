//! How fast somebody may go on failing: some tries for nothing, and then longer and longer waits, each twice the one before.

/// Of one key: an account as seen from a device, a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Failures without a wait.
    pub free: u32,
    /// After one more.
    pub wait_ms: i64,
    pub wait_ms_max: i64,
    /// Without a try for so long, everything is forgotten.
    pub kept_ms: i64,
}

impl Pace {
    /// What stands between this try, of so many, and the next.
    pub fn wait_ms(&self, tries: u32) -> Option<i64> {
        let beyond = tries.checked_sub(self.free).filter(|beyond| *beyond > 0)?;
        let times = 1_i64 << (beyond - 1).min(30);
        Some(self.wait_ms.saturating_mul(times).clamp(1, self.wait_ms_max.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let pace = Pace { free: 3, wait_ms: 1_000, wait_ms_max: 5_000, kept_ms: 60_000 };
        let waits: Vec<_> = (0..=8).map(|tries| pace.wait_ms(tries)).collect();
        let some = [1_000, 2_000, 4_000, 5_000, 5_000].map(Some);
        assert_eq!(waits[..4], [None; 4]);
        assert_eq!(waits[4..], some);
        assert_eq!(pace.wait_ms(u32::MAX), Some(5_000));
    }
}
