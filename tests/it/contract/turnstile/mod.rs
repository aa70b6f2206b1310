//! What every turnstile must do, wherever its state is kept. Here is what its cases share; they stand by their subjects.

mod histories;
mod releasing;
mod reserving;

pub use histories::*;
pub use releasing::*;
pub use reserving::*;

use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::turn::{Answer, Chain, Known, Promotion, Reserved};
use miaosha::domain::sale::turnstile::{Ended, Level, Part, Reply, Snapshot};
use miaosha::domain::shared::id::{BatchId, BuyerId, ReservationId, SaleId};
use miaosha::ports::sale::turnstile::Turnstile;

const SALE: SaleId = SaleId(7);
const FIRST: u64 = 1;

/// Three units, at most two for one attempt, and two parties may wait.
const SMALL: Allotment = Allotment { capacity: 3, quantity_max: 2, standby_max: 2 };

/// Who knows nothing but the generation.
const NEW: Known = Known { generation: FIRST, revision: 0, chain: Chain(0) };

/// Who knows all there is to know.
async fn knowing(turnstile: &impl Turnstile) -> Known {
    let level = level(turnstile).await;
    Known { generation: level.generation, revision: level.revision, chain: level.chain }
}

pub fn batch(number: u64, attempts: &[(u64, u8)]) -> Batch {
    let attempts =
        attempts.iter().map(|&(buyer, quantity)| Attempt { buyer: BuyerId(buyer), quantity, waits: true }).collect();
    Batch { id: BatchId::new(1_767_225_600_000, number), sale: SALE, attempts, traced: Vec::new() }
}

fn reservation(number: u64, index: usize) -> ReservationId {
    batch(number, &[]).attempt_id(index).into()
}

fn taken(units: &[u32]) -> Answer {
    Answer::Taken { units: units.to_vec() }
}

fn standby(arrival: u64, position: u32) -> Answer {
    Answer::Standby { arrival, position }
}

fn promotion(reservation: ReservationId, units: &[u32]) -> Promotion {
    Promotion { reservation, units: units.to_vec() }
}

pub fn done<T>(reply: Reply<T>) -> T {
    match reply {
        Reply::Done(answer) => answer,
        Reply::Stale => panic!("the turnstile answered STALE"),
    }
}

/// The answer of a call that asked for one turn.
pub fn only<T>(reply: Reply<Vec<T>>) -> T {
    let [answer] = <[T; 1]>::try_from(done(reply)).unwrap_or_else(|more| panic!("{} turns, not one", more.len()));
    answer
}

/// Asks with the least that may be known.
async fn reserve(turnstile: &impl Turnstile, number: u64, attempts: &[(u64, u8)]) -> Reserved {
    only(turnstile.reserve(SALE, NEW, &[&batch(number, attempts)]).await.unwrap())
}

async fn release(turnstile: &impl Turnstile, reservations: &[ReservationId]) -> Vec<Vec<Promotion>> {
    let released = done(turnstile.release(SALE, NEW, &ended(reservations)).await.unwrap());
    released.into_iter().map(|released| released.promotions).collect()
}

fn ended(reservations: &[ReservationId]) -> Vec<Ended> {
    reservations.iter().map(|&id| id.into()).collect()
}

/// Some units of a reservation that goes on with the others.
fn part(of: ReservationId, units: &[u32]) -> Ended {
    Ended { id: of.split(units), part: Some(Part { of, units: units.to_vec() }) }
}

async fn level(turnstile: &impl Turnstile) -> Level {
    turnstile.look(SALE).await.unwrap().unwrap()
}

async fn snapshot(turnstile: &impl Turnstile) -> Snapshot {
    turnstile.snapshot(SALE).await.unwrap().unwrap()
}

/// The suite over one adapter: `$make` gives each test a turnstile of its own.
macro_rules! over {
    ($adapter:ident, $make:expr) => {
        $crate::contract::turnstile::over!($adapter, $make;
            a_missing_sale_is_stale_to_all
            a_sale_is_opened_once_a_generation
            units_go_in_order_then_places_then_nothing
            who_would_not_wait_is_refused
            an_attempt_is_all_or_nothing
            a_buyer_has_one_live_reservation
            a_batch_asked_again_repeats_its_answer
            batches_of_one_call_are_decided_one_after_another
            a_release_serves_the_first_that_fit
            a_release_asked_again_repeats_its_answer
            a_release_of_nothing_is_a_turn
            a_part_goes_back_and_the_rest_stays
            a_part_is_taken_back_once
            a_part_of_what_is_gone_is_a_turn_without_effect
            who_leaves_standby_is_not_served
            a_raise_gives_more_and_never_less
            whoever_is_of_another_history_is_told
            whoever_is_far_behind_looks_again
            turns_are_chained_by_their_causes
            a_restore_replaces_an_older_generation
            what_is_removed_is_missing
            the_oldest_answers_are_forgotten
            the_largest_calls_are_answered
            sales_do_not_see_each_other);
    };
    ($adapter:ident, $make:expr; $($case:ident)*) => {
        mod $adapter {
            $(#[tokio::test]
            async fn $case() {
                $crate::contract::turnstile::$case($make.await).await;
            })*
        }
    };
}
pub(crate) use over;
