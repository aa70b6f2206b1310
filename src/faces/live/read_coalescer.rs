//! Reads of the ledger for buyers who were told that something changed. One decision is told to thousands at once: the caller
//! that gets a turn to read, reads for all that wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, oneshot};

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::ports::sale::reservations::Place;
use crate::ports::{Fault, Result};

/// Buyers that one look is for, at most.
pub const BUYERS_MAX: usize = 256;

type Found = std::result::Result<Option<Place>, String>;

struct Asker {
    buyer: BuyerId,
    tell: oneshot::Sender<Found>,
}

pub struct ReadCoalescer {
    turns: Semaphore,
    waiting: Mutex<HashMap<SaleId, Vec<Asker>>>,
}

impl ReadCoalescer {
    pub fn new(at_once_max: usize) -> Self {
        Self { turns: Semaphore::new(at_once_max), waiting: Mutex::default() }
    }

    /// Where the buyer stands, as `look` finds it: after this was called, by this caller or for it. A fault is everybody's for whom
    /// was looked; who looked and went away leaves no answer, and the others look themselves.
    pub async fn place(
        &self,
        sale: SaleId,
        buyer: BuyerId,
        look: impl AsyncFn(&[BuyerId]) -> Result<Vec<Place>>,
    ) -> Result<Option<Place>> {
        loop {
            let (tell, mut told) = oneshot::channel();
            self.waiting().entry(sale).or_default().push(Asker { buyer, tell });
            let answer = loop {
                tokio::select! {
                    biased;
                    answer = &mut told => break answer,
                    turn = self.turns.acquire() => {
                        let askers = self.take(sale);
                        if askers.is_empty() {
                            // Another one looks for this one, too.
                            drop(turn);
                            break told.await;
                        }
                        answer_all(askers, &look).await;
                    }
                }
            };
            match answer {
                Ok(Ok(place)) => return Ok(place),
                Ok(Err(why)) => return Err(Fault::new("ledger", why)),
                Err(_gone) => {}
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<SaleId, Vec<Asker>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The callers that came first, without those that left.
    fn take(&self, sale: SaleId) -> Vec<Asker> {
        let mut waiting = self.waiting();
        let Some(askers) = waiting.get_mut(&sale) else { return Vec::new() };
        askers.retain(|asker| !asker.tell.is_closed());
        let taken = askers.drain(..askers.len().min(BUYERS_MAX)).collect();
        if askers.is_empty() {
            waiting.remove(&sale);
        }
        taken
    }
}

async fn answer_all(askers: Vec<Asker>, look: impl AsyncFn(&[BuyerId]) -> Result<Vec<Place>>) {
    let mut buyers: Vec<BuyerId> = askers.iter().map(|asker| asker.buyer).collect();
    buyers.sort_unstable();
    buyers.dedup();
    let found = look(&buyers).await.map_err(|fault| fault.to_string());
    let found = found.map(|places| places.into_iter().map(|place| (place.row.buyer, place)).collect::<HashMap<_, _>>());
    for Asker { buyer, tell } in askers {
        let answer = found.as_ref().map(|places| places.get(&buyer).cloned()).map_err(Clone::clone);
        let _ = tell.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::future::join_all;
    use futures_util::poll;
    use tokio::sync::Notify;

    use super::*;
    use crate::domain::sale::reservation::{Reservation, State};
    use crate::domain::shared::id::ReservationId;
    use crate::domain::shared::time::Timestamp;

    const SALE: SaleId = SaleId(7);

    fn place_of(buyer: BuyerId) -> Place {
        let (id, created_at) = (ReservationId(u128::from(buyer.0)), Timestamp(1));
        let (quantity, version, freed) = (1, 1, false);
        let row = Reservation { id, sale: SALE, buyer, quantity, state: State::Lapsed, version, freed, created_at };
        Place { row, position: None }
    }

    #[tokio::test]
    async fn one_look_is_for_all_who_wait() {
        let (looks, sizes) = (ReadCoalescer::new(1), RefCell::new(Vec::new()));
        let look = async |buyers: &[BuyerId]| {
            sizes.borrow_mut().push(buyers.len());
            tokio::task::yield_now().await;
            Ok(buyers.iter().filter(|buyer| buyer.0 % 2 == 0).map(|buyer| place_of(*buyer)).collect())
        };
        // Every buyer has two tabs.
        let (looks, look) = (&looks, &look);
        let askers = (0..1_200).map(|asker| async move {
            let buyer = BuyerId(asker / 2);
            assert_eq!(looks.place(SALE, buyer, look).await.unwrap().is_some(), asker / 2 % 2 == 0);
        });
        join_all(askers.collect::<Vec<_>>()).await;
        let sizes = sizes.borrow();
        assert!(sizes.len() <= 7 && sizes.iter().all(|size| *size <= BUYERS_MAX), "{sizes:?}");
        assert!(looks.waiting().is_empty());
    }

    #[tokio::test]
    async fn so_many_look_at_once() {
        let (looks, began, go_on) = (ReadCoalescer::new(2), RefCell::new(0), Notify::new());
        let look = async |_: &[BuyerId]| {
            *began.borrow_mut() += 1;
            go_on.notified().await;
            Ok(Vec::new())
        };
        let mut all: Vec<_> = (0..3).map(|sale| Box::pin(looks.place(SaleId(sale), BuyerId(1), &look))).collect();
        for one in &mut all {
            assert!(poll!(one).is_pending());
        }
        assert_eq!(*began.borrow(), 2);
        go_on.notify_one();
        assert_eq!(all.remove(0).await, Ok(None));
        assert!(poll!(&mut all[1]).is_pending());
        assert_eq!(*began.borrow(), 3);
    }

    #[tokio::test]
    async fn who_goes_away_while_looking_leaves_the_others_to_look() {
        let (looks, looking) = (ReadCoalescer::new(1), Notify::new());
        let stuck = async |_: &[BuyerId]| {
            looking.notify_one();
            std::future::pending().await
        };
        let look = async |buyers: &[BuyerId]| Ok(buyers.iter().map(|buyer| place_of(*buyer)).collect());
        let leaves = async {
            tokio::select! {
                _ = looks.place(SALE, BuyerId(1), stuck) => panic!("nothing is found"),
                () = looking.notified() => {}
            }
        };
        // Both ask before the first one's look begins, so that it looks for the second, too.
        let turn = looks.turns.acquire().await.unwrap();
        let ((), (), stays) = tokio::join!(leaves, async { drop(turn) }, looks.place(SALE, BuyerId(2), look));
        assert_eq!(stays.unwrap(), Some(place_of(BuyerId(2))));
    }

    #[tokio::test]
    async fn a_fault_is_everybodys() {
        let looks = ReadCoalescer::new(1);
        let look = async |_: &[BuyerId]| Err(Fault::new("ledger", "it is away"));
        let told = join_all((0..10).map(|buyer| looks.place(SALE, BuyerId(buyer), look)).collect::<Vec<_>>()).await;
        assert!(told.iter().all(|told| told.is_err()));
    }
}
