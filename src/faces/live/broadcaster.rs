//! Who watches which sale: its counters are read once for all of them, a few times a second at most, and told when they changed.
//! A large crowd is told of numbers in turns, because all of it at once keeps the sale itself waiting; of a sale's phase, at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::app::sale::catalogue_cache::CachedSale;
use crate::app::sale::subscribers::Subscriber;
use crate::domain::sale::Phase;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::faces::live::Live;
use crate::faces::live::mailbox::Mailbox;
use crate::faces::live::session::SaleWord;
use crate::faces::live::session::words;

#[derive(Default)]
pub struct TopicBroadcaster {
    sales: Mutex<HashMap<SaleId, Watched>>,
}

#[derive(Default)]
struct Watched {
    /// By the address of the mailbox.
    mailboxes: HashMap<usize, Arc<Mailbox>>,
    last: Option<Last>,
    /// Who is still to be told in this round.
    due: Vec<usize>,
    /// What every socket knows at least when the round is over: a message's number, and its phase. A newcomer may be told a newer
    /// word before all others are.
    told: Option<(u64, Phase)>,
}

struct Last {
    looked_at: Instant,
    counters: words::Counters,
    word: Arc<SaleWord>,
}

impl Watched {
    /// The last message, and the sockets to be told it now: as many of this round as may be, or all.
    fn turn(&mut self, words_max: usize) -> Option<(Arc<SaleWord>, Vec<Arc<Mailbox>>)> {
        let Last { counters, word, .. } = self.last.as_ref()?;
        let is_urgent = self.told.is_none_or(|(_, phase)| phase != counters.state);
        let is_behind = self.told.is_some_and(|(number, _)| number < word.number);
        if is_urgent || (is_behind && self.due.is_empty()) {
            self.told = Some((word.number, counters.state));
            self.due = self.mailboxes.keys().copied().collect();
        }
        let later = if is_urgent { 0 } else { self.due.len().saturating_sub(words_max) };
        let now = self.due.drain(later..).filter_map(|address| self.mailboxes.get(&address).cloned());
        Some((word.clone(), now.collect()))
    }
}

fn address(mailbox: &Arc<Mailbox>) -> usize {
    Arc::as_ptr(mailbox) as usize
}

impl TopicBroadcaster {
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

    /// Notices of this sale may have been lost: its sockets look once more.
    pub fn missed(&self, sale: SaleId) {
        if let Some(watched) = self.sales().get(&sale) {
            watched.mailboxes.values().for_each(|mailbox| mailbox.missed());
        }
    }

    /// All sockets that watch something, sale by sale, in the order of buyers.
    pub fn pairs(&self) -> Vec<(SaleId, BuyerId, Arc<Mailbox>)> {
        let mut pairs = Vec::new();
        for (sale, watched) in self.sales().iter() {
            pairs.extend(watched.mailboxes.values().map(|mailbox| (*sale, BuyerId(0), mailbox.clone())));
        }
        for (_, buyer, mailbox) in &mut pairs {
            *buyer = mailbox.buyer();
        }
        pairs.sort_unstable_by_key(|(sale, buyer, _)| (*sale, *buyer));
        pairs
    }

    fn watched(&self) -> Vec<SaleId> {
        self.sales().keys().copied().collect()
    }

    /// The word for what is shown. What was read earlier never replaces what was read later.
    fn word(&self, live: &Live, shown: &CachedSale) -> Option<Arc<SaleWord>> {
        let counters = counters(live, shown);
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

    fn tell(&self, sale: SaleId, words_max: usize) {
        let turn = self.sales().get_mut(&sale).and_then(|watched| watched.turn(words_max));
        if let Some((word, mailboxes)) = turn {
            mailboxes.iter().for_each(|mailbox| mailbox.word(&word));
        }
    }

    fn sales(&self) -> MutexGuard<'_, HashMap<SaleId, Watched>> {
        self.sales.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counters(live: &Live, shown: &CachedSale) -> words::Counters {
    let sale = &shown.sale;
    words::Counters {
        sale: sale.id,
        version: sale.version,
        state: sale.phase(live.clock().now()),
        left: shown.left,
        all_paid: shown.all_paid,
        standby: shown.standby,
        exhausted: shown.is_exhausted(),
    }
}

/// The counters as a newcomer is told them.
pub fn word_of(live: &Live, shown: &CachedSale) -> Option<Arc<SaleWord>> {
    live.crowd().word(live, shown)
}

/// Tells every socket what changed. A sale that cannot be read is told of later.
pub async fn tell(live: &Live) {
    let crowd = live.crowd();
    let words_max = live.rules().sale_words_max();
    for sale in crowd.watched() {
        let shown = match live.board().sale(sale).await {
            Ok(Some(shown)) => shown,
            Ok(None) => continue,
            Err(fault) => {
                tracing::debug!(sale.id = %sale, %fault, "a sale's counters cannot be read");
                continue;
            }
        };
        crowd.word(live, &shown);
        crowd.tell(sale, words_max);
    }
}
