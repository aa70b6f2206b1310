//! The work that an admission asks for, really done, and counted in digests.

use std::hint::black_box;
use std::time::Instant;

use miaosha::app::sale::admission::proof::{Proof, zero_bits};

/// Tried to learn how quick this machine is.
const SAMPLE: u64 = 500_000;

pub struct Solved {
    pub solution: String,
    /// Digests that it took.
    pub tried: u64,
}

/// On a thread that nobody waits for.
pub async fn solve(challenge: String, bits: u32) -> Result<Solved, String> {
    let solved = tokio::task::spawn_blocking(move || {
        let mut tried = 0_u64;
        loop {
            let solution = tried.to_string();
            tried += 1;
            if zero_bits(Proof { challenge: &challenge, solution: &solution }) >= bits {
                return Solved { solution, tried };
            }
        }
    });
    solved.await.map_err(|error| error.to_string())
}

/// Digests that one core tries in a second.
pub async fn speed() -> Result<f64, String> {
    let timed = tokio::task::spawn_blocking(|| {
        let began = Instant::now();
        for number in 0..SAMPLE {
            black_box(zero_bits(Proof { challenge: "how quick is it", solution: &number.to_string() }));
        }
        SAMPLE as f64 / began.elapsed().as_secs_f64()
    });
    timed.await.map_err(|error| error.to_string())
}
