//! A let-in that was a mistake is taken back: soon after by the door, later by who may do that. Whether it was there, and whether
//! another stands now, is for the ledger to say.

use crate::app::receipts::Receipts;
use crate::app::receipts::metric::Metric;
use crate::domain::people::author::Author;
use crate::domain::people::{Permission, Role};
use crate::ports::Result;
use crate::ports::receipts::admissions::{Mark, Undo};

impl Receipts {
    /// At the author's time.
    pub async fn undo(&self, mark: &Mark, by: &Author) -> Result<Undo> {
        let may_be_late = by.role.is_some_and(|role: Role| role.may(Permission::Correct));
        let not_before = (!may_be_late).then(|| by.at.plus_ms(-self.0.settings.check_in_undo_ms));
        let undo = self.0.needs.admissions.undo(mark, not_before, by).await?;
        let outcome = match &undo {
            Undo::Done { .. } => "undone",
            Undo::Missing(_) => "missing",
            Undo::TooLate(_) => "late",
        };
        metrics::counter!(Metric::Undos.name(), "outcome" => outcome).increment(1);
        Ok(undo)
    }
}
