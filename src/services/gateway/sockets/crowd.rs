//! Who watches which sale: its counters are read once for all of them, a few times a second at most, and told when they changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::domain::id::SaleId;
use crate::ports::World;
use crate::services::gateway::Gateway;
use crate::services::gateway::board::Shown;
use crate::services::gateway::session::{SaleWord, words};
use crate::services::gateway::sockets::mailbox::Mailbox;

#[derive(Default)]
pub struct Crowd {
    sales: Mutex<HashMap<SaleId, Watched>>,
}

#[derive(Default)]
struct Watched {
    /// By the address of the mailbox.
    mailboxes: HashMap<usize, Arc<Mailbox>>,
    last: Option<Last>,
    /// The number of the last word that everybody was told. A newcomer may be told a newer one before all others are.
    told: u64,
}

struct Last {
    looked_at: Instant,
    counters: words::Counters,
    word: Arc<SaleWord>,
}

fn address(mailbox: &Arc<Mailbox>) -> usize {
    Arc::as_ptr(mailbox) as usize
}

impl Crowd {
    pub fn watch(&self, sale: SaleId, mailbox: &Arc<Mailbox>) {
        self.sales().entry(sale).or_default().mailboxes.insert(address(mailbox), mailbox.clone());
    }

    pub fn unwatch(&self, sale: SaleId, mailbox: &Arc<Mailbox>) {
        let mut sales = self.sales();
        if let Some(watched) = sales.get_mut(&sale) {
            watched.mailboxes.remove(&address(mailbox));
            if watched.mailboxes.is_empty() {
                sales.remove(&sale);
            }
        }
    }

    fn watched(&self) -> Vec<SaleId> {
        self.sales().keys().copied().collect()
    }

    /// The word for what is shown. What was read earlier never replaces what was read later.
    fn word<W: World>(&self, gateway: &Gateway<W>, shown: &Shown) -> Option<Arc<SaleWord>> {
        let counters = counters(gateway, shown);
        let mut sales = self.sales();
        let watched = sales.get_mut(&counters.sale)?;
        if let Some(last) = &mut watched.last
            && (last.counters == counters || last.looked_at > shown.looked_at)
        {
            return Some(last.word.clone());
        }
        let number = watched.last.as_ref().map_or(1, |last| last.word.number + 1);
        let word = Arc::new(SaleWord { sale: counters.sale, number, text: words::text(&counters) });
        watched.last = Some(Last { looked_at: shown.looked_at, counters, word: word.clone() });
        Some(word)
    }

    /// Everybody, if they were not told it already.
    fn tell(&self, word: &Arc<SaleWord>) {
        let mailboxes: Vec<_> = match self.sales().get_mut(&word.sale) {
            Some(watched) if watched.told < word.number => {
                watched.told = word.number;
                watched.mailboxes.values().cloned().collect()
            }
            _ => return,
        };
        mailboxes.iter().for_each(|mailbox| mailbox.word(word));
    }

    fn sales(&self) -> MutexGuard<'_, HashMap<SaleId, Watched>> {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counters<W: World>(gateway: &Gateway<W>, shown: &Shown) -> words::Counters {
    let sale = &shown.sale;
    words::Counters {
        sale: sale.id,
        state: sale.phase(gateway.clock().now()),
        left: shown.left,
        standby: shown.standby,
        exhausted: shown.left == 0 && shown.standby >= sale.allotment.standby_max,
    }
}

/// The counters as a newcomer is told them.
pub fn word_of<W: World>(gateway: &Gateway<W>, shown: &Shown) -> Option<Arc<SaleWord>> {
    gateway.sockets().crowd.word(gateway, shown)
}

/// Tells everybody what changed. A sale that cannot be read is told of later.
pub async fn tell<W: World>(gateway: &Gateway<W>) {
    let crowd = &gateway.sockets().crowd;
    for sale in crowd.watched() {
        let shown = match gateway.board().sale(gateway.world(), sale).await {
            Ok(Some(shown)) => shown,
            Ok(None) => continue,
            Err(fault) => {
                tracing::debug!(sale.id = %sale, %fault, "the counters cannot be read");
                continue;
            }
        };
        if let Some(word) = crowd.word(gateway, &shown) {
            crowd.tell(&word);
        }
    }
}
