//! What operators are shown.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::domain::money::order::Order;
use crate::domain::money::payment::{RefundEntry, RefundState, Why};
use crate::domain::sale::Sale;
use crate::domain::sale::block::Block;
use crate::domain::shared::id::{BatchId, BuyerId, RefundId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::front::views::{MoneyView, OrderFacts, SaleView};
use crate::kit::http::document::shapes::{described, words};

/// A sale as operators see it, before it is published as well.
#[derive(Serialize, ToSchema)]
#[schema(as = DeskSale)]
pub struct DeskSaleView {
    #[serde(flatten)]
    sale: SaleView,
    /// Not published yet: nobody else sees it.
    draft: bool,
    /// What is asked. The answers are told to nobody.
    prompts: Vec<String>,
}

impl DeskSaleView {
    pub fn new(sale: &Sale, view: SaleView) -> Self {
        let prompts = sale.questions.iter().map(|question| question.prompt.clone()).collect();
        Self { sale: view, draft: sale.draft, prompts }
    }
}

/// Units out of sale, as operators see them.
#[derive(Serialize, ToSchema)]
#[schema(as = Block)]
pub struct BlockView {
    id: BatchId,
    sale_id: SaleId,
    reason: String,
    /// Units that were wished for.
    #[schema(minimum = 1)]
    wanted: u32,
    /// Units that it got: as many as were free.
    units: u32,
    since: Timestamp,
    /// Whether it had its turn; until then it waits in the queue of attempts.
    decided: bool,
    ended: bool,
}

impl From<Block> for BlockView {
    fn from(block: Block) -> Self {
        Self {
            id: block.id,
            sale_id: block.sale,
            reason: block.reason,
            wanted: block.wanted,
            units: block.units,
            since: block.made_at,
            decided: block.decided_at.is_some(),
            ended: block.ended_at.is_some(),
        }
    }
}

/// An order as operators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeOrder)]
pub struct WholeOrderView {
    #[serde(flatten)]
    facts: OrderFacts,
    reservation_id: ReservationId,
    buyer_id: BuyerId,
    refunds: Vec<RefundView>,
}

impl WholeOrderView {
    /// Of these refunds the order's own are shown with it.
    pub fn new(order: Order, refunds: Vec<RefundEntry>) -> Self {
        let own = refunds.into_iter().filter(|entry| entry.refund.payment == order.payment);
        Self {
            refunds: own.map(RefundView::from).collect(),
            reservation_id: order.reservation,
            buyer_id: order.buyer,
            facts: order.into(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    id: RefundId,
    sale_id: SaleId,
    reservation_id: ReservationId,
    units: Vec<u32>,
    amount: MoneyView,
    #[schema(schema_with = reasons)]
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    made_at: Timestamp,
    /// The provider's definite refusals.
    tries: u32,
    #[serde(flatten)]
    state: RefundStateView,
}

fn reasons() -> Object {
    let about = "at_provider: refunded in the provider's dashboard; it names no units.";
    described(words(["operator", "could_not_stand", "at_provider"]), about)
}

/// What belongs to a state and to no other.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[schema(as = RefundStanding)]
enum RefundStateView {
    /// The provider is to be asked.
    Due {
        /// When the provider is asked again.
        next_at: Timestamp,
    },
    /// The provider has it, and it is pending there.
    Sent {
        /// When the provider is asked again.
        next_at: Timestamp,
    },
    /// The money went back.
    Done { done_at: Timestamp },
    /// It did not, and waits for an operator.
    Failed {
        failed_at: Timestamp,
        /// The provider's reason.
        code: String,
    },
    /// It failed, and an operator says how it was settled otherwise.
    Settled {
        settled_at: Timestamp,
        /// The operator.
        settled_by: BuyerId,
        /// How.
        note: String,
    },
}

impl From<RefundState> for RefundStateView {
    fn from(state: RefundState) -> Self {
        match state {
            RefundState::Due { next_at } => Self::Due { next_at },
            RefundState::Sent { next_at } => Self::Sent { next_at },
            RefundState::Done { at } => Self::Done { done_at: at },
            RefundState::Failed { at, code } => Self::Failed { failed_at: at, code },
            RefundState::Settled { at, by, note } => Self::Settled { settled_at: at, settled_by: by, note },
        }
    }
}

impl From<RefundEntry> for RefundView {
    fn from(entry: RefundEntry) -> Self {
        let (why, units, reason) = match entry.why {
            Why::Operator { units, reason } => ("operator", units, reason),
            Why::CaptureTooLate => ("could_not_stand", Vec::new(), None),
            Why::AtProvider => ("at_provider", Vec::new(), None),
        };
        let RefundEntry { refund, sale, reservation, made_at, tries, state, .. } = entry;
        let (id, amount, state) = (refund.id, refund.amount.into(), state.into());
        Self { id, sale_id: sale, reservation_id: reservation, units, amount, why, reason, made_at, tries, state }
    }
}

/// A refund in a list, with its order if it has one.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedRefund)]
pub struct ListedRefundView {
    #[serde(flatten)]
    refund: RefundView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 14, max_length = 14)]
    order_number: Option<String>,
}

impl From<(RefundEntry, Option<String>)> for ListedRefundView {
    fn from((entry, order_number): (RefundEntry, Option<String>)) -> Self {
        Self { refund: entry.into(), order_number }
    }
}
