//! Lists in pages. A page is a JSON array; where more follow, its header `Link` (RFC 8288) names the next one. What that names
//! is the last item's place in the list's order: each page is read along an index from there, whatever its number, and what is
//! added meanwhile at the head of the list is on no later page.

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use crate::domain::shared::id::{BatchId, RefundId, SaleId};
use crate::faces::front::routes::{numbered_sale, parsed};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};

/// A place in a list's order, as it travels: letters, digits, points and hyphens. A face says how it writes those of its own
/// lists.
pub trait Cursor: Sized {
    fn read(text: &str) -> Option<Self>;
    fn written(&self) -> String;
}

/// Places that travel as they are written everywhere.
macro_rules! plain_cursors {
    ($($place:ty)*) => {
        $(impl Cursor for $place {
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn written(&self) -> String {
                self.to_string()
            }
        })*
    };
}

plain_cursors!(u64 BatchId RefundId);

impl Cursor for SaleId {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().and_then(numbered_sale)
    }

    fn written(&self) -> String {
        self.to_string()
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
