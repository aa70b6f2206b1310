//! Every point at which a process can crash or stall while money moves, times everything a provider may do.
//!
//! The points are not listed but found: a run without faults writes down each access to a server, each named point and each
//! call to the provider, and then every one of them goes wrong once: the process crashes there, the ledger is away, the call
//! fails before or after its effect, one process stalls there while the others go on. Whatever a checkout, a sweep or a webhook
//! comes to do in another version is in the matrix by itself.
//!
//! After each cell the rest of the shop comes to rest, the buyer tries again at another gateway, and a stalled process goes on.
//! Then the audit passes, one charge stands where there is an order and none where there is not, and no client was told otherwise.

mod cell;
pub(crate) mod places;
pub(crate) mod provider;
pub(crate) mod watched;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::thread;

use futures_util::future::LocalBoxFuture;

#[cfg(feature = "servers")]
use crate::workers::cluster;
use crate::workers::embedded;
use crate::workers::fixture::Fixture;
use cell::{Cell, Lane, Who};
use provider::Outcome;

/// Worlds side by side, each with cells of its own.
const LANES: usize = 4;

#[test]
fn over_the_embedded_world() {
    run("embedded", 1, || Box::pin(embedded::fixture()));
}

#[cfg(feature = "servers")]
#[test]
fn over_the_cluster() {
    run("cluster", CLUSTER_NTH, || Box::pin(cluster::fixture()));
}

/// Of the cells in the cluster every so many is run, another part of them at each outcome: all of them take minutes.
const CLUSTER_NTH: usize = 4;

fn run<B>(world: &str, nth: usize, fixture: B)
where
    B: Fn() -> LocalBoxFuture<'static, Fixture> + Copy + Send + Sync,
{
    let system = || actix_web::rt::System::new();
    let lane = move || async move { Lane::new(fixture().await) };
    let all: Vec<Cell> = system().block_on(async move {
        let mut lane = lane().await;
        let mut cells = Vec::new();
        for who in Who::ALL {
            for &outcome in who.outcomes() {
                cells.extend(lane.cells(who, outcome).await);
            }
        }
        cells
    });
    let points: BTreeSet<String> = all.iter().map(Cell::point).collect();
    let chosen: VecDeque<Cell> = all.into_iter().enumerate().filter(|(n, _)| n % nth == 0).map(|(_, c)| c).collect();
    let count = chosen.len();
    let (cells, wrong) = (Arc::new(Mutex::new(chosen)), Arc::new(Mutex::new(Vec::new())));
    thread::scope(|scope| {
        for _ in 0..LANES {
            let (cells, wrong) = (cells.clone(), wrong.clone());
            scope.spawn(move || {
                system().block_on(async move {
                    let mut lane = lane().await;
                    loop {
                        let Some(cell) = cells.lock().unwrap().pop_front() else { return };
                        if let Err(what) = lane.run(&cell).await {
                            wrong.lock().unwrap().push(format!("{cell}: {what}"));
                        }
                    }
                });
            });
        }
    });
    println!("{world}: {} points, {} outcomes, {count} cells", points.len(), Outcome::ALL.len());
    points.iter().for_each(|point| println!("  {point}"));
    let wrong = wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} of {count} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
