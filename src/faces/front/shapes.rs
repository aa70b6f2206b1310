//! The kernel's words as the document shows them. The kernel itself knows of no document.

use std::borrow::Cow;

use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::money::payment::RefundKind;
use crate::domain::people::{Permission, Role};
use crate::domain::sale::reservation::Kind;
use crate::domain::sale::{Phase, StandbyUntil};
use crate::domain::shared::id::{AttemptId, BatchId, BuyerId, ItemId, PaymentId, RefundId, ReservationId, SaleId};
use crate::domain::shared::locale::Locale;
use crate::domain::shared::money::{Currency, Money};
use crate::domain::shared::time::Timestamp;
use crate::kit::http::document::shapes::{described, words};
use crate::ports::platform::parked::ParkedMessage;
use crate::ports::receipts::admissions::Why;

macro_rules! shapes {
    ($($name:literal: $($word:ty),+ = $shape:expr;)*) => {
        $($(
            impl ToSchema for $word {
                fn name() -> Cow<'static, str> {
                    $name.into()
                }
            }

            impl PartialSchema for $word {
                fn schema() -> RefOr<Schema> {
                    $shape.into()
                }
            }
        )+)*
    };
}

shapes! {
    "Id": SaleId, ItemId, BuyerId = number("A number.", Some(0));
    "Hex": BatchId, AttemptId, ReservationId, PaymentId, RefundId = hex();
    "Time": Timestamp = number("Milliseconds since 1970, UTC.", None);
    "CurrencyCode": Currency = currency();
    "Amount": Money = amount();
    "Locale": Locale = words(Locale::ALL.map(Locale::tag));
    "Role": Role = words(Role::ALL.map(Role::name));
    "Permission": Permission = words(Permission::ALL.map(Permission::name));
    "Phase": Phase = words(["scheduled", "open", "paused", "closed"]);
    "StandbyUntil": StandbyUntil = described(
        words(["paid", "closed"]),
        "How long the line stays: until everything is paid for, or until the sale is closed and nothing can come back.",
    );
    "ReservationStatus": Kind = words(statuses());
    "RefundState": RefundKind = described(
        words(RefundKind::ALL.map(RefundKind::name)),
        "due: the provider is to be asked. sent: it has it, and it is pending there. done: the money went back. failed: it did \
         not, and waits for an operator. settled: it failed, and an operator says how it was settled otherwise.",
    );
    "ConflictReason": Why = described(
        words(["twice", "revoked"]),
        "twice: a person was admitted earlier with the same unit. revoked: the unit was given back.",
    );
    "ParkedMessage": ParkedMessage = parked();
}

/// What a buyer's reservation may be: blocks are the operators' own and are not shown to buyers.
pub fn statuses() -> impl Iterator<Item = &'static str> {
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::Blocked).map(Kind::name)
}

fn number(about: &str, minimum: Option<i64>) -> Object {
    let number =
        ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
    number.minimum(minimum.map(|minimum| minimum as f64)).description(Some(about)).build()
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn hex() -> Object {
    let digits = string().pattern(Some("^[0-9a-f]{32}$")).min_length(Some(32)).max_length(Some(32));
    digits.description(Some("32 lower-case hexadecimal digits.")).build()
}

fn currency() -> Object {
    let code = string().pattern(Some("^[A-Z]{3}$")).min_length(Some(3)).max_length(Some(3));
    code.description(Some("Of ISO 4217: the money of some country.")).build()
}

fn amount() -> Object {
    let minor = number("In the currency's smallest unit: never a fraction.", Some(0));
    let amount =
        ObjectBuilder::new().property("minor", minor).property("currency", Ref::from_schema_name("CurrencyCode"));
    amount
        .required("minor")
        .required("currency")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .build()
}

fn parked() -> Object {
    let queue = string().description(Some("Where it was found, and where a replay sends it."));
    let body = string().description(Some("In hexadecimal digits."));
    let message = ObjectBuilder::new().property("queue", queue).property("why", string()).property("body", body);
    message.required("queue").required("why").required("body").build()
}
