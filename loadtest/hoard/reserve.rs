//! The attacker's accounts beyond those that a sale has places for. One steps in for each that has to wait or is out; who has
//! waited comes before who was never used, for a new account costs something.

use std::sync::Mutex;

use tokio::sync::oneshot;

pub struct Reserve(Mutex<Places>);

struct Places {
    free: usize,
    /// The last comes first.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Reserve {
    pub fn new(places: usize) -> Self {
        Self(Mutex::new(Places { free: places, waiting: Vec::new() }))
    }

    /// Returns when it is this account's turn.
    pub async fn enter(&self) {
        let turn = {
            let mut places = self.0.lock().expect("no account panics");
            if places.free > 0 {
                places.free -= 1;
                return;
            }
            let (sender, turn) = oneshot::channel();
            places.waiting.push(sender);
            turn
        };
        let _ = turn.await;
    }

    pub fn leave(&self) {
        let mut places = self.0.lock().expect("no account panics");
        while let Some(next) = places.waiting.pop() {
            if next.send(()).is_ok() {
                return;
            }
        }
        places.free += 1;
    }
}
