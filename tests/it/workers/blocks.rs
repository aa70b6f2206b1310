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

use super::fixture::{Fixture, HOLD_MS, allotment, payment_settings};
use super::points::{First, Work, twice};
use super::stories::assert_kinds;

const HELD: Kind = Kind::Held;
const STANDBY: Kind = Kind::Standby;

async fn block(fixture: &Fixture, asked: u32) -> Block {
    let request = RequestId(u128::from(getrandom::u64().unwrap()) << 64);
    let new = NewBlock { sale: fixture.sale, wanted: asked, asked, reason: "for the house".into(), request };
    match fixture.world.blocks.create_block(&new, fixture.clock.now()).await.unwrap() {
        BlockMade::Block(block) => block,
        other => panic!("{other:?}"),
    }
}

async fn rows(fixture: &Fixture, block: &Block) -> Vec<Reservation> {
    let mut rows = Vec::new();
    for id in block.reservations() {
        rows.extend(fixture.world.reservations.reservation(id).await.unwrap());
    }
    rows
}

async fn kinds(fixture: &Fixture, block: &Block) -> Vec<Kind> {
    rows(fixture, block).await.iter().map(|row| row.state.kind()).collect()
}

async fn end(fixture: &Fixture, block: &Block) -> Vec<ReservationId> {
    fixture.world.blocks.end_block(fixture.sale, block.id, fixture.clock.now()).await.unwrap().unwrap().ended
}

async fn free(fixture: &Fixture) -> u32 {
    fixture.world.turnstile.look(fixture.sale).await.unwrap().unwrap().free
}

/// A buyer before it, buyers behind it, and more wanted than is free; the consumer is stopped.
pub async fn decided(fixture: Fixture, point: Point, first: First) {
    let singles = Allotment { quantity_max: 1, ..allotment(4, 6) };
    let fixture = Arc::new(fixture.with_sale(singles).await);
    let block = block(&fixture, 5).await;
    let batches = [fixture.batch([1]), block.batch(), fixture.batch([2, 3])];
    let work: Work = Box::new(move |fixture| {
        let batches = batches.clone();
        Box::pin(async move { fixture.decide(batches).await })
    });
    twice(&fixture, point, first, &[1, 2, 3], work).await;
    let (blocked, ended) = (Kind::Blocked, Kind::Ended);
    assert_eq!(kinds(&fixture, &block).await, [blocked, blocked, blocked, ended, ended], "{point:?}");
    assert!(rows(&fixture, &block).await.iter().all(|row| row.version == 1), "{point:?}");
    fixture.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    assert_kinds(&fixture, [HELD, STANDBY, STANDBY]).await;
    fixture.assert_sound().await;
    let read = fixture.world.blocks.block(fixture.sale, block.id).await.unwrap().unwrap();
    assert_eq!((read.units, read.ended_at), (3, None), "{point:?}");
    // However long it lasts.
    fixture.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [Kind::Lapsed, HELD, STANDBY]).await;
    assert_eq!(kinds(&fixture, &block).await[..3], [blocked; 3]);
    fixture.assert_sound().await;
}

/// Five units out of sale in two parts, and three parties in line; the block ends, and the worker that gives its units on is stopped.
pub async fn ended(fixture: Fixture, point: Point, first: First) {
    let fixture = Arc::new(fixture.with_sale(allotment(5, 4)).await);
    let block = block(&fixture, 5).await;
    fixture.decide([block.batch(), fixture.batch_of([(1, 4), (2, 1), (3, 1)])]).await;
    let freed = end(&fixture, &block).await;
    assert_eq!(freed, block.reservations());
    let by_alarm = point == payments::points::LAPSE_AFTER_LEDGER || first == First::Dropped;
    let work: Work = if by_alarm {
        Box::new(move |fixture| {
            let freed = freed.clone();
            Box::pin(async move { fixture.alarms().handle(vec![fixture.alarm(freed)]).await.unwrap() })
        })
    } else {
        Box::new(|fixture| Box::pin(async move { fixture.sweeper().sweep_one(Job::Unfreed).await.unwrap() }))
    };
    twice(&fixture, point, first, &[1, 2, 3], work).await;
    fixture.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    assert_kinds(&fixture, [HELD, HELD, STANDBY]).await;
    assert_eq!(kinds(&fixture, &block).await, [Kind::Cancelled; 2], "{point:?}");
    assert_eq!(end(&fixture, &block).await, [], "once");
    fixture.assert_sound().await;
}

/// It ends while its attempts are decided: before the turnstile, or between turnstile and ledger.
pub async fn ended_in_the_queue(fixture: Fixture, point: Point) {
    let fixture = Arc::new(fixture.with_sale(allotment(3, 4)).await);
    let block = block(&fixture, 2).await;
    let stop = fixture.stops.arm(point);
    let consumer = tokio::spawn({
        let (fixture, batches) = (fixture.clone(), [block.batch(), fixture.batch_of([(1, 2)])]);
        async move { fixture.decide(batches).await }
    });
    stop.reached().await;
    let freed = end(&fixture, &block).await;
    stop.go_on();
    consumer.await.unwrap();
    let is_recorded = point == consumer::points::AFTER_LEDGER;
    assert_eq!(freed.len(), usize::from(is_recorded), "{point:?}");
    fixture.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    let gone = if is_recorded { Kind::Cancelled } else { Kind::Ended };
    assert_eq!(kinds(&fixture, &block).await, [gone], "{point:?}");
    assert_kinds(&fixture, [HELD]).await;
    assert_eq!(free(&fixture).await, 1);
    fixture.assert_sound().await;
}

/// The turnstile is emptied: what is out of sale stays so, and what was put back is there.
pub async fn emptied_with_blocks(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(5, 4)).await;
    let (kept, back) = (block(&fixture, 2).await, block(&fixture, 1).await);
    fixture.decide([kept.batch(), back.batch(), fixture.batch_of([(1, 2), (2, 1)])]).await;
    end(&fixture, &back).await;
    let before = rows(&fixture, &kept).await;
    fixture.wipe().await;
    fixture.sweeper().sweep_one(Job::Watch).await.unwrap();
    assert_eq!(rows(&fixture, &kept).await, before);
    assert_kinds(&fixture, [HELD, HELD]).await;
    fixture.assert_sound().await;
    // A batch that comes again changes nothing, and neither does one that is decided by the new turnstile.
    fixture.decide([kept.batch(), back.batch(), fixture.batch([3])]).await;
    assert_eq!(rows(&fixture, &kept).await, before);
    assert_eq!(fixture.kind(3).await, Some(STANDBY));
    assert_eq!(fixture.audit().await.figures.blocked, 2);
    fixture.assert_sound().await;
}

/// No buyer is told of what the house does; the buyer who gets its units is.
pub async fn quiet(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 4)).await;
    let block = block(&fixture, 2).await;
    let mut notices = fixture.world.notices.notices().await.unwrap();
    fixture.decide([block.batch(), fixture.batch([1])]).await;
    let freed = end(&fixture, &block).await;
    fixture.alarms().handle(vec![fixture.alarm(block.reservations())]).await.unwrap();
    assert_eq!(freed.len(), 1);
    let mut told = Vec::new();
    let heard = async {
        while told.len() < 2 {
            let NoticeItem::Notices(heard) = notices.next().await.unwrap() else { continue };
            told.extend(heard.into_iter().filter(|notice| notice.sale == fixture.sale));
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), heard).await.expect("the buyer hears");
    let told: Vec<(u64, Kind)> = told.iter().map(|notice| (notice.buyer.0, notice.state)).collect();
    assert_eq!(told, [(1, STANDBY), (1, HELD)]);
    fixture.assert_sound().await;
}

/// Blocks are made and ended in the middle of a rush, by several hands; in the end every unit is where it belongs.
pub async fn mid_rush(fixture: Fixture) {
    let fixture = Arc::new(fixture.with_sale(allotment(12, 40)).await);
    let rush = tokio::spawn({
        let fixture = fixture.clone();
        async move {
            for round in 0..6u64 {
                let block = block(&fixture, 3).await;
                // One sale's decisions never overlap: blocks come by the same queue as every attempt.
                fixture.decide([fixture.batch((0..3).map(|nth| 1 + round * 3 + nth)), block.batch()]).await;
                let ended = (0..2).map(|_| {
                    let (fixture, block) = (fixture.clone(), block.clone());
                    tokio::spawn(async move {
                        let freed = end(&fixture, &block).await;
                        fixture.alarms().handle(vec![fixture.alarm(freed)]).await.unwrap();
                    })
                });
                if round % 2 == 0 {
                    join_all(ended).await.into_iter().for_each(|done| done.unwrap());
                }
            }
        }
    });
    rush.await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    fixture.assert_sound().await;
    let figures = fixture.audit().await.figures;
    assert_eq!(figures.blocked + figures.pending + free(&fixture).await, 12);
    let left = fixture.world.blocks.blocks(fixture.sale, None, 99).await.unwrap();
    assert_eq!(left.iter().map(|block| block.units).sum::<u32>(), figures.blocked);
    for block in left {
        let freed = end(&fixture, &block).await;
        fixture.alarms().handle(vec![fixture.alarm(freed)]).await.unwrap();
    }
    fixture.sweeper().sweep().await.unwrap();
    assert_eq!((fixture.audit().await.figures.blocked, fixture.audit().await.figures.pending), (0, 12));
    fixture.assert_sound().await;
}
