//! How long what is over is kept, and how much of it goes at once.

use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Between two steps.
    pub tend_ms: u64,
    /// Rows, or mails, removed in one transaction.
    pub removed_max: u32,
    /// Such transactions for one kind, or for one sale, in one step.
    pub pieces_max: u32,
    /// Sales that one step goes by.
    pub sales_max: u32,
    /// Sales that one step audits: each asks the payment provider for all of its payments.
    pub audits_max: u32,
    /// Until a sale that could not be certified is audited once more.
    pub audit_again_ms: i64,
    /// How long after its close a sale is audited for its certificate.
    pub over_ms: i64,
    /// How long after the certificate its turnstile is kept, and its turns. A buyer's attempt is answered for as long as its turn is.
    pub turnstile_kept_ms: i64,
    pub turns_kept_ms: i64,
    /// Reservations of one buyer that ended without money and stay with a certified sale; others are kept apart, for so long.
    pub rows_kept: u32,
    pub ended_kept_ms: i64,
    /// How long it is known of a letter that it was sent, or refused. An event that comes again later is written about again.
    pub letters_kept_ms: i64,
    /// How long the mails of a folder are kept.
    pub mails_kept_ms: i64,
}

impl Settings {
    /// Settings that contradict each other, checked when a process starts.
    pub fn check(&self) -> Result<(), &'static str> {
        let rules = [
            (self.tend_ms > 0, "tender.tend_ms must be at least 1"),
            (self.removed_max > 0, "tender.removed_max must be at least 1"),
            (self.pieces_max > 0, "tender.pieces_max must be at least 1"),
            (self.sales_max > 0, "tender.sales_max must be at least 1"),
            (self.audits_max > 0, "tender.audits_max must be at least 1"),
            (self.audit_again_ms >= 0, "tender.audit_again_ms must not be below 0"),
            (self.over_ms >= 0, "tender.over_ms must not be below 0"),
            (self.turnstile_kept_ms >= 0, "tender.turnstile_kept_ms must not be below 0"),
            // What a broker may bring again.
            (self.turns_kept_ms >= DAY_MS, "tender.turns_kept_ms must be at least a day, 86400000"),
            (self.letters_kept_ms >= 7 * DAY_MS, "tender.letters_kept_ms must be at least seven days, 604800000"),
            (
                self.ended_kept_ms >= self.turns_kept_ms,
                "tender.ended_kept_ms must not be shorter than tender.turns_kept_ms",
            ),
            (self.mails_kept_ms >= 0, "tender.mails_kept_ms must not be below 0"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(what))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tend_ms: 60_000,
            removed_max: 1_000,
            pieces_max: 20,
            sales_max: 256,
            audits_max: 4,
            audit_again_ms: 3_600_000,
            over_ms: DAY_MS,
            turnstile_kept_ms: DAY_MS,
            turns_kept_ms: 90 * DAY_MS,
            rows_kept: 16,
            ended_kept_ms: 90 * DAY_MS,
            letters_kept_ms: 30 * DAY_MS,
            mails_kept_ms: 30 * DAY_MS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused() {
        let wrong: [fn(&mut Settings); 9] = [
            |settings| settings.tend_ms = 0,
            |settings| settings.removed_max = 0,
            |settings| settings.pieces_max = 0,
            |settings| settings.sales_max = 0,
            |settings| settings.audits_max = 0,
            |settings| settings.audit_again_ms = -1,
            |settings| settings.turns_kept_ms = DAY_MS - 1,
            |settings| settings.letters_kept_ms = 7 * DAY_MS - 1,
            |settings| settings.ended_kept_ms = settings.turns_kept_ms - 1,
        ];
        assert_eq!(Settings::default().check(), Ok(()));
        for change in wrong {
            let mut settings = Settings::default();
            change(&mut settings);
            assert!(settings.check().is_err(), "{settings:?}");
        }
        let least =
            Settings { turns_kept_ms: DAY_MS, letters_kept_ms: 7 * DAY_MS, ended_kept_ms: DAY_MS, ..<_>::default() };
        assert_eq!(least.check(), Ok(()));
    }
}
