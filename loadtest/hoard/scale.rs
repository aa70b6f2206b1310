//! A shop's ten minutes in seconds: holds, waits and windows are shorter by the same factor, and so is the work that is asked for. What
//! was worked is told as a shop would have asked for it.

use std::time::Duration;

use miaosha::app::sale::admission::Settings;

/// What holds take in the shop that this one stands for.
const SHOP_HOLD_MS: i64 = 600_000;

#[derive(Clone, Copy)]
pub struct Scale {
    pub hold_ms: i64,
}

impl Scale {
    pub fn hold(self) -> Duration {
        Duration::from_millis(self.hold_ms.unsigned_abs())
    }

    /// Between two looks of who waits, and two presses of who found everything taken.
    pub fn tenth(self) -> Duration {
        self.hold() / 10
    }

    fn times(self) -> f64 {
        (SHOP_HOLD_MS as f64 / self.hold_ms as f64).max(1.0)
    }

    fn ms(self, of_a_shop: i64) -> i64 {
        (of_a_shop as f64 / self.times()).round() as i64
    }

    /// Zero bits that are asked for here and not: half of the work each.
    fn fewer_bits(self) -> u8 {
        self.times().log2().round() as u8
    }

    /// Of digests that were tried here: as many as a shop would have had tried.
    pub fn digests(self, tried: u64) -> f64 {
        tried as f64 * f64::from(self.fewer_bits()).exp2()
    }

    /// Of a shop that asks nothing of who comes, or all that it asks unless it is told otherwise. Addresses are said by this program, as
    /// by a proxy in front. An admission lives as long as a hold, for it ends in whole seconds; and every press is decided by the
    /// turnstile: what publishers know of it is some tenths of a second old, nothing beside ten minutes and much beside seconds.
    pub fn settings(self, conditions: bool, network_places: Option<u32>) -> String {
        let of = Settings::default();
        let fewer = |bits: u8| bits.saturating_sub(self.fewer_bits()).max(1).to_string();
        let mut settings = vec![
            ("COOL_OFF", conditions.to_string()),
            ("NETWORK", conditions.to_string()),
            ("PROOF", conditions.to_string()),
            ("COOL_OFF_MS", self.ms(of.cool_off_ms).to_string()),
            ("REGRET_MS", self.ms(of.regret_ms).to_string()),
            ("WINDOW_MS", self.ms(of.window_ms).to_string()),
            ("FREE_PER_S", ((f64::from(of.free_per_s) * self.times()) as u32).to_string()),
            ("BITS", fewer(of.bits)),
            ("BITS_MAX", fewer(of.bits_max)),
        ];
        let places = network_places
            .map(|places| ["NETWORK_PLACES_MIN", "NETWORK_PLACES_MAX"].map(|name| (name, places.to_string())));
        settings.extend(places.into_iter().flatten());
        let line = |(name, value): (&str, String)| format!("MIAOSHA__GATEWAY__ADMISSION__{name}={value}\n");
        let lines: String = settings.into_iter().map(line).collect();
        format!("MIAOSHA__GATEWAY__TRUSTED_HOPS=1\nMIAOSHA__PUBLISHER__SOLD_OUT_AT_ONCE=false\n{lines}")
    }
}
