//! A second factor that is shown, and what is said where it is not. Tries are counted in the ledger, for every process alike.

use crate::app::people::second_factor::{CODE_CHARS_MAX, Shown, is_set, show};
use crate::faces::account::AccountFace;
use crate::faces::account::accounts::count;
use crate::faces::account::routes::welcome::Proved;
use crate::faces::tokens::access::SECOND_FACTOR_NEEDED;
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::people::accounts::Account;
use crate::problem_kinds;

problem_kinds! {
    WRONG_SECOND_FACTOR = "wrong_second_factor", FORBIDDEN, "This is not a code of the second factor";
}

/// Told to who gave the right password, and to nobody else.
pub async fn at_log_in(face: &AccountFace, account: &Account, code: Option<&str>) -> Result<Proved, Problem> {
    match code {
        Some(code) => match shown(face, account, code).await? {
            Some(proved) => Ok(proved),
            // It was removed since the page asked for it.
            None => Ok(Proved::PasswordOnly),
        },
        None if account.role.is_operator() && is_set(&face.needs().second_factor, account.id).await? => {
            Err(Problem::field("code", SECOND_FACTOR_NEEDED, "this account takes a code of its second factor as well"))
        }
        None => Ok(Proved::PasswordOnly),
    }
}

/// `None` where the account has no second factor.
pub async fn shown(face: &AccountFace, account: &Account, code: &str) -> Result<Option<Proved>, Problem> {
    let code = limits::text("code", code, CODE_CHARS_MAX)?;
    let shown = show(&face.needs().second_factor, account.id, code).await?;
    if shown != Shown::NotSet {
        count("second_factor", shown == Shown::Right);
    }
    match shown {
        Shown::Right => Ok(Some(Proved::At(face.clock().now()))),
        Shown::NotSet => Ok(None),
        Shown::Wrong => Err(wrong()),
        Shown::TooOften => Err(too_often()),
    }
}

pub fn wrong() -> Problem {
    Problem::field(
        "code",
        WRONG_SECOND_FACTOR,
        "this is no code of the second factor that is good now; each is good once",
    )
}

pub fn too_often() -> Problem {
    let why = "too many codes were wrong; wait, or show a recovery code";
    Problem { field: Some("code".into()), ..Problem::new(Kind::TOO_MANY_REQUESTS, why).retry_after_s(60) }
}
