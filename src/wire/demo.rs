//! What a new shop holds so that a newcomer can buy something at once: two accounts, a sale that is open, one that opens in a
//! minute.

use std::path::Path;

use crate::app::operator::open_sale;
use crate::domain::people::Role;
use crate::domain::sale::{Allotment, Question};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::locale::Locale;
use crate::domain::shared::money::Money;
use crate::faces::account::passwords;
use crate::kit::process::Failure;
use crate::ports::sale::catalogue::NewItem;
use crate::wire::folder;
use crate::wire::world::World;

const SHOPPER: &str = "demo@miaosha.test";
const OPERATOR: &str = "operator@miaosha.test";
/// Of the shopper, who can do no harm. Only this machine reaches a demo: it listens on a loopback address.
const PASSWORD: &str = "demodemo";
const HOUR_MS: i64 = 3_600_000;

/// The demo's sales.
pub struct Demo {
    pub open: SaleId,
    soon: SaleId,
    /// How one becomes the operator.
    operator: String,
}

/// Makes the demo where the shop has no sale yet; finds it where it is.
pub async fn prepare(world: &World, state: &Path) -> Result<Option<Demo>, Failure> {
    let sales = world.catalogue.sales(2).await?;
    let file = folder::operator_password_file(state);
    if let [soon, open] = sales.as_slice() {
        let operator = format!("whose password is in {}", file.display());
        return Ok(Some(Demo { open: open.id, soon: soon.id, operator }));
    }
    if !sales.is_empty() {
        return Ok(None);
    }
    // Before the account: a demo that was cut short is begun anew with the same one.
    let password = folder::operator_password(state)?;
    let hash = passwords::hash_now;
    world.accounts.create_account("Demo", SHOPPER, &hash(PASSWORD), Role::Shopper, Locale::En, None).await?;
    world.accounts.create_account("Operator", OPERATOR, &hash(&password), Role::Owner, Locale::En, None).await?;
    let now = world.clock.now();
    let question = Question { prompt: "How many legs has a cat?".to_owned(), answer: "4".to_owned() };
    let mut ids = Vec::new();
    for (title, opens_at) in [("A clay teapot, one of a hundred", now), ("A first row seat", now.plus_ms(60_000))] {
        let description = "From the demo.".to_owned();
        let item = world.catalogue.create_item(&NewItem { title: title.to_owned(), description }).await?;
        let price = Money { minor: 120_000, currency: "TWD".parse().expect("three capital letters") };
        let allotment = Allotment { capacity: 100, quantity_max: 4, standby_max: 200 };
        let window = (opens_at.0, opens_at.plus_ms(24 * HOUR_MS).0);
        ids.push(open_sale(&world.needs(), item.id, price, allotment, window, vec![question.clone()], None).await?.id);
    }
    let operator = format!("with the password {password}; it is said once, and kept in {}", file.display());
    Ok(Some(Demo { open: ids[0], soon: ids[1], operator }))
}

impl Demo {
    /// What to try next: lines for any shell, which may be pasted all at once. Comments are printed, since not every shell
    /// knows them.
    pub fn says(&self, url: &str, inner_url: &str) -> String {
        let Demo { open, soon, operator } = self;
        format!(
            r#"The shop is open on {url}  (probes and metrics: {inner_url}/readyz, {inner_url}/metrics)
Sale {open} is open, sale {soon} opens within a minute. Nothing is asked of who comes: no wait after a hold that lapsed, no places
for each network, no work (gateway.admission). Buy something:

  echo "- log in, and keep the token"
  TOKEN=$(curl -s {url}/v1/sessions -H 'content-type: application/json' \
    -d '{{"email":"{SHOPPER}","password":"{PASSWORD}"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  echo "- ask to be admitted: the right to press for a minute, and what is asked"
  ADMITTED=$(curl -s {url}/v1/sales/{open}/admission -H "authorization: Bearer $TOKEN" \
    -H 'content-type: application/json' -d '{{}}'); echo "$ADMITTED"
  ADMISSION=$(echo "$ADMITTED" | sed 's/.*"admission":"\([^"]*\)".*/\1/')
  echo "- press the button"
  ACCEPTED=$(curl -s {url}/v1/sales/{open}/attempts -H "authorization: Bearer $ADMISSION" \
    -H 'content-type: application/json' -d '{{"question_id":0,"answer":"4","quantity":2}}'); echo "$ACCEPTED"
  echo "- what became of it, as soon as it is decided: yours for ten minutes, with the token to pay"
  ATTEMPT=$(echo "$ACCEPTED" | sed -n 's/.*"attempt_id":"\([^"]*\)".*/\1/p')
  HELD=$(curl -s "{url}/v1/sales/{open}/reservation?attempt=$ATTEMPT" -H "authorization: Bearer $TOKEN"); echo "$HELD"
  echo "- pay; other cards are declined, timeout and late"
  CHECKOUT=$(echo "$HELD" | sed -n 's/.*"checkout_token":"\([^"]*\)".*/\1/p')
  curl -s {url}/v1/checkouts -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \
    -H "idempotency-key: $(date +%s%N)" -d "{{\"checkout_token\":\"$CHECKOUT\",\"card\":\"ok\"}}"; echo
  curl -s {url}/v1/orders -H "authorization: Bearer $TOKEN"; echo

The operator is {OPERATOR}, {operator}. A rush of 5,000:  cargo run --release --bin loadtest -- rush"#
        )
    }
}
