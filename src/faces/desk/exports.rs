//! Lists for operators, as CSV that is written while it is read: a page of rows is in memory, however long the list.
//!
//! A list that fails midway breaks the connection, so that half a list is not taken for the whole. RFC 4180, with a header,
//! in UTF-8 behind a byte order mark: without it spreadsheets spoil every name that is not ASCII. A field that a spreadsheet would
//! take for a formula gets an apostrophe in front.

use bytes::Bytes;

use crate::domain::money::order::Order;
use crate::domain::money::payment::RefundKind;
use crate::domain::receipts::{Admission, Proof};
use crate::domain::sale::reservation::{Reservation, State};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::desk::Desk;
use crate::faces::desk::leaving::{Leaving, Outcome, Pieces};
use crate::ports::audit::reports::{Person, Place};
use crate::ports::{Fault, Result, Source};

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, Clone, Copy)]
pub enum List {
    Orders,
    Reservations,
    CheckIns,
}

impl List {
    pub fn name(self) -> &'static str {
        match self {
            List::Orders => "orders",
            List::Reservations => "reservations",
            List::CheckIns => "check-ins",
        }
    }

    fn header(self) -> &'static [&'static str] {
        match self {
            List::Orders => &[
                "order",
                "placed_at",
                "reservation",
                "buyer",
                "name",
                "email",
                "units",
                "quantity",
                "amount",
                "amount_minor",
                "currency",
                "payment",
                "refunded",
                "refunded_units",
                "refunded_amount",
                "refunded_minor",
                "refund_pending_minor",
                "refund_done_minor",
                "refund_failed_minor",
                "refund_settled_minor",
            ],
            List::Reservations => {
                &["reservation", "created_at", "buyer", "name", "email", "quantity", "state", "units", "lapses_at"]
            }
            List::CheckIns => &["unit", "reservation", "admitted_at", "gate", "device", "sequence"],
        }
    }
}

/// An export under way: how far it is.
pub struct Export {
    desk: Desk,
    sale: SaleId,
    list: List,
    place: At,
    leaving: Leaving,
}

/// Where the next page begins.
enum At {
    Begin,
    AfterOrder(ReservationId),
    AfterReservation(Place),
    AfterCheckIn(Proof),
    End,
}

impl Pieces for Export {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let page = self.page().await;
        if let Err(fault) = &page {
            self.leaving.ends(Outcome::Broken);
            tracing::error!(sale.id = %self.sale, list = self.list.name(), %fault, "an export failed midway");
        }
        page
    }
}

impl Export {
    pub fn new(sale: SaleId, list: List, leaving: Leaving) -> Self {
        Self { desk: leaving.desk().clone(), sale, list, place: At::Begin, leaving }
    }

    async fn page(&mut self) -> Result<Option<Bytes>> {
        self.leaving.is_in_time()?;
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        if matches!(self.place, At::Begin) {
            writer.write_record(self.list.header()).map_err(unwritten)?;
        }
        let place = std::mem::replace(&mut self.place, At::End);
        let is_first = matches!(place, At::Begin);
        self.place = match (self.list, place) {
            (_, At::End) => {
                self.leaving.is_done().await;
                return Ok(None);
            }
            (List::Orders, At::AfterOrder(after)) => self.orders(Some(after), &mut writer).await?,
            (List::Orders, _) => self.orders(None, &mut writer).await?,
            (List::Reservations, At::AfterReservation(after)) => self.reservations(Some(after), &mut writer).await?,
            (List::Reservations, _) => self.reservations(None, &mut writer).await?,
            (List::CheckIns, At::AfterCheckIn(after)) => self.check_ins(Some(after), &mut writer).await?,
            (List::CheckIns, _) => self.check_ins(None, &mut writer).await?,
        };
        let rows = writer.into_inner().map_err(unwritten)?;
        let mark = if is_first { BYTE_ORDER_MARK } else { b"" };
        Ok(Some(Bytes::from([mark, &rows].concat())))
    }

    async fn orders(&mut self, after: Option<ReservationId>, writer: &mut csv::Writer<Vec<u8>>) -> Result<At> {
        let rows_max = self.desk.settings().export_rows_max;
        let orders = self.desk.needs().reports.orders_of_sale(self.sale, after, rows_max).await?;
        let people = self.desk.needs().reports.people(&buyers(orders.iter().map(|order| order.buyer))).await?;
        let given_back: Vec<ReservationId> =
            orders.iter().filter(|order| order.refunded_amount.minor > 0).map(|order| order.reservation).collect();
        let refunds = self.desk.needs().reports.refunds_of_orders(&given_back).await?;
        for order in &orders {
            write(writer, order_fields(order, people.get(&order.buyer), refunds.get(&order.payment)))?;
        }
        self.leaving.took(orders.len());
        let last = orders.last().filter(|_| orders.len() == rows_max as usize);
        Ok(last.map_or(At::End, |last| At::AfterOrder(last.reservation)))
    }

    async fn reservations(&mut self, after: Option<Place>, writer: &mut csv::Writer<Vec<u8>>) -> Result<At> {
        let rows_max = self.desk.settings().export_rows_max;
        let rows = self.desk.needs().reports.reservations_of_sale(self.sale, after, rows_max).await?;
        let people = self.desk.needs().reports.people(&buyers(rows.iter().map(|row| row.buyer))).await?;
        for row in &rows {
            write(writer, reservation_fields(row, people.get(&row.buyer)))?;
        }
        self.leaving.took(rows.len());
        let place = |row: &Reservation| {
            At::AfterReservation(Place { buyer: row.buyer, is_live: row.state.kind().is_live(), id: row.id })
        };
        let last = rows.last().filter(|_| rows.len() == rows_max as usize);
        Ok(last.map_or(At::End, place))
    }

    async fn check_ins(&mut self, after: Option<Proof>, writer: &mut csv::Writer<Vec<u8>>) -> Result<At> {
        let rows_max = self.desk.settings().export_rows_max;
        let rows = self.desk.needs().reports.check_ins_of_sale(self.sale, after, rows_max).await?;
        for row in &rows {
            write(writer, check_in_fields(row))?;
        }
        self.leaving.took(rows.len());
        let last = rows.last().filter(|_| rows.len() == rows_max as usize);
        Ok(last.map_or(At::End, |last| At::AfterCheckIn(last.proof)))
    }
}

fn buyers(all: impl Iterator<Item = BuyerId>) -> Vec<BuyerId> {
    let mut buyers: Vec<BuyerId> = all.collect();
    buyers.sort_unstable();
    buyers.dedup();
    buyers
}

fn order_fields(order: &Order, person: Option<&Person>, refunds: Option<&Vec<(RefundKind, i64)>>) -> Vec<String> {
    let (name, email) = of_person(person);
    let of = |kinds: &[RefundKind]| {
        let refunds = refunds.into_iter().flatten().filter(|(kind, _)| kinds.contains(kind));
        refunds.map(|(_, minor)| minor).sum::<i64>().to_string()
    };
    vec![
        order.number.clone(),
        moment(order.placed_at),
        order.reservation.to_string(),
        order.buyer.to_string(),
        name,
        email,
        listed(&order.units),
        order.units.len().to_string(),
        order.amount.decimal(),
        order.amount.minor.to_string(),
        order.amount.currency.to_string(),
        order.payment.to_string(),
        if order.refunded { "yes" } else { "no" }.to_owned(),
        listed(&order.refunded_units),
        order.refunded_amount.decimal(),
        order.refunded_amount.minor.to_string(),
        of(&[RefundKind::Due, RefundKind::Sent]),
        of(&[RefundKind::Done]),
        of(&[RefundKind::Failed]),
        of(&[RefundKind::Settled]),
    ]
}

fn reservation_fields(row: &Reservation, person: Option<&Person>) -> Vec<String> {
    let (name, email) = of_person(person);
    let lapses_at = match row.state {
        State::Held { lapses_at, .. } | State::Paying { lapses_at, .. } => moment(lapses_at),
        _ => String::new(),
    };
    vec![
        row.id.to_string(),
        moment(row.created_at),
        if row.buyer.is_house() { "house".to_owned() } else { row.buyer.to_string() },
        name,
        email,
        row.quantity.to_string(),
        row.state.kind().name().to_owned(),
        listed(row.state.units()),
        lapses_at,
    ]
}

fn check_in_fields(row: &Admission) -> Vec<String> {
    vec![
        row.proof.unit.to_string(),
        row.proof.reservation.to_string(),
        moment(row.at),
        row.gate.clone(),
        row.source.device.clone(),
        row.source.sequence.to_string(),
    ]
}

/// Empty where the account is gone.
fn of_person(person: Option<&Person>) -> (String, String) {
    person.map_or_else(Default::default, |person| (person.name.clone(), person.email.clone()))
}

fn listed(units: &[u32]) -> String {
    units.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

/// `2026-01-31T12:00:00.000Z`.
pub(super) fn moment(at: Timestamp) -> String {
    let time = at.civil(0);
    let (year, month, day) = (time.year, time.month, time.day);
    let ms = at.0.rem_euclid(1_000);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", time.hour, time.minute, time.second)
}

pub(super) fn write(writer: &mut csv::Writer<Vec<u8>>, fields: Vec<String>) -> Result<()> {
    writer.write_record(fields.into_iter().map(defused)).map_err(unwritten)
}

/// What begins like this a spreadsheet may carry out.
fn defused(field: String) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field }
}

pub(super) fn unwritten(error: impl Into<Source>) -> Fault {
    Fault::new("gateway", error)
}
