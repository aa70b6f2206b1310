//! Codes that prove an address: asking for one, giving it back, forgetting it.

use crate::domain::people::address::Address;
use crate::domain::people::code::{CODE_MS_MAX, Code, Ticket};
use crate::domain::shared::id::CodeId;
use crate::domain::shared::time::Timestamp;
use crate::kit::work::chance::chance;
use crate::ports::Result;
use crate::ports::people::codes::{Asked, CodeFor, Codes, NewCode};

/// How long it is known what a code was for: longer than a letter about it may be on its way.
const CODE_KEPT_MS: i64 = 4 * 86_400_000;

/// What the browser gets that asked.
pub struct Issued {
    pub ticket: Ticket,
    pub good_until: Timestamp,
}

/// `None` when too many were asked for.
pub async fn ask(
    codes: &dyn Codes,
    address: Address,
    purpose: CodeFor,
    day_max: u32,
    now: Timestamp,
) -> Result<Option<Issued>> {
    let ticket = Ticket::new(CodeId::from_bytes(chance()), chance());
    let code = Code::by(u64::from_be_bytes(chance()));
    let (id, digest) = (ticket.code, ticket.digest());
    let new = NewCode { id, ticket: digest, code, address, purpose, asked_at: now, day_max };
    Ok(match codes.ask(&new).await? {
        Asked::Kept => Some(Issued { ticket, good_until: now.plus_ms(CODE_MS_MAX) }),
        Asked::TooMany => None,
    })
}

/// Forgets those that no letter speaks of any more; how many rows went.
pub async fn forget(codes: &dyn Codes, max: u32, now: Timestamp) -> Result<u64> {
    codes.forget_codes(now.plus_ms(-CODE_KEPT_MS), max).await
}
