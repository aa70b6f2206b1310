//! How often a buyer may press, and how often an admission may be answered wrongly: one thread's counts, in bounded memory. A button
//! costs an attempt; whoever presses it a thousand times, or tries every answer there is, is told to stop before anything is read.

use std::cell::RefCell;

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::publisher::Settings;
use crate::faces::publisher::refusals::{NEW_ADMISSION_NEEDED, TOO_MANY_PRESSES};
use crate::faces::tokens::admission::SaleAdmission;
use crate::kit::http::problem::Problem;
use crate::kit::work::window::WindowCounts;

/// Buyers whose presses are counted at once; more begin another second.
const BUYERS_MAX: usize = 65_536;
/// Admissions whose wrong answers are counted; more, and counting begins anew.
const ADMISSIONS_MAX: usize = 65_536;
const SECOND_MS: i64 = 1_000;

pub struct Pressing {
    presses: RefCell<WindowCounts<BuyerId>>,
    /// Longer than any admission lives.
    wrong: RefCell<WindowCounts<Asked>>,
    presses_per_s_max: u32,
    answers_max: u32,
}

type Asked = (BuyerId, SaleId, Timestamp);

impl Pressing {
    pub fn new(settings: &Settings) -> Self {
        Self {
            presses: RefCell::new(WindowCounts::new(SECOND_MS, BUYERS_MAX)),
            wrong: RefCell::new(WindowCounts::new(i64::MAX, ADMISSIONS_MAX)),
            presses_per_s_max: settings.presses_per_s_max,
            answers_max: settings.answers_max,
        }
    }

    /// Counts a press.
    pub fn press(&self, buyer: BuyerId, now: Timestamp) -> Result<(), Problem> {
        let passed = self.presses.borrow_mut().pass(buyer, self.presses_per_s_max, now);
        passed.map_err(|_| Problem::new(TOO_MANY_PRESSES, "the button was pressed too often; once is enough"))
    }

    /// Unless its answers are used up.
    pub fn check(&self, admission: &SaleAdmission, now: Timestamp) -> Result<(), Problem> {
        if self.wrong.borrow_mut().count(&asked(admission), now) < self.answers_max {
            return Ok(());
        }
        Err(Problem::new(NEW_ADMISSION_NEEDED, "too many answers were wrong; another admission is needed"))
    }

    pub fn was_wrong(&self, admission: &SaleAdmission, now: Timestamp) {
        let _ = self.wrong.borrow_mut().pass(asked(admission), u32::MAX, now);
    }
}

fn asked(admission: &SaleAdmission) -> Asked {
    (admission.buyer, admission.sale, admission.given_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(buyer: u64) -> SaleAdmission {
        SaleAdmission::new(BuyerId(buyer), SaleId(1), 0, Timestamp(0), Timestamp(60_000))
    }

    /// Where there is no room for more, those who are new are let through.
    #[test]
    fn so_many_buyers_and_admissions_are_counted() {
        let settings = Settings { presses_per_s_max: 1, answers_max: 1, ..Settings::default() };
        let (pressing, now) = (Pressing::new(&settings), Timestamp(5_000));
        for buyer in 0..65_536 {
            pressing.press(BuyerId(buyer), now).unwrap();
            pressing.was_wrong(&admission(buyer), now);
        }
        assert_eq!(pressing.press(BuyerId(0), now).unwrap_err().kind, TOO_MANY_PRESSES);
        assert_eq!(pressing.check(&admission(0), now).unwrap_err().kind, NEW_ADMISSION_NEEDED);
        assert_eq!((pressing.presses.borrow().len(), pressing.wrong.borrow().len()), (65_536, 65_536));
        pressing.press(BuyerId(65_536), now).unwrap();
        pressing.was_wrong(&admission(65_536), now);
        assert_eq!((pressing.presses.borrow().len(), pressing.wrong.borrow().len()), (1, 1));
    }
}
