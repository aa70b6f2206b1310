//! What many ask for at once is done together: those that are there when the work before them ends are its next group. Nobody waits
//! for others to come: who is alone is a group of one.
//!
//! One group at a time, so that a group grows while the one before it is at work. A caller that goes away changes nothing: what it
//! asked for is done all the same, and its answer is dropped.

use std::future::Future;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::ports::platform::tasks::Tasks;

/// How much of it there is, at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Jobs in one group.
    pub group_max: usize,
    /// Jobs that wait for the next one.
    pub waiting_max: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Too many wait: the job was not taken.
    Full,
    /// The work broke; whether the job was done is not known.
    Broken,
}

type Job<J, A> = (J, oneshot::Sender<A>);

pub struct Groups<J, A> {
    jobs: mpsc::Sender<Job<J, A>>,
}

impl<J: Send + 'static, A: Send + 'static> Groups<J, A> {
    /// `work` answers every job, in order. Its task ends with the last handle.
    pub fn start<F>(
        tasks: &dyn Tasks,
        name: &'static str,
        limits: Limits,
        work: impl Fn(Vec<J>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Vec<A>> + Send + 'static,
    {
        let (jobs, waiting) = mpsc::channel(limits.waiting_max);
        tasks.attend(name, Box::pin(run(waiting, limits.group_max, work)));
        Self { jobs }
    }

    /// Only where there is a place to wait.
    pub async fn try_ask(&self, job: J) -> Result<A, Missed> {
        let (tell, told) = oneshot::channel();
        self.jobs.try_send((job, tell)).map_err(|error| match error {
            TrySendError::Full(_) => Missed::Full,
            TrySendError::Closed(_) => Missed::Broken,
        })?;
        told.await.map_err(|_| Missed::Broken)
    }

    /// Waits for a place as well. Of a caller that goes away before it has one, nothing is done.
    pub async fn ask(&self, job: J) -> Result<A, Missed> {
        let (tell, told) = oneshot::channel();
        self.jobs.send((job, tell)).await.map_err(|_| Missed::Broken)?;
        told.await.map_err(|_| Missed::Broken)
    }
}

async fn run<J, A, F: Future<Output = Vec<A>>>(
    mut waiting: mpsc::Receiver<Job<J, A>>,
    group_max: usize,
    work: impl Fn(Vec<J>) -> F,
) {
    let mut group = Vec::with_capacity(group_max);
    while waiting.recv_many(&mut group, group_max).await > 0 {
        let (jobs, tells): (Vec<J>, Vec<oneshot::Sender<A>>) = group.drain(..).unzip();
        let answers = work(jobs).await;
        for (answer, tell) in answers.into_iter().zip(tells) {
            // Its caller may be gone.
            let _ = tell.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::future::join_all;
    use futures_util::poll;
    use tokio::sync::Semaphore;
    use tokio::task::unconstrained;

    use super::*;
    use crate::kit::work::lifecycle::Lifecycle;

    const LIMITS: Limits = Limits { group_max: 4, waiting_max: 8 };

    /// What twice each number is, group by group, each group when it is let go.
    struct Doubling {
        groups: Groups<u32, u32>,
        sizes: Arc<Mutex<Vec<usize>>>,
        go_on: Arc<Semaphore>,
    }

    fn doubling(lifecycle: &Lifecycle) -> Doubling {
        let (sizes, go_on) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let (seen, gate) = (sizes.clone(), go_on.clone());
        let work = move |numbers: Vec<u32>| {
            seen.lock().unwrap().push(numbers.len());
            let gate = gate.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                assert!(!numbers.contains(&13), "of bad luck");
                numbers.into_iter().map(|number| 2 * number).collect()
            }
        };
        Doubling { groups: Groups::start(lifecycle, "doubling", LIMITS, work), sizes, go_on }
    }

    #[tokio::test]
    async fn so_many_jobs_are_one_group() {
        let Doubling { groups, sizes, go_on } = doubling(&Lifecycle::new());
        go_on.add_permits(9);
        let alone = groups.try_ask(20).await;
        assert_eq!((alone, sizes.lock().unwrap().clone()), (Ok(40), vec![1]), "who is alone does not wait");
        for (jobs, wanted) in [(4, vec![4]), (5, vec![4, 1])] {
            sizes.lock().unwrap().clear();
            let answers = unconstrained(join_all((0..jobs).map(|number| groups.try_ask(number)))).await;
            assert_eq!(answers, (0..jobs).map(|number| Ok(2 * number)).collect::<Vec<_>>());
            assert_eq!(*sizes.lock().unwrap(), wanted);
        }
    }

    #[tokio::test]
    async fn so_many_jobs_wait_and_one_more_is_refused() {
        let Doubling { groups, sizes, go_on } = doubling(&Lifecycle::new());
        let mut first = Box::pin(groups.try_ask(0));
        assert!(poll!(&mut first).is_pending());
        while sizes.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let mut waiting: Vec<_> = (1..=8).map(|number| Box::pin(groups.try_ask(number))).collect();
        for job in &mut waiting {
            assert!(poll!(job).is_pending());
        }
        assert_eq!(groups.try_ask(9).await, Err(Missed::Full));
        let mut patient = Box::pin(groups.ask(10));
        assert!(poll!(&mut patient).is_pending());
        // One that goes away is done all the same.
        drop(waiting.remove(0));
        go_on.add_permits(9);
        assert_eq!((first.await, patient.await), (Ok(0), Ok(20)));
        assert_eq!(join_all(waiting).await, (2..=8).map(|number| Ok(2 * number)).collect::<Vec<_>>());
        assert_eq!(sizes.lock().unwrap().iter().sum::<usize>(), 10);
    }

    #[tokio::test]
    async fn work_that_breaks_is_noticed() {
        let lifecycle = Lifecycle::new();
        let Doubling { groups, go_on, .. } = doubling(&lifecycle);
        go_on.add_permits(9);
        assert_eq!(groups.try_ask(13).await, Err(Missed::Broken));
        assert_eq!(groups.ask(1).await, Err(Missed::Broken));
        assert_eq!(lifecycle.failure().map(|failure| failure.task), Some("doubling"));
    }
}
