//! Notices of many callers that are there at once travel together: a message costs a broker the same whether it has one or many.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::sale::notice::Notice;
use crate::domain::shared::id::SaleId;
use crate::kit::work::groups::{Groups, Limits};
use crate::ports::platform::tasks::Tasks;
use crate::ports::sale::notices::{NoticeStream, Notices};
use crate::ports::{Fault, Result};

/// Callers whose notices are one message, at most.
const GROUP_MAX: usize = 256;
/// Callers that wait for the next one; who comes then waits for a place, within his own time.
const WAITING_MAX: usize = 1_024;

pub struct ToldTogether {
    notices: Arc<dyn Notices>,
    groups: Groups<Vec<Notice>, Result<()>>,
}

impl ToldTogether {
    pub fn start(notices: Arc<dyn Notices>, tasks: &dyn Tasks) -> Self {
        let (limits, teller) = (Limits { group_max: GROUP_MAX, waiting_max: WAITING_MAX }, notices.clone());
        let groups = Groups::start(tasks, "told_together", limits, move |all| tell_all(teller.clone(), all));
        Self { notices, groups }
    }
}

async fn tell_all(notices: Arc<dyn Notices>, all: Vec<Vec<Notice>>) -> Vec<Result<()>> {
    let count = all.len();
    vec![notices.tell(&all.concat()).await; count]
}

#[async_trait]
impl Notices for ToldTogether {
    async fn tell(&self, notices: &[Notice]) -> Result<()> {
        let mut left = Left { notices: &*self.notices, untold: notices };
        let told = self.groups.ask(notices.to_vec()).await;
        let told = told.unwrap_or_else(|_| Err(Fault::new("notices", "nobody tells any more")));
        if told.is_ok() {
            left.untold = &[];
        }
        told
    }

    fn missed(&self, sale: SaleId) {
        self.notices.missed(sale);
    }

    async fn notices(&self) -> Result<Box<dyn NoticeStream>> {
        self.notices.notices().await
    }
}

/// Whoever gives up may have given up before his notices had a place: then nobody would know of them.
struct Left<'a> {
    notices: &'a dyn Notices,
    untold: &'a [Notice],
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        let mut sales: Vec<SaleId> = self.untold.iter().map(|notice| notice.sale).collect();
        sales.sort_unstable();
        sales.dedup();
        sales.into_iter().for_each(|sale| self.notices.missed(sale));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::join_all;
    use futures_util::poll;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::domain::sale::reservation::{Reservation, State};
    use crate::domain::shared::id::{BuyerId, ReservationId};
    use crate::domain::shared::time::Timestamp;
    use crate::kit::work::lifecycle::Lifecycle;

    /// What was told in each message, once it was let through, and which sales were missed.
    #[derive(Default)]
    struct Heard {
        told: Mutex<Vec<usize>>,
        missed: Mutex<Vec<SaleId>>,
        gate: Option<Semaphore>,
        is_away: bool,
    }

    #[async_trait]
    impl Notices for Heard {
        async fn tell(&self, notices: &[Notice]) -> Result<()> {
            if let Some(gate) = &self.gate {
                gate.acquire().await.unwrap().forget();
            }
            self.told.lock().unwrap().push(notices.len());
            if self.is_away { Err(Fault::new("broker", "away")) } else { Ok(()) }
        }

        fn missed(&self, sale: SaleId) {
            self.missed.lock().unwrap().push(sale);
        }

        async fn notices(&self) -> Result<Box<dyn NoticeStream>> {
            Err(Fault::new("broker", "nobody listens here"))
        }
    }

    fn notice(number: u64) -> [Notice; 1] {
        [Notice::from(&Reservation {
            id: ReservationId(number.into()),
            sale: SaleId(number),
            buyer: BuyerId(number),
            quantity: 1,
            state: State::Lapsed,
            version: 1,
            freed: true,
            created_at: Timestamp(0),
        })]
    }

    #[tokio::test]
    async fn those_who_are_there_share_a_message() {
        let heard = Arc::new(Heard { gate: Some(Semaphore::new(0)), ..Heard::default() });
        let together = ToldTogether::start(heard.clone(), &Lifecycle::new());
        let ones: Vec<_> = (0..5).map(notice).collect();
        let mut all: Vec<_> = ones.iter().map(|one| Box::pin(together.tell(one))).collect();
        assert!(poll!(&mut all[0]).is_pending());
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        for one in &mut all {
            assert!(poll!(one).is_pending());
        }
        heard.gate.as_ref().unwrap().add_permits(2);
        assert!(join_all(all).await.into_iter().all(|told| told.is_ok()));
        assert_eq!((heard.told.lock().unwrap().clone(), heard.missed.lock().unwrap().len()), (vec![1, 4], 0));
    }

    #[tokio::test]
    async fn who_gives_up_or_is_not_heard_is_missed() {
        let heard = Arc::new(Heard { gate: Some(Semaphore::new(0)), ..Heard::default() });
        let together = ToldTogether::start(heard.clone(), &Lifecycle::new());
        let one = notice(7);
        let mut tells = Box::pin(together.tell(&one));
        assert!(poll!(&mut tells).is_pending());
        drop(tells);
        assert_eq!(*heard.missed.lock().unwrap(), [SaleId(7)]);

        let heard = Arc::new(Heard { is_away: true, ..Heard::default() });
        let together = ToldTogether::start(heard.clone(), &Lifecycle::new());
        assert_eq!(together.tell(&notice(8)).await.unwrap_err().part, "broker");
        assert_eq!(*heard.missed.lock().unwrap(), [SaleId(8)]);
    }
}
