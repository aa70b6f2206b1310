//! How the domain's values lie in columns, in either dialect. What a column cannot hold is refused by name when it is written, and
//! what the domain has no word for when it is read: never a guess, and never another number.

use crate::domain::audit::journal::Digest;
use crate::domain::people::code::{Code, TicketDigest};
use crate::domain::sale::QuestionKey;
use crate::domain::sale::turn::{Cause, Chain};
use crate::domain::seating::PlanHash;
use crate::domain::shared::id::{
    AttemptId, BatchId, BuyerId, CodeId, EventId, ItemId, PaymentId, RefundId, RequestId, ReservationId, SaleId,
    SessionId,
};
use crate::domain::shared::money::Currency;
use crate::domain::shared::time::Timestamp;
use crate::ports::platform::idempotency::{Fingerprint, Key};

/// `stored!(Value as Plain, to, from)`: the value lies in a column as this plain one does.
macro_rules! stored {
    ($value:ty as $plain:ty, $to:expr, $from:expr) => {
        impl<DB: sqlx::Database> sqlx::Type<DB> for $value
        where
            $plain: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$plain as sqlx::Type<DB>>::type_info()
            }

            fn compatible(of: &DB::TypeInfo) -> bool {
                <$plain as sqlx::Type<DB>>::compatible(of)
            }
        }

        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $value
        where
            $plain: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let to: fn(&$value) -> Result<$plain, sqlx::error::BoxDynError> = $to;
                to(self)?.encode(buffer)
            }
        }

        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $value
        where
            $plain: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                let from: fn($plain) -> Result<$value, sqlx::error::BoxDynError> = $from;
                from(<$plain as sqlx::Decode<'r, DB>>::decode(value)?)
            }
        }
    };
}

pub(super) use stored;

/// Columns of numbers have 63 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number {0} does not fit into 63 bits")]
pub struct Beyond63Bits(pub u64);

/// A version, a generation, a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number(pub u64);

/// All 64 bits, by their pattern: from 2^63 on a column reads, and sorts, as a number below 0. For digests, and for buyers, whose
/// numbers are given by the issuer of their tokens and are the house's from 2^62 on; for nothing that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits64(pub u64);

impl Bits64 {
    pub fn pattern(self) -> i64 {
        self.0 as i64
    }
}

stored!(Number as i64, |number| i64::try_from(number.0).map_err(|_| Beyond63Bits(number.0).into()), |stored| {
    u64::try_from(stored).map(Number).map_err(|_| format!("the number {stored} is below 0").into())
});
stored!(Bits64 as i64, |bits| Ok(bits.pattern()), |stored| Ok(Bits64(stored as u64)));
stored!(SaleId as Number, |id| Ok(Number(id.0)), |number| Ok(SaleId(number.0)));
stored!(ItemId as Number, |id| Ok(Number(id.0)), |number| Ok(ItemId(number.0)));
stored!(BuyerId as Bits64, |id| Ok(Bits64(id.0)), |bits| Ok(BuyerId(bits.0)));
stored!(Chain as Bits64, |chain| Ok(Bits64(chain.0)), |bits| Ok(Chain(bits.0)));
stored!(Timestamp as i64, |at| Ok(at.0), |ms| Ok(Timestamp(ms)));
stored!(Code as i64, |code| Ok(i64::from(code.number())), |number| {
    let code = u32::try_from(number).ok().and_then(Code::of_number);
    code.ok_or_else(|| format!("a code is {number}").into())
});
stored!(Currency as String, |currency| Ok(currency.to_string()), |code| Ok(code.parse()?));
stored!(Cause as Vec<u8>, |cause| Ok(cause_bytes(cause)), |bytes| Ok(cause(&bytes)?));

/// So many bytes, no more and no fewer.
macro_rules! stored_bytes {
    ($($value:ty: $to:expr, $from:expr;)*) => {
        $(stored!(
            $value as Vec<u8>,
            |value| {
                let to: fn(&$value) -> _ = $to;
                Ok(to(value).to_vec())
            },
            |bytes| Ok($from(bytes.try_into().map_err(|_| concat!(stringify!($value), " has another length"))?))
        );)*
    };
}

stored_bytes! {
    AttemptId: |id| id.to_bytes(), AttemptId::from_bytes;
    BatchId: |id| id.to_bytes(), BatchId::from_bytes;
    CodeId: |id| id.to_bytes(), CodeId::from_bytes;
    EventId: |id| id.to_bytes(), EventId::from_bytes;
    PaymentId: |id| id.to_bytes(), PaymentId::from_bytes;
    RefundId: |id| id.to_bytes(), RefundId::from_bytes;
    RequestId: |id| id.to_bytes(), RequestId::from_bytes;
    ReservationId: |id| id.to_bytes(), ReservationId::from_bytes;
    Key: |key| key.0, Key;
    Fingerprint: |fingerprint| fingerprint.0, Fingerprint;
    SessionId: |id| id.to_bytes(), SessionId::from_bytes;
    PlanHash: |hash| hash.0, PlanHash;
    QuestionKey: |key| key.0, QuestionKey;
    TicketDigest: |digest| digest.0, TicketDigest;
    Digest: |digest| digest.0, Digest;
}

/// Numbers of units, 4 bytes each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Units(pub Vec<u32>);

impl Units {
    pub fn of(units: &[u32]) -> Self {
        Self(units.to_vec())
    }
}

stored!(Units as Vec<u8>, |units| Ok(units.0.iter().flat_map(|unit| unit.to_be_bytes()).collect()), |bytes| {
    let (units, rest) = bytes.as_chunks();
    match rest {
        [] => Ok(Units(units.iter().map(|unit| u32::from_be_bytes(*unit)).collect())),
        _ => Err("units are 4 bytes each".into()),
    }
});

fn cause_bytes(cause: &Cause) -> Vec<u8> {
    let (kind, number) = match cause {
        Cause::Batch(id) => (b'b', id.0),
        Cause::Release(id) => (b'r', id.0),
        Cause::Raise(capacity) => (b'c', u128::from(*capacity)),
    };
    [&[kind], &number.to_be_bytes()[..]].concat()
}

fn cause(bytes: &[u8]) -> Result<Cause, &'static str> {
    let (kind, number) = bytes.split_first().ok_or("a cause is empty")?;
    let number = u128::from_be_bytes(number.try_into().map_err(|_| "a cause has another length")?);
    match kind {
        b'b' => Ok(Cause::Batch(BatchId(number))),
        b'r' => Ok(Cause::Release(ReservationId(number))),
        b'c' => u32::try_from(number).map(Cause::Raise).map_err(|_| "a cause raises to too much"),
        _ => Err("a cause of another kind"),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::mysql::MySqlArguments;
    use sqlx::sqlite::{Sqlite, SqliteArguments};
    use sqlx::{Arguments, Connection as _, Encode, Row as _, SqliteConnection, Type};

    use super::*;
    use crate::domain::shared::id::HOUSE_FIRST;

    const LAST: u64 = (1 << 63) - 1;

    fn refusal<A: Arguments, V>(value: V) -> Option<Beyond63Bits>
    where
        V: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    {
        let refused = A::default().add(value).err()?;
        Some(*refused.downcast_ref().expect("refused by name"))
    }

    #[test]
    fn numbers_end_at_63_bits() {
        for number in [0, 1, LAST] {
            assert_eq!(refusal::<SqliteArguments, _>(Number(number)), None);
            assert_eq!(refusal::<MySqlArguments, _>(Number(number)), None);
            assert_eq!(refusal::<SqliteArguments, _>(SaleId(number)), None);
            assert_eq!(refusal::<MySqlArguments, _>(ItemId(number)), None);
        }
        for number in [LAST + 1, u64::MAX] {
            let refused = Some(Beyond63Bits(number));
            assert_eq!(refusal::<SqliteArguments, _>(Number(number)), refused);
            assert_eq!(refusal::<MySqlArguments, _>(Number(number)), refused);
            assert_eq!(refusal::<SqliteArguments, _>(SaleId(number)), refused);
            assert_eq!(refusal::<MySqlArguments, _>(ItemId(number)), refused);
            assert_eq!(refusal::<SqliteArguments, _>(BuyerId(number)), None);
            assert_eq!(refusal::<MySqlArguments, _>(Chain(number)), None);
        }
    }

    async fn stored(conn: &mut SqliteConnection, value: impl for<'q> Encode<'q, Sqlite> + Type<Sqlite>) -> i64 {
        sqlx::query_scalar("SELECT ?").bind(value).fetch_one(conn).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_stored_reads_as_it_was() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        assert_eq!(stored(&mut conn, SaleId(LAST)).await, i64::MAX);
        for (buyer, pattern) in [(HOUSE_FIRST, 1 << 62), (LAST, i64::MAX), (LAST + 1, i64::MIN), (u64::MAX, -1)] {
            assert_eq!(stored(&mut conn, BuyerId(buyer)).await, pattern);
            let query = sqlx::query("SELECT ? AS buyer, ? AS chain").bind(BuyerId(buyer)).bind(Chain(buyer));
            let row = query.fetch_one(&mut conn).await.unwrap();
            assert_eq!(row.get::<BuyerId, _>("buyer"), BuyerId(buyer));
            assert_eq!(row.get::<Chain, _>("chain"), Chain(buyer));
        }
        for text in ["SELECT -1 AS sale", "SELECT 'x' AS sale"] {
            let row = sqlx::query(text).fetch_one(&mut conn).await.unwrap();
            assert!(row.try_get::<SaleId, _>("sale").is_err(), "{text}");
        }
        let units = Units(vec![1, u32::MAX]);
        let row = sqlx::query("SELECT ? AS units, x'00' AS odd").bind(&units).fetch_one(&mut conn).await.unwrap();
        assert_eq!(row.get::<Units, _>("units"), units);
        assert!(row.try_get::<Units, _>("odd").is_err());
        assert!(row.try_get::<PaymentId, _>("odd").is_err());
        for cause in [Cause::Batch(BatchId(7 << 16)), Cause::Release(ReservationId(u128::MAX)), Cause::Raise(u32::MAX)]
        {
            let row = sqlx::query("SELECT ? AS cause").bind(cause).fetch_one(&mut conn).await.unwrap();
            assert_eq!(row.get::<Cause, _>("cause"), cause);
        }
    }

    #[tokio::test]
    async fn a_statement_with_what_does_not_fit_is_not_carried_out() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let error = sqlx::query("SELECT ?").bind(SaleId(LAST + 1)).execute(&mut conn).await.unwrap_err();
        assert!(matches!(error, sqlx::Error::Encode(_)), "{error}");
        assert!(error.to_string().contains(&Beyond63Bits(LAST + 1).to_string()), "{error}");
    }
}
