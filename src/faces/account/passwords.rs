//! Passwords: Argon2id in a bounded pool.
//!
//! A hash costs 19 MiB and a core for a while, and any client may cause one. So at most `jobs_max` run, at most `waiting_max`
//! requests wait, and the rest are told to come again. A job that has begun holds its permit to its end, also when its
//! request is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolFull;

/// One for whoever comes, one for browsers that logged in before, one for operators: a crowd at one keeps nobody from the others.
pub struct Pools {
    pub strangers: Passwords,
    pub known: Passwords,
    pub operators: Passwords,
}

impl Pools {
    pub fn new(jobs_max: usize, waiting_max: usize, runtime: &Handle) -> Self {
        let pool = || Passwords::new(jobs_max, waiting_max, runtime.clone());
        Self { strangers: pool(), known: pool(), operators: pool() }
    }

    /// Begun since the start.
    pub fn hashes(&self) -> u64 {
        [&self.strangers, &self.known, &self.operators].map(Passwords::hashes).iter().sum()
    }
}

pub struct Passwords {
    jobs: Arc<Semaphore>,
    /// One for each request that runs or waits.
    places: Arc<Semaphore>,
    /// What an unknown address is checked against, so that it costs the same time as a known one.
    nobodys: Arc<str>,
    runtime: Handle,
    hashes: AtomicU64,
}

impl Passwords {
    pub fn new(jobs_max: usize, waiting_max: usize, runtime: Handle) -> Self {
        Self {
            jobs: Arc::new(Semaphore::new(jobs_max)),
            places: Arc::new(Semaphore::new(jobs_max + waiting_max)),
            nobodys: hash("nobody has this password").into(),
            runtime,
            hashes: AtomicU64::new(0),
        }
    }

    /// The hash of a new password, in PHC form.
    pub async fn hash(&self, password: String) -> Result<String, PoolFull> {
        self.run(move || hash(&password)).await
    }

    /// Whether it is the password of this hash. Without a hash it never is, and finding that out takes as long.
    pub async fn is_right(&self, password: String, known: Option<String>) -> Result<bool, PoolFull> {
        let nobodys = self.nobodys.clone();
        self.run(move || match known {
            Some(known) => verify(&password, &known),
            None => {
                verify(&password, &nobodys);
                false
            }
        })
        .await
    }

    /// Begun since the start.
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, PoolFull> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| PoolFull)?;
        let turn = self.jobs.clone().acquire_owned().await.expect("the pool is never closed");
        self.hashes.fetch_add(1, Ordering::Relaxed);
        let task = self.runtime.spawn_blocking(move || {
            let result = job();
            drop((turn, place));
            result
        });
        // A runtime that is going down drops the job: to the caller that is a pool that takes no more.
        task.await.map_err(|_| PoolFull)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within Argon2's own limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes outside the pool and blocks the thread: for a shell, a demo.
pub fn hash_now(password: &str) -> String {
    hash(password)
}

/// Whether this is what a hash of ours looks like: another one might never be right, or cost more than the pool reckons with.
pub fn is_hash(text: &str) -> bool {
    let ours = format!("$argon2id$v={}$m={MEMORY_KIB},t={PASSES},p={LANES}$", u32::from(Version::V0x13));
    text.starts_with(&ours) && PasswordHash::new(text).is_ok_and(|hash| hash.salt.is_some() && hash.hash.is_some())
}

fn hash(password: &str) -> String {
    argon2().hash_password(password.as_bytes()).expect("any password of ours can be hashed").to_string()
}

fn verify(password: &str, known: &str) -> bool {
    let Ok(known) = PasswordHash::new(known) else {
        tracing::error!("an account's password hash cannot be read");
        return false;
    };
    argon2().verify_password(password.as_bytes(), &known).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::poll;

    use super::*;

    #[test]
    fn a_hash_is_known_by_its_looks() {
        let ours = hash_now("difference engine");
        assert!(is_hash(&ours), "{ours}");
        let (parameters, rest) = ours.split_at(ours.find("m=").expect("it costs memory"));
        let dearer = format!("{parameters}{}", rest.replacen("m=19456", "m=9999999", 1));
        let whole = ours.len();
        for text in
            ["", "garbage", "difference engine", &dearer, &ours[..whole - 50], &ours.replace("argon2id", "argon2i")]
        {
            assert!(!is_hash(text), "{text}");
        }
        assert!(!is_hash(&format!("{ours}!")), "no base64");
    }

    #[tokio::test]
    async fn so_many_passwords_are_hashed_at_once() {
        let pool = Passwords::new(2, 9, Handle::current());
        let (mut ends, mut jobs) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (end, ended) = channel::<()>();
            ends.push(end);
            jobs.push(Box::pin(pool.run(move || ended.recv().is_err())));
            assert!(poll!(jobs.last_mut().expect("it was just put there")).is_pending());
        }
        assert_eq!(pool.hashes(), 2);
        drop(ends.remove(0));
        assert_eq!(jobs.remove(0).await, Ok(true));
        assert!(poll!(&mut jobs[1]).is_pending());
        assert_eq!(pool.hashes(), 3);
    }
}
