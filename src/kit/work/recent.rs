//! What is dear to make and small to keep: the last ones that were used, so many of them. Whoever was not used for the longest time makes
//! room.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub struct Recent<K, V> {
    max: usize,
    /// The one used last is the last one.
    kept: Mutex<VecDeque<(K, V)>>,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    pub fn new(max: usize) -> Self {
        Self { max, kept: Mutex::default() }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        used(&mut self.kept(), key)
    }

    /// Where another made it meanwhile, that one stays, and is what comes back.
    pub fn keep(&self, key: K, value: V) -> V {
        let mut kept = self.kept();
        if let Some(known) = used(&mut kept, &key) {
            return known;
        }
        while kept.len() >= self.max {
            kept.pop_front();
        }
        kept.push_back((key, value.clone()));
        value
    }

    pub fn count(&self) -> usize {
        self.kept().len()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(K, V)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn used<K: PartialEq, V: Clone>(kept: &mut VecDeque<(K, V)>, key: &K) -> Option<V> {
    let found = kept.iter().position(|(known, _)| known == key).and_then(|place| kept.remove(place))?;
    let value = found.1.clone();
    kept.push_back(found);
    Some(value)
}
