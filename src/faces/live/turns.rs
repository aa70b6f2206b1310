//! Turns of one task, so that no socket keeps the others of its thread waiting.

use std::task::{Context, Poll};

/// Inputs handled before others get their turn.
const TURNS_MAX: usize = 16;

pub enum Turn {
    GoesOn,
    Waits,
    IsOver,
}

/// `turn` until it is over or nothing goes on, or until others are to have their turn.
pub fn in_turns(cx: &mut Context<'_>, mut turn: impl FnMut(&mut Context<'_>) -> Turn) -> Poll<()> {
    for _ in 0..TURNS_MAX {
        match turn(cx) {
            Turn::GoesOn => {}
            Turn::Waits => return Poll::Pending,
            Turn::IsOver => return Poll::Ready(()),
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    /// What has less to do waits; what has more wakes itself, and others have their turn.
    #[test]
    fn others_have_their_turn_after_so_many() {
        for (inputs, handled, is_woken) in [(15, 15, false), (17, 16, true)] {
            let woken = Arc::new(Woken::default());
            let mut left = inputs;
            let polled = in_turns(&mut Context::from_waker(&woken.clone().into()), |_| match left {
                0 => Turn::Waits,
                _ => {
                    left -= 1;
                    Turn::GoesOn
                }
            });
            assert!(polled.is_pending());
            assert_eq!((inputs - left, woken.0.load(Ordering::SeqCst)), (handled, is_woken));
        }
    }
}
