//! Lists in pages. A page is a JSON array; where more follow, its header `Link` (RFC 8288) names the next one. What that names
//! is the last item's place in the list's order: each page is read along an index from there, whatever its number, and what is
//! added meanwhile at the head of the list is on no later page.

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use crate::domain::shared::id::{BatchId, RefundId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::gateway::routes::buying::is_order_number;
use crate::faces::gateway::routes::parsed;
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::money::orders::OrderPlace;
use crate::ports::receipts::admissions::ConflictPlace;

/// A place in a list's order, as it travels: letters, digits, points and hyphens.
pub trait Cursor: Sized {
    fn read(text: &str) -> Option<Self>;
    fn written(&self) -> String;
}

impl Cursor for u64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

impl Cursor for SaleId {
    fn read(text: &str) -> Option<Self> {
        // The ledgers number with 63 bits.
        text.parse().ok().filter(|id| i64::try_from(*id).is_ok()).map(Self)
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

/// When it opens goes before the sale where a list is in that order.
impl Cursor for (Timestamp, SaleId) {
    fn read(text: &str) -> Option<Self> {
        let (opens_at, sale) = text.split_once('.')?;
        Some((Timestamp(opens_at.parse().ok()?), SaleId::read(sale)?))
    }

    fn written(&self) -> String {
        format!("{}.{}", self.0.0, self.1)
    }
}

impl Cursor for RefundId {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

impl Cursor for BatchId {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

impl Cursor for OrderPlace {
    fn read(text: &str) -> Option<Self> {
        let (placed_at, number) = text.split_once('.')?;
        let placed_at = Timestamp(placed_at.parse().ok()?);
        is_order_number(number).then(|| Self { placed_at, number: number.to_owned() })
    }

    fn written(&self) -> String {
        format!("{}.{}", self.placed_at.0, self.number)
    }
}

impl Cursor for ConflictPlace {
    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [recorded_at, unit, reservation, device, sequence, admitted_at] = parts.as_slice() else { return None };
        Some(Self {
            recorded_at: Timestamp(recorded_at.parse().ok()?),
            unit: unit.parse().ok()?,
            reservation: reservation.parse().ok()?,
            device: device
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                .then(|| (*device).to_owned())?,
            sequence: sequence.parse().ok().filter(|sequence| i64::try_from(*sequence).is_ok())?,
            admitted_at: Timestamp(admitted_at.parse().ok()?),
        })
    }

    fn written(&self) -> String {
        let Self { recorded_at, unit, reservation, device, sequence, admitted_at } = self;
        format!("{}.{unit}.{reservation}.{device}.{sequence}.{}", recorded_at.0, admitted_at.0)
    }
}

/// What was asked of a list.
pub struct Page<K> {
    limit: u32,
    pub after: Option<K>,
}

impl<K: Cursor> Page<K> {
    /// Of the parameters `limit` and `after`.
    pub fn asked(limit: Option<String>, after: Option<String>, limit_max: u32) -> Result<Self, Problem> {
        let limit = parsed("limit", limit, "must be a whole number")?.unwrap_or(limit_max);
        limits::within("limit", limit, 1..=limit_max)?;
        let after = after.map(|text| K::read(&text).filter(|key| key.written() == text).ok_or_else(unknown));
        Ok(Self { limit, after: after.transpose()? })
    }

    /// Rows to read: one more than are shown, so that it is known whether others follow.
    pub fn reach(&self) -> u32 {
        self.limit + 1
    }

    /// Leaves the rows that are shown; where the next page begins, if there is one.
    pub fn cut<T>(&self, rows: &mut Vec<T>, place: impl Fn(&T) -> K) -> Option<K> {
        let limit = self.limit as usize;
        let is_more = rows.len() > limit;
        rows.truncate(limit);
        rows.last().filter(|_| is_more).map(place)
    }

    /// The answer to be filled with the rows.
    pub fn answer(&self, req: &HttpRequest, next: Option<K>) -> HttpResponseBuilder {
        let mut answer = HttpResponse::Ok();
        if let Some(next) = next {
            let asked = form_urlencoded::parse(req.query_string().as_bytes());
            let others = asked.filter(|(name, _)| name != "after" && name != "limit");
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(others).append_pair("after", &next.written());
            let query = query.append_pair("limit", &self.limit.to_string()).finish();
            let link = format!("<{}?{query}>; rel=\"next\"", req.path());
            if let Ok(link) = HeaderValue::from_str(&link) {
                answer.insert_header((LINK, link));
            }
        }
        answer
    }
}

fn unknown() -> Problem {
    Problem::field("after", Kind::INVALID, "must be as the list's header Link says it")
}
