//! Why a press is refused.

use crate::problem_kinds;

problem_kinds! {
    WRONG_ANSWER = "wrong_answer", UNPROCESSABLE_ENTITY, "The answer is wrong";
    SALE_NOT_OPEN = "sale_not_open", CONFLICT, "The sale has not opened yet";
    SALE_PAUSED = "sale_paused", CONFLICT, "The sale is paused";
    OTHER_SALE = "other_sale", FORBIDDEN, "This is an admission to another sale";
    /// It is over, or its answers are used up.
    NEW_ADMISSION_NEEDED = "new_admission_needed", FORBIDDEN, "Another admission is needed";
    TOO_MANY_PRESSES = "too_many_presses", TOO_MANY_REQUESTS, "The button was pressed too often";
}
