//! What operators write: items and sales, checked against every limit before they are stored.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::money::payable;
use crate::app::sale::question::{self, ANSWER_CHARS_MAX};
use crate::domain::sale::{
    Allotment, CAPACITY_MAX, PARTY_MAX, QUESTIONS_MAX, Question, QuestionKey, STANDBY_MAX, StandbyUntil,
};
use crate::domain::shared::id::ItemId;
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::kit::http::document::shapes::{list, text, whole};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::kit::work::chance::chance;
use crate::ports::money::payments::Payments;
use crate::ports::sale::catalogue::{NewItem, NewSale};

pub(super) const TITLE_CHARS_MAX: usize = 200;
pub(super) const DESCRIPTION_CHARS_MAX: usize = 5_000;
const PROMPT_CHARS_MAX: usize = 200;
/// A price that can still be multiplied by any quantity, and summed over a sale.
const PRICE_MINOR_MAX: i64 = 100_000_000_000;
pub(super) const HOLD_MS: std::ops::RangeInclusive<i64> = 1_000..=86_400_000;
/// The end of the year 9999.
const TIMESTAMP_MAX: i64 = 253_402_300_799_999;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewItem)]
pub struct ItemBody {
    #[schema(schema_with = text::<1, TITLE_CHARS_MAX>)]
    title: String,
    #[schema(schema_with = text::<0, DESCRIPTION_CHARS_MAX>)]
    description: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSale)]
pub struct SaleBody {
    #[schema(value_type = ItemId)]
    pub(super) item_id: u64,
    /// 0 gives it away; anything else the payment provider must take, for every quantity that may be bought.
    pub(super) price: Money,
    #[schema(schema_with = whole::<1, { CAPACITY_MAX as i64 }>)]
    pub(super) capacity: u32,
    #[schema(schema_with = whole::<1, { PARTY_MAX as i64 }>)]
    pub(super) quantity_max: u8,
    #[schema(schema_with = whole::<0, { STANDBY_MAX as i64 }>)]
    pub(super) standby_max: u32,
    #[serde(default)]
    #[schema(default = json!(StandbyUntil::default()))]
    pub(super) standby_until: StandbyUntil,
    #[schema(schema_with = whole::<{ *HOLD_MS.start() }, { *HOLD_MS.end() }>)]
    pub(super) hold_ms: i64,
    #[schema(value_type = Timestamp)]
    pub(super) opens_at: i64,
    #[schema(value_type = Timestamp)]
    pub(super) closes_at: i64,
    #[serde(default)]
    #[schema(schema_with = list::<QuestionBody, QUESTIONS_MAX>)]
    pub(super) questions: Vec<QuestionBody>,
    /// Seen by operators alone, until it is published.
    #[serde(default)]
    #[schema(default = false)]
    pub draft: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewQuestion)]
pub struct QuestionBody {
    #[schema(schema_with = text::<1, PROMPT_CHARS_MAX>)]
    prompt: String,
    #[schema(schema_with = text::<1, ANSWER_CHARS_MAX>)]
    answer: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Raise)]
pub struct RaiseBody {
    #[schema(schema_with = whole::<1, { CAPACITY_MAX as i64 }>)]
    capacity: u32,
}

impl ItemBody {
    pub fn checked(self) -> Result<NewItem, Problem> {
        Ok(NewItem { title: title(&self.title)?, description: description(&self.description)? })
    }
}

pub(super) fn title(text: &str) -> Result<String, Problem> {
    limits::text("title", text, TITLE_CHARS_MAX).map(str::to_owned)
}

/// Paragraphs are welcome; what no database or page can show is not.
pub(super) fn description(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(limits::too_long("description", DESCRIPTION_CHARS_MAX));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
        return Err(limits::control_characters("description"));
    }
    Ok(text.to_owned())
}

impl SaleBody {
    pub fn checked(self) -> Result<NewSale, Problem> {
        let capacity = limits::within("capacity", self.capacity, 1..=CAPACITY_MAX)?;
        let party_max = u8::try_from(capacity).unwrap_or(u8::MAX).min(PARTY_MAX);
        let opens_at = limits::within("opens_at", self.opens_at, 0..=TIMESTAMP_MAX)?;
        let closes_at = limits::within("closes_at", self.closes_at, 0..=TIMESTAMP_MAX)?;
        if closes_at <= opens_at {
            return Err(Problem::field("closes_at", Kind::INVALID, "must be later than opens_at").rule(Rule::ORDER));
        }
        if self.questions.len() > QUESTIONS_MAX {
            let detail = format!("must be at most {QUESTIONS_MAX}");
            return Err(Problem::field("questions", Kind::INVALID, detail)
                .rule(Rule::COUNT)
                .with("max", QUESTIONS_MAX));
        }
        // In the decimals in which it was typed as well.
        let most = Money { minor: PRICE_MINOR_MAX, ..self.price };
        if !(0..=most.minor).contains(&self.price.minor) {
            let detail = format!("must be from 0 to {} ({most})", most.minor);
            return Err(Problem::field("price.minor", Kind::INVALID, detail));
        }
        Ok(NewSale {
            item: ItemId(self.item_id),
            price: self.price,
            allotment: Allotment {
                capacity,
                quantity_max: limits::within("quantity_max", self.quantity_max, 1..=party_max)?,
                standby_max: limits::within("standby_max", self.standby_max, 0..=STANDBY_MAX)?,
            },
            standby_until: self.standby_until,
            hold_ms: limits::within("hold_ms", self.hold_ms, HOLD_MS)?,
            opens_at: Timestamp(opens_at),
            closes_at: Timestamp(closes_at),
            questions: self.questions.into_iter().enumerate().map(asked).collect::<Result<_, _>>()?,
            question_key: question_key(),
        })
    }
}

impl RaiseBody {
    pub fn checked(self) -> Result<u32, Problem> {
        limits::within("capacity", self.capacity, 1..=CAPACITY_MAX)
    }
}

/// Refuses a price that the payment provider cannot take, for any quantity that may be bought.
pub fn payable(payments: &dyn Payments, price: Money, quantity_max: u8) -> Result<(), Problem> {
    payable::check(payments, price, quantity_max).map_err(|refused| {
        let field = if refused.is_of_currency() { "price.currency" } else { "price.minor" };
        Problem::field(field, Kind::INVALID, refused.to_string())
    })
}

fn asked((index, body): (usize, QuestionBody)) -> Result<Question, Problem> {
    let named = |problem: Problem| {
        let field = format!("questions[{index}].{}", problem.field.as_deref().unwrap_or_default());
        Problem { field: Some(field.into()), ..problem }
    };
    let prompt = limits::text("prompt", &body.prompt, PROMPT_CHARS_MAX).map_err(named)?.to_owned();
    let answer = limits::text("answer", &body.answer, ANSWER_CHARS_MAX).map_err(named)?.to_owned();
    if question::is_nothing(&answer) {
        let detail = "must have something in it that can be seen";
        return Err(named(Problem::field("answer", Kind::INVALID, detail).rule(Rule::EMPTY)));
    }
    Ok(Question { prompt, answer })
}

/// With it, knowing the questions does not tell which buyer gets which.
fn question_key() -> QuestionKey {
    QuestionKey(chance())
}
