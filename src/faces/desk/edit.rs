//! What operators correct of a sale: the same fields, kept to the same limits, as when it is made; what is left out stays. And why
//! something is not corrected.

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::sale::edit::{Fixed, Why};
use crate::domain::sale::{CAPACITY_MAX, PARTY_MAX, QUESTIONS_MAX, STANDBY_MAX, Sale, StandbyUntil};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::faces::desk::requests::{
    DESCRIPTION_CHARS_MAX, HOLD_MS, QuestionBody, SaleBody, TITLE_CHARS_MAX, description, title,
};
use crate::kit::http::document::problems::{Extended, Members, of_kind};
use crate::kit::http::document::shapes::{list, text, whole};
use crate::kit::http::idempotency::IN_FLIGHT;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::ports::sale::catalogue::NewSale;
use crate::problem_kinds;

problem_kinds! {
    OUTDATED = "outdated", CONFLICT, "It was changed meanwhile";
    /// The rule says why.
    FIXED = "fixed", CONFLICT, "This stays as it is";
}

// Why a field stays as it is.
const PUBLISHED: Rule = Rule::declared("published");
const OPENED: Rule = Rule::declared("opened");
const EARLIER: Rule = Rule::declared("earlier");
const OVER: Rule = Rule::declared("over");
const PRESSED: Rule = Rule::declared("pressed");
pub const RULES: &[Rule] = &[PUBLISHED, OPENED, EARLIER, OVER, PRESSED];

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SaleEdit)]
pub struct EditBody {
    /// Of the sale as it was read: one that was changed since is left as it is.
    #[schema(minimum = 1)]
    pub version: u64,
    #[serde(default)]
    #[schema(schema_with = text::<1, TITLE_CHARS_MAX>)]
    title: Option<String>,
    #[serde(default)]
    #[schema(schema_with = text::<0, DESCRIPTION_CHARS_MAX>)]
    description: Option<String>,
    /// As long as nobody pressed, and no unit was taken out of sale; so are the five below it.
    #[serde(default)]
    price: Option<Money>,
    #[serde(default)]
    #[schema(schema_with = whole::<1, { CAPACITY_MAX as i64 }>)]
    capacity: Option<u32>,
    #[serde(default)]
    #[schema(schema_with = whole::<1, { PARTY_MAX as i64 }>)]
    quantity_max: Option<u8>,
    #[serde(default)]
    #[schema(schema_with = whole::<0, { STANDBY_MAX as i64 }>)]
    standby_max: Option<u32>,
    #[serde(default)]
    standby_until: Option<StandbyUntil>,
    #[serde(default)]
    #[schema(schema_with = whole::<{ *HOLD_MS.start() }, { *HOLD_MS.end() }>)]
    hold_ms: Option<i64>,
    /// Until it opened; of a published sale only to later.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    opens_at: Option<i64>,
    /// Once it opened, only to later.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    closes_at: Option<i64>,
    /// All of them anew, until it opened.
    #[serde(default)]
    #[schema(schema_with = list::<QuestionBody, QUESTIONS_MAX>)]
    questions: Option<Vec<QuestionBody>>,
}

impl EditBody {
    /// The sale as it is to be, and its text if that is to be another.
    pub fn checked(self, is: &Sale) -> Result<(Sale, Option<String>), Problem> {
        let asks_otherwise = self.questions.is_some();
        let title = self.title.as_deref().map(title).transpose()?.unwrap_or_else(|| is.title.clone());
        let description = self.description.as_deref().map(description).transpose()?;
        let body = SaleBody {
            item_id: is.item.0,
            price: self.price.unwrap_or(is.price),
            capacity: self.capacity.unwrap_or(is.allotment.capacity),
            quantity_max: self.quantity_max.unwrap_or(is.allotment.quantity_max),
            standby_max: self.standby_max.unwrap_or(is.allotment.standby_max),
            standby_until: self.standby_until.unwrap_or(is.standby_until),
            hold_ms: self.hold_ms.unwrap_or(is.hold_ms),
            opens_at: self.opens_at.unwrap_or(is.opens_at.0),
            closes_at: self.closes_at.unwrap_or(is.closes_at.0),
            questions: self.questions.unwrap_or_default(),
            draft: is.draft,
        };
        let NewSale { price, allotment, standby_until, hold_ms, opens_at, closes_at, questions, .. } =
            body.checked()?;
        let questions = if asks_otherwise { questions } else { is.questions.clone() };
        let to_be =
            Sale { title, price, allotment, standby_until, hold_ms, opens_at, closes_at, questions, ..is.clone() };
        Ok((to_be, description))
    }
}

/// It was changed since it was read: it has this version now.
#[derive(Serialize, ToSchema)]
#[schema(as = Outdated)]
struct OutdatedView {
    #[schema(minimum = 1)]
    version: u64,
}

impl Members for OutdatedView {
    const KIND: Kind = OUTDATED;
}

/// Why nothing was changed.
pub struct NotEdited;

impl ToSchema for NotEdited {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Extended::<OutdatedView>::schemas(schemas);
    }
}

impl PartialSchema for NotEdited {
    fn schema() -> RefOr<Schema> {
        let kinds = OneOfBuilder::new().item(of_kind(IN_FLIGHT)).item(of_kind(FIXED));
        kinds.item(Extended::<OutdatedView>::schema()).into()
    }
}

pub fn outdated(version: u64) -> Problem {
    let detail = "the sale was changed since it was read; read it again";
    Problem::field("version", OUTDATED, detail).with_facts(&OutdatedView { version })
}

pub fn stays(fixed: Fixed) -> Problem {
    let (rule, detail) = match fixed.why {
        Why::Published if fixed.field != "capacity" => {
            (PUBLISHED, "the sale is published: admissions were given by this")
        }
        Why::Published => (PUBLISHED, "the sale is published: its units are raised, and never fewer"),
        Why::Opened => (OPENED, "the sale has opened"),
        Why::Earlier => (EARLIER, "a sale that has opened closes no earlier than was said; close it by hand"),
        Why::Over => (OVER, "the sale is over"),
        Why::Pressed => (PRESSED, "somebody pressed, or units were taken out of sale"),
    };
    Problem::field(fixed.field, FIXED, detail).rule(rule)
}
