//! Blocks: units that the house takes out of sale and puts back, decided and recorded like any buyer's.

use miaosha::domain::sale::SaleState;
use miaosha::domain::sale::block::Block;
use miaosha::domain::sale::reservation::{Kind, State};
use miaosha::domain::sale::turnstile::Turnstile;
use miaosha::domain::shared::id::{BatchId, BuyerId, RequestId, ReservationId, SaleId};
use miaosha::ports::audit::reports::Count;
use miaosha::ports::money::paying::Took;
use miaosha::ports::platform::outbox::Backlog;
use miaosha::ports::sale::blocks::{BlockEnded, BlockMade, NewBlock};
use miaosha::ports::sale::recording::Recorded;

use super::counter::{Counter, NOW, Store, later};
use crate::support::checkout::take;

impl<S: Store> Counter<S> {
    async fn make(&self, wanted: u32, asked: u32, request: u128) -> BlockMade {
        let reason = "For the 樂團".to_owned();
        let new = NewBlock { sale: self.sale.id, wanted, asked, reason, request: RequestId(request << 64) };
        self.store.create_block(&new, NOW.plus_ms(request as i64)).await.unwrap()
    }

    async fn block(&self, asked: u32, request: u128) -> Block {
        match self.make(asked, asked, request).await {
            BlockMade::Block(block) => block,
            other => panic!("{other:?}"),
        }
    }

    async fn read(&self, block: &Block) -> Block {
        self.store.block(self.sale.id, block.id).await.unwrap().unwrap()
    }

    /// Its attempts, decided and recorded.
    async fn decide(&mut self, block: &Block) {
        let turn = self.ask(block.batch());
        self.recorded(&[turn]).await;
    }

    async fn end(&self, block: &Block) -> BlockEnded {
        self.store.end_block(self.sale.id, block.id, NOW).await.unwrap().unwrap()
    }

    /// Everything that ended is released.
    async fn release_ended(&mut self) {
        for (_, id) in self.store.unfreed(99).await.unwrap() {
            let release = self.release(id);
            self.recorded(&[release]).await;
        }
    }

    async fn part(&self, block: &Block, part: usize) -> (Kind, Vec<u32>) {
        let row = self.row(block.id.attempt(part).into()).await;
        (row.state.kind(), row.state.units().to_vec())
    }
}

pub async fn a_block_is_made_once_for_its_request<S: Store>(store: S) {
    let counter = Counter::open(store, 5, 0).await;
    let BlockMade::Block(made) = counter.make(50, 5, 1).await else { panic!() };
    assert_eq!((made.wanted, made.asked, made.units, made.decided_at, made.ended_at), (50, 5, 0, None, None));
    assert_eq!((made.sale, made.reason.as_str(), made.made_at), (counter.sale.id, "For the 樂團", NOW.plus_ms(1)));
    assert_eq!(counter.read(&made).await, made);
    // Asked for again later, when other units are free, it is the same block with the same attempts.
    let again =
        NewBlock { sale: counter.sale.id, wanted: 50, asked: 3, reason: "x".to_owned(), request: RequestId(1 << 64) };
    let BlockMade::Block(again) = counter.store.create_block(&again, NOW.plus_ms(900)).await.unwrap() else { panic!() };
    assert_eq!((again.batch(), &again), (made.batch(), &made));
    let buyers: std::collections::BTreeSet<BuyerId> =
        made.batch().attempts.iter().map(|attempt| attempt.buyer).collect();
    assert_eq!(buyers.len(), 2);
    let sizes: Vec<u8> = made.batch().attempts.iter().map(|attempt| attempt.quantity).collect();
    assert_eq!(sizes, [4, 1], "as many as one may have, and the rest");
    assert_eq!(made.reservations(), [made.id.attempt(0).into(), made.id.attempt(1).into()]);
    assert!(buyers.iter().all(|buyer| buyer.is_house()));
    assert_ne!(counter.block(1, 2).await.batch().attempts[0], made.batch().attempts[0]);

    assert_eq!(counter.make(50, 0, 3).await, BlockMade::NothingFree);
    let nowhere = NewBlock {
        sale: SaleId(counter.sale.id.0 + 1),
        wanted: 1,
        asked: 1,
        reason: "x".to_owned(),
        request: RequestId(9),
    };
    assert_eq!(counter.store.create_block(&nowhere, NOW).await.unwrap(), BlockMade::Missing);
    counter.store.set_state(counter.sale.id, SaleState::Closed).await.unwrap();
    assert_eq!(counter.make(1, 1, 4).await, BlockMade::Closed);
    assert_eq!(counter.make(50, 5, 1).await, BlockMade::Block(made), "it was made before");
}

pub async fn a_block_takes_units_and_gives_them_back<S: Store>(store: S) {
    let mut counter = Counter::open(store, 5, 3).await;
    let sale = counter.sale.id;
    let held = counter.reserved(&[(1, 2)]).await;
    let block = counter.block(3, 1).await;
    counter.decide(&block).await;
    assert_eq!(counter.part(&block, 0).await, (Kind::Blocked, vec![3, 4, 5]));
    assert_eq!(counter.claimed().await, [1, 2, 3, 4, 5]);
    counter.agrees().await;
    let standing = counter.store.standing(sale).await.unwrap().unwrap();
    assert_eq!((standing.sold, standing.pending, standing.blocked, standing.unfreed), (0, 2, 3, 0));
    let taken = counter.read(&block).await;
    assert_eq!((taken.units, taken.decided_at, taken.ended_at), (3, Some(NOW), None));

    // Time does nothing to it, it can be neither paid for nor cancelled, and no buyer is told.
    let ids: Vec<ReservationId> = block.reservations();
    assert_eq!(counter.store.overdue(later(), 9).await.unwrap(), [(sale, held[0].id)]);
    assert_eq!(counter.store.lapse(sale, &ids, later()).await.unwrap(), []);
    let row = counter.row(ids[0]).await;
    assert_eq!(counter.store.cancel(row.id, row.buyer, NOW).await.unwrap(), Some(row.clone()));
    let took = take(&counter.store, &counter.payment(&row, 1), row.buyer, NOW).await;
    assert_eq!(took, Took::Refused(Some(row.clone())));
    assert_eq!(counter.store.backlog().await.unwrap(), Backlog { events: 0, oldest: None });
    assert_eq!((row.version, &row.state), (1, &State::Blocked { units: vec![3, 4, 5] }));

    // A buyer who comes now waits; when the block ends, they have the units.
    counter.reserved(&[(2, 2), (3, 2)]).await;
    let BlockEnded { block: ended, ended: freed } = counter.end(&block).await;
    assert_eq!((ended.ended_at, freed.len()), (Some(NOW), 1));
    assert_eq!(counter.claimed().await, [1, 2]);
    let row = counter.row(ids[0]).await;
    assert_eq!((row.state, row.version, row.freed), (State::Cancelled, 2, false));
    assert_eq!(counter.end(&block).await, BlockEnded { block: ended, ended: Vec::new() }, "once");
    counter.release_ended().await;
    counter.agrees().await;
    let waiter = counter.store.reservation_of(sale, BuyerId(2)).await.unwrap().unwrap();
    assert_eq!((waiter.state.kind(), waiter.state.units()), (Kind::Held, [3, 4].as_slice()));
    assert_eq!(counter.store.standing(sale).await.unwrap().unwrap().blocked, 0);
    assert_eq!(counter.store.block(SaleId(sale.0 + 1), block.id).await.unwrap(), None);
    assert_eq!(counter.store.end_block(SaleId(sale.0 + 1), block.id, NOW).await.unwrap(), None);
    assert_eq!(counter.store.end_block(sale, BatchId(7 << 16), NOW).await.unwrap(), None);
}

/// Between its making and its turn others were faster: what does not fit is created ended, and is released like anything else.
pub async fn what_a_block_does_not_get_never_waits<S: Store>(store: S) {
    let mut counter = Counter::open(store, 6, 3).await;
    let sale = counter.sale.id;
    let block = counter.block(5, 1).await;
    let rows = counter.reserved(&[(1, 2)]).await;
    counter.decide(&block).await;
    let parts = [counter.part(&block, 0).await, counter.part(&block, 1).await];
    assert_eq!(parts, [(Kind::Blocked, vec![3, 4, 5, 6]), (Kind::Ended, vec![])]);
    assert_eq!(counter.read(&block).await.units, 4);
    let standing = counter.store.standing(sale).await.unwrap().unwrap();
    assert_eq!((standing.blocked, standing.standby, standing.unfreed), (4, 0, 1));
    // Before the house's place in line is gone, a unit comes free: it is given to the house, which leaves it to who comes next.
    counter.reserved(&[(2, 1)]).await;
    counter.store.cancel(rows[0].id, rows[0].buyer, NOW).await.unwrap();
    let release = counter.release(rows[0].id);
    assert_eq!(release.promotions().len(), 2, "{release:?}");
    counter.recorded(&[release]).await;
    assert_eq!(counter.part(&block, 1).await.0, Kind::Ended);
    counter.release_ended().await;
    counter.agrees().await;
    let waiter = counter.store.reservation_of(sale, BuyerId(2)).await.unwrap().unwrap();
    assert_eq!(waiter.state.kind(), Kind::Held);
    assert_eq!(counter.turnstile.snapshot().free(), 1);
    assert_eq!(counter.store.unfreed(9).await.unwrap(), []);
}

pub async fn a_block_that_ended_in_the_queue_gets_nothing<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 3).await;
    let block = counter.block(3, 1).await;
    assert_eq!(counter.end(&block).await.ended, []);
    counter.decide(&block).await;
    assert_eq!(counter.part(&block, 0).await, (Kind::Ended, vec![]));
    assert_eq!(counter.claimed().await, [] as [u32; 0]);
    let read = counter.read(&block).await;
    assert_eq!((read.units, read.decided_at, read.ended_at), (0, Some(NOW), Some(NOW)));
    counter.release_ended().await;
    counter.agrees().await;
    assert_eq!(counter.turnstile.snapshot().free(), 4);

    // Nor does what no operator asked for.
    let made_up = Block { id: BatchId(5 << 16), ..block };
    counter.decide(&made_up).await;
    assert_eq!(counter.part(&made_up, 0).await, (Kind::Ended, vec![]));
    counter.release_ended().await;
    counter.agrees().await;
}

pub async fn a_block_that_got_nothing_has_ended<S: Store>(store: S) {
    let mut counter = Counter::open(store, 1, 0).await;
    let block = counter.block(1, 1).await;
    counter.reserved(&[(1, 1)]).await;
    counter.decide(&block).await;
    let read = counter.read(&block).await;
    assert_eq!((read.units, read.decided_at, read.ended_at), (0, Some(NOW), Some(NOW)));
    assert_eq!(counter.store.blocks(counter.sale.id, None, 9).await.unwrap(), []);
    counter.agrees().await;
}

/// Recorded again, or by another with another answer: what it got is written once.
pub async fn a_blocks_turn_is_recorded_once<S: Store>(store: S) {
    let mut counter = Counter::open(store, 2, 1).await;
    let block = counter.block(2, 1).await;
    let turn = counter.ask(block.batch());
    counter.recorded(std::slice::from_ref(&turn)).await;
    counter.end(&block).await;
    let rows = counter.recorded(std::slice::from_ref(&turn)).await;
    assert!(rows.iter().all(|row| row.state == State::Cancelled), "{rows:?}");
    let read = counter.read(&block).await;
    assert_eq!((read.units, read.ended_at), (2, Some(NOW)));
    // A turnstile that fell back gives the same units to another buyer: the fence holds.
    let mut counter = Counter::open(counter.store, 1, 1).await;
    let block = counter.block(1, 2).await;
    let before = counter.turnstile.clone();
    counter.decide(&block).await;
    counter.turnstile = before;
    let other = counter.reserve(&[(7, 1)]);
    assert!(matches!(counter.record(&[other]).await, Recorded::Diverged { .. }));
    assert_eq!(counter.part(&block, 0).await, (Kind::Blocked, vec![1]));
}

pub async fn a_restore_knows_what_is_blocked<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 3).await;
    let sale = counter.sale.id;
    let (kept, ended) = (counter.block(2, 1).await, counter.block(1, 2).await);
    counter.decide(&kept).await;
    counter.decide(&ended).await;
    counter.reserved(&[(1, 1), (2, 1)]).await;
    counter.end(&ended).await;
    let (state, promoted) = counter.store.restore(sale, 1, NOW).await.unwrap().unwrap();
    assert_eq!((promoted.len(), promoted[0].buyer, promoted[0].state.units()), (1, BuyerId(2), [3].as_slice()));
    assert_eq!(state.taken[&kept.id.attempt(0).into()].units, [1, 2]);
    assert_eq!(state.free(), 0);
    counter.turnstile = Turnstile::restore(state);
    counter.agrees().await;
    assert_eq!(counter.part(&kept, 0).await, (Kind::Blocked, vec![1, 2]));
    counter.end(&kept).await;
    counter.release_ended().await;
    counter.agrees().await;
    assert_eq!(counter.turnstile.snapshot().free(), 2);
}

/// It is neither held nor paid for: it keeps no line standing, and stays when the sale is closed.
pub async fn closing_leaves_blocks<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 3).await;
    let sale = counter.sale.id;
    let block = counter.block(2, 1).await;
    counter.decide(&block).await;
    let rows = counter.reserved(&[(1, 1), (2, 1)]).await;
    let payment = counter.begin_paying(&rows[0], 1).await;
    counter.store.confirm(rows[0].id, payment, "N", NOW).await.unwrap();
    assert_eq!(counter.store.end_standby(sale, NOW, 9).await.unwrap(), [], "what is blocked may still be theirs");
    counter.store.set_state(sale, SaleState::Closed).await.unwrap();
    let ended = counter.store.end_standby(sale, NOW, 9).await.unwrap();
    assert_eq!(ended.iter().map(|row| row.id).collect::<Vec<_>>(), [rows[1].id]);
    counter.release_ended().await;
    assert_eq!(counter.part(&block, 0).await.0, Kind::Blocked);
    assert_eq!(counter.store.sales_that_matter(NOW).await.unwrap(), [], "nothing happens there by itself");
    counter.end(&block).await;
    assert_eq!(counter.store.sales_that_matter(NOW).await.unwrap().len(), 1, "until it is released");
    counter.release_ended().await;
    counter.agrees().await;
    assert_eq!(counter.turnstile.snapshot().free(), 2, "unsold");
}

pub async fn blocks_are_listed_a_page_at_a_time<S: Store>(store: S) {
    let counter = Counter::open(store, 9, 0).await;
    let mut made = Vec::new();
    for request in 1..=5 {
        made.push(counter.block(1, request).await);
    }
    counter.end(&made[2]).await;
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = counter.store.blocks(counter.sale.id, after, 2).await.unwrap();
        after = page.last().map(|last| last.id);
        listed.extend(page.iter().map(|block| block.id));
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(listed, [4, 3, 1, 0].map(|place: usize| made[place].id));
    assert_eq!(counter.store.blocks(SaleId(counter.sale.id.0 + 1), None, 9).await.unwrap(), []);
}

/// Buyers' figures are buyers' alone.
pub async fn the_house_is_in_no_buyers_figures<S: Store>(store: S) {
    let mut counter = Counter::open(store, 4, 3).await;
    let sale = counter.sale.id;
    let (kept, ended) = (counter.block(2, 1).await, counter.block(1, 2).await);
    counter.reserved(&[(1, 1)]).await;
    counter.decide(&kept).await;
    counter.decide(&ended).await;
    counter.end(&ended).await;
    counter.reserved(&[(2, 3)]).await;
    let totals = counter.store.totals(sale).await.unwrap().reservations;
    let count = |rows, units| Count { rows, units, minor: 0 };
    let wanted = [(Kind::Blocked, count(1, 2)), (Kind::Standby, count(1, 3)), (Kind::Held, count(1, 1))];
    assert_eq!(totals, wanted);
    let decided = counter.store.decisions(sale, (0, 0), 9).await.unwrap().decided;
    assert_eq!(decided.iter().map(|one| one.outcomes.as_slice()).collect::<Vec<_>>(), [b"T", b"S"]);
    let pace = counter.store.pace(sale, 9).await.unwrap();
    assert_eq!(pace.turns.iter().map(|turn| turn.outcomes.as_slice()).collect::<Vec<_>>(), [b"S", b"T"]);
    assert_eq!(counter.store.audit(sale, NOW).await.unwrap().unwrap().attempts, 4, "the turnstile's are all");
    // Nor does it come out of order where buyers are listed.
    let listed = counter.store.reservations_of_sale(sale, None, 99).await.unwrap();
    let buyers: Vec<bool> = listed.iter().map(|row| row.buyer.is_house()).collect();
    assert_eq!(buyers, [false, false, true, true]);
}

/// Many at once end the same block, while its attempts are recorded: what became free is told to one of them, once.
pub async fn of_many_who_end_a_block_one_does<S: Store>(store: S) {
    let mut counter = Counter::open(store, 8, 0).await;
    for round in 0..4_u128 {
        let block = counter.block(2, round + 1).await;
        let turn = counter.ask(block.batch());
        let sale = counter.sale.id;
        let record = {
            let (store, turn) = (counter.store.clone(), turn.clone());
            tokio::spawn(
                async move { assert!(matches!(store.record(sale, &[turn], NOW).await, Ok(Recorded::Done(_)))) },
            )
        };
        let ends: Vec<_> = (0..6)
            .map(|_| {
                let (store, id) = (counter.store.clone(), block.id);
                tokio::spawn(async move { store.end_block(sale, id, NOW).await.unwrap().unwrap().ended.len() })
            })
            .collect();
        record.await.unwrap();
        let mut freed = 0;
        for end in ends {
            freed += end.await.unwrap();
        }
        assert!(freed == 0 || freed == 1, "{freed}");
        assert_eq!(counter.part(&block, 0).await.0, if freed == 0 { Kind::Ended } else { Kind::Cancelled });
        counter.release_ended().await;
        counter.agrees().await;
        assert_eq!((counter.claimed().await.len(), counter.turnstile.snapshot().free()), (0, 8));
    }
}
