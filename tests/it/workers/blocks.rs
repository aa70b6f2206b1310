//! Units out of sale, and back, whatever is stopped: by operators, consumers, releases and restores.

use std::sync::Arc;

use futures_util::future::join_all;
use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::block::Block;
use miaosha::domain::sale::reservation::{Kind, Reservation};
use miaosha::domain::shared::id::{RequestId, ReservationId};
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::platform::fault::Point;
use miaosha::ports::sale::blocks::{BlockMade, NewBlock};
use miaosha::ports::sale::notices::NoticeItem;
use miaosha::workers::payment_consumer::Job;
use miaosha::workers::{consumer, payment_consumer as payments};

use super::bench::{Bench, HOLD_MS, allotment, payment_settings};
use super::points::{First, Work, twice};
use super::stories::assert_kinds;

const HELD: Kind = Kind::Held;
const STANDBY: Kind = Kind::Standby;

async fn block(bench: &Bench, asked: u32) -> Block {
    let request = RequestId(u128::from(getrandom::u64().unwrap()) << 64);
    let new = NewBlock { sale: bench.sale, wanted: asked, asked, reason: "for the house".into(), request };
    match bench.world.blocks.create_block(&new, bench.clock.now()).await.unwrap() {
        BlockMade::Block(block) => block,
        other => panic!("{other:?}"),
    }
}

async fn rows(bench: &Bench, block: &Block) -> Vec<Reservation> {
    let mut rows = Vec::new();
    for id in block.reservations() {
        rows.extend(bench.world.reservations.reservation(id).await.unwrap());
    }
    rows
}

async fn kinds(bench: &Bench, block: &Block) -> Vec<Kind> {
    rows(bench, block).await.iter().map(|row| row.state.kind()).collect()
}

async fn end(bench: &Bench, block: &Block) -> Vec<ReservationId> {
    bench.world.blocks.end_block(bench.sale, block.id, bench.clock.now()).await.unwrap().unwrap().ended
}

async fn free(bench: &Bench) -> u32 {
    bench.world.turnstile.look(bench.sale).await.unwrap().unwrap().free
}

/// A buyer before it, buyers behind it, and more wanted than is free; the consumer is stopped.
pub async fn decided(bench: Bench, point: Point, first: First) {
    let singles = Allotment { quantity_max: 1, ..allotment(4, 6) };
    let bench = Arc::new(bench.with_sale(singles).await);
    let block = block(&bench, 5).await;
    let batches = [bench.batch([1]), block.batch(), bench.batch([2, 3])];
    let work: Work = Box::new(move |bench| {
        let batches = batches.clone();
        Box::pin(async move { bench.decide(batches).await })
    });
    twice(&bench, point, first, &[1, 2, 3], work).await;
    let (blocked, ended) = (Kind::Blocked, Kind::Ended);
    assert_eq!(kinds(&bench, &block).await, [blocked, blocked, blocked, ended, ended], "{point:?}");
    assert!(rows(&bench, &block).await.iter().all(|row| row.version == 1), "{point:?}");
    bench.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    assert_kinds(&bench, [HELD, STANDBY, STANDBY]).await;
    bench.assert_sound().await;
    let read = bench.world.blocks.block(bench.sale, block.id).await.unwrap().unwrap();
    assert_eq!((read.units, read.ended_at), (3, None), "{point:?}");
    // However long it lasts.
    bench.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [Kind::Lapsed, HELD, STANDBY]).await;
    assert_eq!(kinds(&bench, &block).await[..3], [blocked; 3]);
    bench.assert_sound().await;
}

/// Five units out of sale in two parts, and three parties in line; the block ends, and whoever gives its units on is stopped.
pub async fn ended(bench: Bench, point: Point, first: First) {
    let bench = Arc::new(bench.with_sale(allotment(5, 4)).await);
    let block = block(&bench, 5).await;
    bench.decide([block.batch(), bench.batch_of([(1, 4), (2, 1), (3, 1)])]).await;
    let freed = end(&bench, &block).await;
    assert_eq!(freed, block.reservations());
    let by_alarm = point == payments::points::LAPSE_AFTER_LEDGER || first == First::Dropped;
    let work: Work = if by_alarm {
        Box::new(move |bench| {
            let freed = freed.clone();
            Box::pin(async move { bench.alarms().handle(vec![bench.alarm(freed)]).await.unwrap() })
        })
    } else {
        Box::new(|bench| Box::pin(async move { bench.sweeper().sweep_one(Job::Unfreed).await.unwrap() }))
    };
    twice(&bench, point, first, &[1, 2, 3], work).await;
    bench.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    assert_kinds(&bench, [HELD, HELD, STANDBY]).await;
    assert_eq!(kinds(&bench, &block).await, [Kind::Cancelled; 2], "{point:?}");
    assert_eq!(end(&bench, &block).await, [], "once");
    bench.assert_sound().await;
}

/// It ends while its attempts are decided: before the turnstile, or between turnstile and ledger.
pub async fn ended_in_the_queue(bench: Bench, point: Point) {
    let bench = Arc::new(bench.with_sale(allotment(3, 4)).await);
    let block = block(&bench, 2).await;
    let stop = bench.stops.arm(point);
    let consumer = tokio::spawn({
        let (bench, batches) = (bench.clone(), [block.batch(), bench.batch_of([(1, 2)])]);
        async move { bench.decide(batches).await }
    });
    stop.reached().await;
    let freed = end(&bench, &block).await;
    stop.go_on();
    consumer.await.unwrap();
    let is_recorded = point == consumer::points::AFTER_LEDGER;
    assert_eq!(freed.len(), usize::from(is_recorded), "{point:?}");
    bench.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    let gone = if is_recorded { Kind::Cancelled } else { Kind::Ended };
    assert_eq!(kinds(&bench, &block).await, [gone], "{point:?}");
    assert_kinds(&bench, [HELD]).await;
    assert_eq!(free(&bench).await, 1);
    bench.assert_sound().await;
}

/// The turnstile is emptied: what is out of sale stays so, and what was put back is there.
pub async fn emptied_with_blocks(bench: Bench) {
    let bench = bench.with_sale(allotment(5, 4)).await;
    let (kept, back) = (block(&bench, 2).await, block(&bench, 1).await);
    bench.decide([kept.batch(), back.batch(), bench.batch_of([(1, 2), (2, 1)])]).await;
    end(&bench, &back).await;
    let before = rows(&bench, &kept).await;
    bench.wipe().await;
    bench.sweeper().sweep_one(Job::Watch).await.unwrap();
    assert_eq!(rows(&bench, &kept).await, before);
    assert_kinds(&bench, [HELD, HELD]).await;
    bench.assert_sound().await;
    // A batch that comes again changes nothing, and neither does one that is decided by the new turnstile.
    bench.decide([kept.batch(), back.batch(), bench.batch([3])]).await;
    assert_eq!(rows(&bench, &kept).await, before);
    assert_eq!(bench.kind(3).await, Some(STANDBY));
    assert_eq!(bench.audit().await.figures.blocked, 2);
    bench.assert_sound().await;
}

/// Nobody is told of what the house does; whoever gets its units is.
pub async fn quiet(bench: Bench) {
    let bench = bench.with_sale(allotment(1, 4)).await;
    let block = block(&bench, 2).await;
    let mut notices = bench.world.notices.notices().await.unwrap();
    bench.decide([block.batch(), bench.batch([1])]).await;
    let freed = end(&bench, &block).await;
    bench.alarms().handle(vec![bench.alarm(block.reservations())]).await.unwrap();
    assert_eq!(freed.len(), 1);
    let mut told = Vec::new();
    let heard = async {
        while told.len() < 2 {
            let NoticeItem::Notices(heard) = notices.next().await.unwrap() else { continue };
            told.extend(heard.into_iter().filter(|notice| notice.sale == bench.sale));
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), heard).await.expect("the buyer hears");
    let told: Vec<(u64, Kind)> = told.iter().map(|notice| (notice.buyer.0, notice.state)).collect();
    assert_eq!(told, [(1, STANDBY), (1, HELD)]);
    bench.assert_sound().await;
}

/// Blocks are made and ended in the middle of a rush, by several hands; in the end every unit is where it belongs.
pub async fn mid_rush(bench: Bench) {
    let bench = Arc::new(bench.with_sale(allotment(12, 40)).await);
    let rush = tokio::spawn({
        let bench = bench.clone();
        async move {
            for round in 0..6u64 {
                let block = block(&bench, 3).await;
                // One sale's decisions never overlap: blocks come by the same queue as everybody.
                bench.decide([bench.batch((0..3).map(|nth| 1 + round * 3 + nth)), block.batch()]).await;
                let ended = (0..2).map(|_| {
                    let (bench, block) = (bench.clone(), block.clone());
                    tokio::spawn(async move {
                        let freed = end(&bench, &block).await;
                        bench.alarms().handle(vec![bench.alarm(freed)]).await.unwrap();
                    })
                });
                if round % 2 == 0 {
                    join_all(ended).await.into_iter().for_each(|done| done.unwrap());
                }
            }
        }
    });
    rush.await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    bench.assert_sound().await;
    let figures = bench.audit().await.figures;
    assert_eq!(figures.blocked + figures.pending + free(&bench).await, 12);
    let left = bench.world.blocks.blocks(bench.sale, None, 99).await.unwrap();
    assert_eq!(left.iter().map(|block| block.units).sum::<u32>(), figures.blocked);
    for block in left {
        let freed = end(&bench, &block).await;
        bench.alarms().handle(vec![bench.alarm(freed)]).await.unwrap();
    }
    bench.sweeper().sweep().await.unwrap();
    assert_eq!((bench.audit().await.figures.blocked, bench.audit().await.figures.pending), (0, 12));
    bench.assert_sound().await;
}
