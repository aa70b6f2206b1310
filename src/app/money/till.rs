//! The till: checkouts that are at one process at the same time share its commits. Two groups, and the provider between them.
//!
//!   begins     a read of what is asked for; then one transaction: requests are claimed, payments written down, holds taken
//!   the provider is asked by each for itself, side by side, and only by who took the row
//!   finishes   one transaction: orders, what is told of them, and what their requests are answered from now on
//!
//! Notices to their buyers share messages in the same way. A group is who is there when the one before it is done; nobody waits for
//! others. Each is judged by its own condition, and one that cannot be written fails alone. Of two checkouts of one hold, in one
//! group or in two, one takes the row. What is begun here is not kept in memory for anybody: a process that dies between the two
//! leaves rows that the payment-consumer finds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::app::money::metric::{Commit, committed, describe_till};
use crate::app::money::{Needs, points};
use crate::app::sale::tell;
use crate::app::sale::told_together::ToldTogether;
use crate::app::sale::turns::sure_now;
use crate::domain::money::order::{self, Order};
use crate::domain::money::payment::{Payment, PaymentState};
use crate::domain::sale::reservation::Reservation;
use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::kit::work::chance::chance;
use crate::kit::work::groups::{Groups, Limits, Missed};
use crate::ports::money::paying::{Begin, Begun, Bill, Finish, Finished, Take, Took};
use crate::ports::money::payments::Unpayable;
use crate::ports::platform::idempotency::{Answer, Asked, Claim, Lease};
use crate::ports::platform::tasks::Tasks;
use crate::ports::{Fault, Result};

/// Checkouts in one commit, at most.
const GROUP_MAX: usize = 64;
/// Checkouts that wait for the next commit, at most. One that comes then is told to come again; one whose money moved waits.
pub const WAITING_MAX: usize = 1_024;

/// What an order's request is answered, now and whenever it is asked again.
pub type ToAnswer = Arc<dyn Fn(&Order) -> Answer + Send + Sync>;

/// What a buyer asks for.
#[derive(Clone)]
pub struct Wish {
    pub reservation: ReservationId,
    pub buyer: BuyerId,
    pub is_card_given: bool,
    /// Claimed with what is asked for.
    pub request: Option<Asked>,
    pub to_answer: ToAnswer,
}

/// How a checkout began.
pub(super) enum Start {
    /// The request is another caller's, or was answered: nothing was done.
    Elsewhere(Claim),
    Here {
        lease: Option<Lease>,
        step: Result<Box<Step>>,
    },
}

pub(super) enum Step {
    /// The row is taken, and the provider may be asked.
    Pay {
        row: Reservation,
        payment: Payment,
    },
    /// It cost nothing: the order stands, and so does the request's answer.
    Ordered {
        row: Reservation,
        order: Order,
    },
    /// Nothing can be paid, and nothing was done.
    Stands(Option<Reservation>),
    CardMissing(Money),
    Unpayable(Money, Unpayable),
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Till {
    needs: Needs,
    begins: Arc<Groups<Wish, Result<Start>>>,
    finishes: Arc<Groups<Finish, Result<Finished>>>,
}

impl Till {
    pub fn start(needs: Needs, tasks: &dyn Tasks) -> Self {
        describe_till();
        let notices = Arc::new(ToldTogether::start(needs.tell.notices.clone(), tasks));
        let needs = Needs { tell: tell::Needs { notices, ..needs.tell }, ..needs };
        let limits = Limits { group_max: GROUP_MAX, waiting_max: WAITING_MAX };
        let (here, there) = (needs.clone(), needs.clone());
        let begins = Groups::start(tasks, "till.begins", limits, move |wishes| begin(here.clone(), wishes));
        let finishes = Groups::start(tasks, "till.finishes", limits, move |orders| finish(there.clone(), orders));
        Self { needs, begins: Arc::new(begins), finishes: Arc::new(finishes) }
    }

    pub(super) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Nothing where too many wait: then nothing was done.
    pub(super) async fn begin(&self, wish: Wish) -> Result<Option<Start>> {
        match self.begins.try_ask(wish).await {
            Ok(start) => start.map(Some),
            Err(Missed::Full) => Ok(None),
            Err(Missed::Broken) => Err(broken()),
        }
    }

    /// Money moved: there is a place for it, however long that takes.
    pub(super) async fn finish(&self, finish: Finish) -> Result<Finished> {
        self.finishes.ask(finish).await.map_err(|_| broken())?
    }
}

fn broken() -> Fault {
    Fault::new("till", "the till has stopped")
}

/// All of the group, or what failed for all of it.
fn each<T>(count: usize, group: Result<Vec<Result<T>>>) -> Vec<Result<T>> {
    group.unwrap_or_else(|fault| (0..count).map(|_| Err(fault.clone())).collect())
}

async fn finish(needs: Needs, finishes: Vec<Finish>) -> Vec<Result<Finished>> {
    let began = Instant::now();
    let finished = needs.paying.finish_all(&finishes, needs.clock.now()).await;
    committed(Commit::Finish, finishes.len(), began.elapsed());
    each(finishes.len(), finished)
}

async fn begin(needs: Needs, wishes: Vec<Wish>) -> Vec<Result<Start>> {
    let began = Instant::now();
    let started = begin_all(&needs, &wishes).await;
    committed(Commit::Begin, wishes.len(), began.elapsed());
    each(wishes.len(), started)
}

async fn begin_all(needs: &Needs, wishes: &[Wish]) -> Result<Vec<Result<Start>>> {
    let now = sure_now(&*needs.clock)?;
    let ids: Vec<ReservationId> = wishes.iter().map(|wish| wish.reservation).collect();
    let bills = needs.paying.bills(&ids).await?;
    let bills: HashMap<ReservationId, Bill> = bills.into_iter().map(|bill| (bill.row.id, bill)).collect();
    let plans: Vec<Plan> = wishes.iter().map(|wish| plan(needs, bills.get(&wish.reservation), wish, now)).collect();
    needs.faults.reach(points::CHECKOUT_AFTER_READ).await;
    let begins = wishes.iter().zip(&plans).map(|(wish, plan)| Begin {
        request: wish.request.clone(),
        take: match plan {
            Plan::Pay(payment) => Take::Paying { payment: payment.clone(), buyer: wish.buyer },
            Plan::Give(order) => {
                let answer = wish.request.as_ref().map(|_| (wish.to_answer)(order));
                Take::Free { order: order.clone(), answer }
            }
            Plan::Say(_) => Take::Nothing,
        },
    });
    let begun = needs.paying.begin_all(&Vec::from_iter(begins), sure_now(&*needs.clock)?).await?;
    Ok(begun.into_iter().zip(plans).map(|(begun, plan)| Ok(start(begun?, plan))).collect())
}

/// What is to be done, as far as a look at the row can tell.
enum Plan {
    Pay(Payment),
    Give(Order),
    Say(Result<Step>),
}

fn plan(needs: &Needs, bill: Option<&Bill>, wish: &Wish, now: Timestamp) -> Plan {
    let Some(Bill { row, price }) = bill.filter(|bill| bill.row.buyer == wish.buyer) else {
        return Plan::Say(Ok(Step::Stands(None)));
    };
    if !row.is_payable(now) {
        return Plan::Say(Ok(Step::Stands(Some(row.clone()))));
    }
    let Some(amount) = price.times(u32::from(row.quantity)) else {
        let what = format!("the price of sale {} cannot be multiplied", row.sale);
        return Plan::Say(Err(Fault::new("ledger", what)));
    };
    let payment = Payment {
        id: PaymentId::from_bytes(chance()),
        reservation: row.id,
        sale: row.sale,
        amount,
        state: PaymentState::Opened,
        opened_at: now,
    };
    if amount.is_zero() {
        return Plan::Give(Order::placed(row, &payment, &new_number(), now));
    }
    if !wish.is_card_given {
        return Plan::Say(Ok(Step::CardMissing(amount)));
    }
    match needs.payments.check(amount) {
        Ok(()) => Plan::Pay(payment),
        Err(unpayable) => Plan::Say(Ok(Step::Unpayable(amount, unpayable))),
    }
}

pub(super) fn new_number() -> String {
    order::number(u64::from_be_bytes(chance()))
}

/// What the ledger said to it.
fn start(begun: Begun, plan: Plan) -> Start {
    let (lease, took) = match begun {
        Begun::Elsewhere(claim) => return Start::Elsewhere(claim),
        Begun::Here { lease, took } => (lease, took),
    };
    let step = match (plan, took) {
        (Plan::Say(said), _) => said,
        (Plan::Pay(payment), Took::Paying(row)) => Ok(Step::Pay { row, payment }),
        (Plan::Give(order), Took::Order(row)) => Ok(Step::Ordered { row, order }),
        (_, Took::Refused(row)) => Ok(Step::Stands(row)),
        (_, took) => Err(Fault::new("ledger", format!("an answer to another question: {took:?}"))),
    };
    Start::Here { lease, step: step.map(Box::new) }
}
