//! What operators do from a shell. A command is data: `miaosha` carries it out on a world it opened itself, or hands it to the
//! shop that runs, which carries it out the same way.

mod plans;
mod staff;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::audit;
use crate::app::audit::journal;
use crate::app::audit::tend::{self, Tender};
use crate::app::money::payable;
use crate::app::sale::restore;
use crate::app::sale::tell;
use crate::app::seating;
use crate::domain::audit::journal::{Action, Entry, Subject};
use crate::domain::people::Role;
use crate::domain::people::author::Author;
use crate::domain::sale::{Allotment, CAPACITY_MAX, Question, QuestionKey, Sale, StandbyUntil};
use crate::domain::shared::id::{ItemId, RequestId, SaleId};
use crate::domain::shared::locale::Locale;
use crate::domain::shared::money::Money;
use crate::ports::Fault;
use crate::ports::audit::auditing::Auditing;
use crate::ports::audit::journal::Journal;
use crate::ports::money::payments::Payments;
use crate::ports::people::accounts::Accounts;
use crate::ports::people::operators::Operators;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::parked::Parked;
use crate::ports::sale::catalogue::{Catalogue, NewItem, NewSale};
use crate::ports::sale::fallback::Fallbacks;
use crate::ports::sale::restoring::Restoring;
use crate::ports::sale::turnstile::Turnstile;

/// Sales one command makes, at most, and reads at once.
const SALES_MAX: u32 = 1_000;
/// Messages one command lists or replays, at most.
const PARKED_MAX: u32 = 10_000;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Checks the invariants of these sales, or of all. `turns` adds everything that was ever decided.
    Audit {
        sales: Vec<SaleId>,
        turns: bool,
    },
    /// Checks that the journal is as it was written.
    CheckJournal,
    /// Rebuilds the turnstile from the ledger, whatever it looks like.
    Restore {
        sale: SaleId,
    },
    /// Whether a sale may be decided from a consumer's memory, where those are to be asked.
    Fallback {
        sale: SaleId,
        on: bool,
    },
    Parked,
    Replay,
    /// Removes what is over, once through everything, or counts it. The settings are the caller's.
    Tend {
        dry_run: bool,
        settings: tend::Settings,
    },
    /// Makes sales that are open now.
    Seed {
        sales: u32,
        capacity: u32,
        /// They cost nothing.
        #[serde(default)]
        free: bool,
    },
    /// A new operator, or any account.
    AddAccount {
        name: String,
        email: String,
        password_hash: String,
        role: Role,
        #[serde(default)]
        locale: Locale,
    },
    /// Who may do more than buy.
    Operators,
    /// Makes an operator of a shopper, a shopper of an operator, or another operator of one.
    SetRole {
        email: String,
        role: Role,
    },
    /// Keeps a plan, in its canonical form.
    KeepPlan {
        plan: String,
    },
    /// A kept plan, by its hash.
    Plan {
        hash: String,
    },
    /// Another password for an operator; what logged in before is logged out.
    ResetOperator {
        email: String,
        password_hash: String,
    },
}

/// What went wrong, in words for a shell.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("{0}")]
    Refused(String),
}

#[derive(Clone)]
pub struct Needs {
    pub accounts: Arc<dyn Accounts>,
    pub operators: Arc<dyn Operators>,
    pub auditing: Arc<dyn Auditing>,
    pub journal: Arc<dyn Journal>,
    pub catalogue: Arc<dyn Catalogue>,
    pub restoring: Arc<dyn Restoring>,
    pub fallbacks: Arc<dyn Fallbacks>,
    pub turnstile: Arc<dyn Turnstile>,
    pub payments: Arc<dyn Payments>,
    pub parked: Arc<dyn Parked>,
    pub clock: Arc<dyn Clock>,
    pub audit: audit::Needs,
    pub tend: tend::Needs,
    pub restore: restore::Needs,
    pub seating: seating::Needs,
}

/// What it changes is in the journal as the shell's.
pub async fn carry_out(needs: &Needs, command: Command) -> Result<Value, CommandError> {
    let by = shell(needs)?;
    match command {
        Command::Audit { sales, turns } => audit_sales(needs, sales, turns).await,
        Command::CheckJournal => check_journal(needs).await,
        Command::Restore { sale } => restore_sale(needs, sale, &by).await,
        Command::Fallback { sale, on } => fall_back(needs, sale, on, &by).await,
        Command::Parked => Ok(json!({ "parked": needs.parked.parked(PARKED_MAX).await? })),
        Command::Replay => replay(needs, &by).await,
        Command::Tend { dry_run, settings } => tend_once(needs, dry_run, settings, &by).await,
        Command::Seed { sales, capacity, free } => seed(needs, (sales, capacity), free, &by).await,
        Command::AddAccount { name, email, password_hash, role, locale } => {
            let email = email.to_lowercase();
            let accounts = &needs.accounts;
            let made = accounts.create_account(&name, &email, &password_hash, role, locale, Some(&by)).await?;
            let account = made.ok_or_else(|| CommandError::Refused("the address has an account already".to_owned()))?;
            Ok(json!({ "id": account.id, "role": account.role }))
        }
        Command::KeepPlan { plan } => plans::keep(needs, plan, &by).await,
        Command::Plan { hash } => plans::kept(needs, &hash).await,
        Command::Operators => staff::list(needs).await,
        Command::SetRole { email, role } => staff::set_role(needs, &email, role, &by).await,
        Command::ResetOperator { email, password_hash } => staff::reset(needs, &email, &password_hash, &by).await,
    }
}

/// Whoever gives commands. What one command does has one id.
fn shell(needs: &Needs) -> Result<Author, CommandError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| CommandError::Refused(error.to_string()))?;
    Ok(Author::shell(RequestId::from_bytes(id), needs.clock.now()))
}

async fn check_journal(needs: &Needs) -> Result<Value, CommandError> {
    let checked = journal::check(&*needs.journal).await?;
    let words = match &checked.broken {
        None => format!("journal: {} entries hold, the last digest is {}", checked.entries, checked.digest),
        Some(broken) => format!("journal: {broken}; {} entries before it hold", checked.entries),
    };
    let mut answer = serde_json::to_value(&checked).map_err(|error| CommandError::Refused(error.to_string()))?;
    answer["in_words"] = json!([words]);
    Ok(answer)
}

async fn restore_sale(needs: &Needs, sale: SaleId, by: &Author) -> Result<Value, CommandError> {
    let standing = needs.restoring.standing(sale).await?;
    let standing = standing.ok_or_else(|| CommandError::Refused(format!("there is no sale {sale}")))?;
    let before = json!({ "generation": standing.generation });
    write_down(needs, by, Action::RestoreBegun, Subject::Sale(sale), before).await?;
    // The operator's word is enough: there is nothing to compare.
    let doubt = restore::Divergence { sale, generation: standing.generation, grounds: restore::RestoreReason::Lost };
    let restored = restore::restore(&needs.restore, &tell::Settings::default(), doubt).await? == restore::Restored::Now;
    write_down(needs, by, Action::RestoreEnded, Subject::Sale(sale), json!({ "restored": restored })).await?;
    Ok(json!({ "sale": sale, "restored": restored }))
}

/// Consumers read it when the store does not answer, and before they go back.
async fn fall_back(needs: &Needs, sale: SaleId, on: bool, by: &Author) -> Result<Value, CommandError> {
    if !needs.fallbacks.want(sale, on, Some(by)).await? {
        return Err(CommandError::Refused(format!("there is no sale {sale}")));
    }
    let leased = needs.fallbacks.leased().await?.iter().any(|(of, _)| *of == sale);
    Ok(json!({ "sale": sale, "on": on, "decided_from_a_memory": leased }))
}

/// The queue is not the ledger's: it is written down before, and what came of it after.
async fn replay(needs: &Needs, by: &Author) -> Result<Value, CommandError> {
    write_down(needs, by, Action::ReplayBegun, Subject::Parked, Value::Null).await?;
    let replayed = json!({ "replayed": needs.parked.replay(PARKED_MAX).await? });
    write_down(needs, by, Action::ReplayEnded, Subject::Parked, replayed.clone()).await?;
    Ok(replayed)
}

async fn write_down(
    needs: &Needs,
    author: &Author,
    action: Action,
    subject: Subject,
    what: Value,
) -> Result<(), CommandError> {
    let after = if what.is_null() { String::new() } else { what.to_string() };
    let entry = Entry { author: author.clone(), action, subject, before: String::new(), after };
    needs.journal.write_down(&entry).await?;
    Ok(())
}

async fn audit_sales(needs: &Needs, sales: Vec<SaleId>, turns: bool) -> Result<Value, CommandError> {
    let sales = match sales.is_empty() {
        false => sales,
        true => all_sales(needs).await?,
    };
    let (mut pass, mut at_rest, mut reports, mut words) = (true, true, Vec::new(), Vec::new());
    for sale in sales {
        let verdict = audit::audit(&needs.audit, sale).await?;
        let verdict = verdict.ok_or_else(|| CommandError::Refused(format!("there is no sale {sale}")))?;
        pass &= verdict.pass;
        at_rest &= verdict.is_at_rest();
        words.push(verdict.to_string());
        let mut report = serde_json::to_value(&verdict).map_err(|error| CommandError::Refused(error.to_string()))?;
        if turns {
            add_history(needs, sale, &mut report).await?;
        }
        reports.push(report);
    }
    Ok(json!({ "pass": pass, "at_rest": at_rest, "in_words": words, "sales": reports }))
}

/// Mails in a folder are the running shop's to remove.
async fn tend_once(needs: &Needs, dry_run: bool, settings: tend::Settings, by: &Author) -> Result<Value, CommandError> {
    settings.check().map_err(|why| CommandError::Refused(why.to_owned()))?;
    let tender = Tender::new(needs.tend.clone(), settings, None);
    if dry_run {
        return Ok(json!({ "dry_run": true, "tended": tender.dry_run().round().await? }));
    }
    write_down(needs, by, Action::TendBegun, Subject::WhatIsOver, Value::Null).await?;
    let tended = json!({ "dry_run": false, "tended": tender.round().await? });
    write_down(needs, by, Action::TendEnded, Subject::WhatIsOver, tended.clone()).await?;
    Ok(tended)
}

/// Oldest first.
async fn all_sales(needs: &Needs) -> Result<Vec<SaleId>, CommandError> {
    let mut sales: Vec<SaleId> = Vec::new();
    loop {
        let page = needs.catalogue.sales_after(sales.last().copied(), SALES_MAX).await?;
        if page.is_empty() {
            sales.reverse();
            return Ok(sales);
        }
        sales.extend(page.iter().map(|sale| sale.id));
    }
}

async fn add_history(needs: &Needs, sale: SaleId, report: &mut Value) -> Result<(), CommandError> {
    let history = needs.auditing.history(sale).await?;
    report["turns"] = history
        .turns
        .iter()
        .map(|turn| {
            json!({
                "cause": turn.cause.to_string(),
                "outcomes": String::from_utf8_lossy(&turn.outcomes),
                "recorded_at": turn.recorded_at,
            })
        })
        .collect();
    report["reservations"] = history.reservations.iter().map(|(buyer, id)| json!([buyer, id])).collect();
    Ok(())
}

async fn seed(needs: &Needs, (sales, capacity): (u32, u32), free: bool, by: &Author) -> Result<Value, CommandError> {
    if !(1..=SALES_MAX).contains(&sales) || !(1..=CAPACITY_MAX).contains(&capacity) {
        let limits = format!("sales: 1 to {SALES_MAX}, capacity: 1 to {CAPACITY_MAX}");
        return Err(CommandError::Refused(limits));
    }
    let mut made = Vec::new();
    for number in 1..=sales {
        let title = format!("Seeded item {number}");
        let item = NewItem { title, description: "Made by seed".to_owned() };
        let item = needs.catalogue.create_item_once(&item, None, Some(by)).await?;
        let minor = if free { 0 } else { 100_000 };
        let price = Money { minor, currency: "TWD".parse().expect("three capital letters") };
        let allotment = Allotment { capacity, quantity_max: capacity.min(4) as u8, standby_max: capacity };
        let opens_at = needs.clock.now();
        let closes_at = opens_at.plus_ms(24 * HOUR_MS);
        let window = (opens_at.0, closes_at.0);
        made.push(open_sale(needs, item.id, price, allotment, window, Vec::new(), Some(by)).await?.id);
    }
    Ok(json!({ "sales": made }))
}

/// A new sale, with a turnstile. `window` is when it opens and closes.
pub async fn open_sale(
    needs: &Needs,
    item: ItemId,
    price: Money,
    allotment: Allotment,
    window: (i64, i64),
    questions: Vec<Question>,
    by: Option<&Author>,
) -> Result<Sale, CommandError> {
    use crate::domain::shared::time::Timestamp;
    payable::check(&*needs.payments, price, allotment.quantity_max)
        .map_err(|refused| CommandError::Refused(refused.to_string()))?;
    let mut key = [0u8; 32];
    getrandom::fill(&mut key).map_err(|error| CommandError::Refused(error.to_string()))?;
    let sale = NewSale {
        item,
        price,
        allotment,
        standby_until: StandbyUntil::default(),
        hold_ms: 600_000,
        opens_at: Timestamp(window.0),
        closes_at: Timestamp(window.1),
        questions,
        question_key: QuestionKey(key),
    };
    let sale = needs.catalogue.create_sale_once(&sale, None, by).await?;
    let sale = sale.ok_or_else(|| CommandError::Refused("the item is gone".to_owned()))?;
    needs.turnstile.open(sale.id, sale.generation, sale.allotment).await?;
    Ok(sale)
}

/// Restores the turnstile of every sale for which something can still happen: for a process that just opened its world.
pub async fn restore_all(needs: &Needs) -> Result<(), CommandError> {
    for sale in needs.catalogue.sales_that_matter(needs.clock.now()).await? {
        let grounds = restore::RestoreReason::Behind { revision: 0 };
        let doubt = restore::Divergence { sale: sale.id, generation: sale.generation, grounds };
        restore::restore(&needs.restore, &tell::Settings::default(), doubt).await?;
    }
    Ok(())
}

/// An audit's answer for people: a line a sale, and the verdict.
pub fn audit_in_words(answer: &Value) -> String {
    let lines = answer["in_words"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let verdict = if answer["pass"] == true { "PASS" } else { "FAIL" };
    lines.chain([verdict]).collect::<Vec<_>>().join("\n")
}
