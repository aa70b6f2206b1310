//! Recording a batch, and what is read of it.

use miaosha::domain::reservation::{Kind, State};

use super::counter::{Counter, NOW, Store, later};

pub async fn a_batch_is_recorded_as_it_was_decided<S: Store>(store: S) {
    let mut counter = Counter::open(store, 3, 1).await;
    let rows = counter.reserved(&[(1, 2), (2, 1), (3, 1), (4, 1), (1, 1), (5, 9)]).await;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].state, State::Held { units: vec![1, 2], lapses_at: later() });
    assert_eq!(rows[1].state, State::Held { units: vec![3], lapses_at: later() });
    assert_eq!(rows[2].state.kind(), Kind::Standby);
    for row in &rows {
        assert_eq!(counter.row(row.id).await, *row, "what is answered is what is read");
        assert_eq!((row.version, row.freed, row.created_at), (1, false, NOW));
    }
    assert_eq!(counter.claimed().await, [1, 2, 3]);
    counter.agrees().await;
}
