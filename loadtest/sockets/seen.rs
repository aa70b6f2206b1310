//! What the clients of one process saw and were told, and when.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use miaosha::adapters::system::SystemClock;
use serde_json::Value;

use super::errand::{Report, Tally};

#[derive(Default)]
pub struct Seen {
    pub ready: AtomicU64,
    /// Who will not be ready any more.
    pub lost: AtomicU64,
    pub retried: AtomicU64,
    book: Mutex<Book>,
}

#[derive(Default)]
pub struct Book {
    pub failures: Tally,
    closed: Tally,
    told: Vec<(String, i64)>,
    statuses: Vec<(u64, i64)>,
    last: HashMap<u64, (String, u64)>,
}

/// What one client remembers.
#[derive(Default)]
pub struct Heard {
    pub is_ready: bool,
    state: Option<String>,
}

impl Seen {
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn failed(&self, why: String) {
        *self.book().failures.entry(why).or_default() += 1;
    }

    pub fn closed(&self, why: String) {
        *self.book().closed.entry(why).or_default() += 1;
    }

    pub fn is_under_way(&self) {
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    pub fn report(&self, state: Option<&str>) -> Report {
        let mut book = self.book();
        let told = state.map(|state| book.told_of(state).collect()).unwrap_or_default();
        book.told = Vec::new();
        let last = book.last.iter().map(|(buyer, (id, version))| (*buyer, id.clone(), *version)).collect();
        Report { told, statuses: std::mem::take(&mut book.statuses), last, closed: book.closed.clone() }
    }

    /// One text that a client was told.
    pub fn hear(&self, buyer: u64, heard: &mut Heard, text: &[u8]) {
        let now = SystemClock::machine_now().0;
        let Ok(word) = serde_json::from_slice::<Value>(text) else { return };
        if let (Some(id), Some(version)) = (word["reservation_id"].as_str(), word["version"].as_u64()) {
            self.book().last.insert(buyer, (id.to_owned(), version));
        }
        match (word["type"].as_str(), word["state"].as_str()) {
            (Some("status"), _) if !heard.is_ready => {
                heard.is_ready = true;
                self.ready.fetch_add(1, Ordering::Relaxed);
            }
            (Some("status"), _) => self.book().statuses.push((buyer, now)),
            (Some("sale"), Some(state)) => {
                let before = heard.state.replace(state.to_owned());
                if before.is_some_and(|before| before != state) {
                    self.book().told.push((state.to_owned(), now));
                }
            }
            _ => {}
        }
    }
}

impl Book {
    pub fn told_of<'a>(&'a self, state: &'a str) -> impl Iterator<Item = i64> + 'a {
        self.told.iter().filter(move |(told, _)| told == state).map(|(_, at)| *at)
    }
}
