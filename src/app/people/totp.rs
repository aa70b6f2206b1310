//! One-time codes by the clock, as RFC 6238 and every authenticator have them: HMAC with SHA-1, a step of 30 seconds, six digits. A
//! step's neighbours are taken as well, for clocks that are not quite right. Nothing is remembered here: that a step is good once is
//! its caller's.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::domain::shared::time::Timestamp;

/// As long as SHA-1's digest, which RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
pub const DIGITS: usize = 6;
const STEP_MS: i64 = 30_000;
/// Steps before and after the present one whose codes are taken.
const STEPS_BESIDE: u64 = 1;

/// The step that a time lies in.
pub fn step(at: Timestamp) -> u64 {
    u64::try_from(at.0.div_euclid(STEP_MS)).unwrap_or(0)
}

/// A step's code, with its leading zeros.
pub fn code(secret: &[u8], step: u64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("a key may have any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    // Dynamic truncation: the last digit says where the number begins.
    let at = usize::from(digest[19] & 0xf);
    let number = u32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]) & 0x7fff_ffff;
    format!("{:0DIGITS$}", number % 10_u32.pow(DIGITS as u32))
}

/// The step that this is the code of, if it is one of those that are taken now and none that was used up.
pub fn step_of(secret: &[u8], typed: &str, now: Timestamp, used: u64) -> Option<u64> {
    let present = step(now);
    let taken = present.saturating_sub(STEPS_BESIDE)..=present + STEPS_BESIDE;
    taken.into_iter().filter(|step| *step > used).find(|step| code(secret, *step) == typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B, of which these are the last six digits.
    #[test]
    fn codes_are_the_standards() {
        for (second, said) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, step(Timestamp(second * 1_000))), said, "{second}");
        }
    }

    #[test]
    fn a_step_before_and_a_step_after_are_taken() {
        let now = Timestamp(1_000 * STEP_MS + 29_999);
        for (step, is_taken) in [(998, false), (999, true), (1_000, true), (1_001, true), (1_002, false)] {
            assert_eq!(step_of(SECRET, &code(SECRET, step), now, 0), is_taken.then_some(step), "{step}");
        }
        let later = now.plus_ms(1);
        assert_eq!(step_of(SECRET, &code(SECRET, 999), later, 0), None);
        assert_eq!(step_of(SECRET, &code(SECRET, 1_002), later, 0), Some(1_002));
    }

    #[test]
    fn a_step_that_was_used_is_over() {
        let now = Timestamp(1_000 * STEP_MS);
        assert_eq!(step_of(SECRET, &code(SECRET, 1_000), now, 999), Some(1_000));
        for step in [999, 1_000] {
            assert_eq!(step_of(SECRET, &code(SECRET, step), now, 1_000), None, "{step}");
        }
        assert_eq!(step_of(SECRET, "", now, 0), None);
    }
}
