//! Percentiles of a run's latencies, exactly: every sample is kept.

/// In milliseconds; 0 of an empty run.
pub fn percentile_ms(sorted_us: &[u64], share: f64) -> f64 {
    if sorted_us.is_empty() {
        return 0.0;
    }
    let rank = ((sorted_us.len() as f64 * share).ceil() as usize).clamp(1, sorted_us.len());
    sorted_us[rank - 1] as f64 / 1000.0
}
