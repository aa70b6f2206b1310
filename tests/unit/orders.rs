//! What goes back of an order, unit by unit.

use miaosha::domain::money::order::Order;
use miaosha::domain::shared::money::Money;
use proptest::prelude::*;

use crate::support::orders::order;

fn bought(units: &[u32], minor: i64) -> Order {
    order(units, Money { minor, currency: "TWD".parse().unwrap() })
}

/// An order, and its units in the order and the parts in which they go back.
fn given_back() -> impl Strategy<Value = (Order, Vec<Vec<u32>>)> {
    let amounts = prop_oneof![0..2_000_i64, 0..=800_000_000_000_i64];
    (1..=8_u32, amounts).prop_flat_map(|(units, minor)| {
        let all: Vec<u32> = (1..=units).collect();
        let ends = proptest::collection::vec(any::<bool>(), units as usize);
        (Just(bought(&all, minor)), Just(all).prop_shuffle(), ends).prop_map(|(order, all, ends)| {
            let mut parts = vec![Vec::new()];
            for (unit, ends) in all.into_iter().zip(ends) {
                parts.last_mut().expect("there is one").push(unit);
                if ends {
                    parts.push(Vec::new());
                }
            }
            parts.retain(|part| !part.is_empty());
            (order, parts)
        })
    })
}

proptest! {
    #[test]
    fn each_share_is_so_many_units_worth_and_the_last_takes_the_rest((order, parts) in given_back()) {
        let (amount, bought) = (order.amount.minor, order.units.len() as i64);
        let (mut order, mut sum) = (order, 0);
        for (place, part) in parts.iter().enumerate() {
            let share = order.share_of(part.len());
            let is_last = place + 1 == parts.len();
            let wanted = if is_last { amount - sum } else { amount / bought * part.len() as i64 };
            prop_assert_eq!(share.minor, wanted, "part {} of {:?}", place, parts);
            prop_assert!(share.minor >= amount / bought * part.len() as i64, "nobody gets less than each");
            sum += share.minor;
            order = order.without(part, share);
            prop_assert_eq!((order.refunded, order.refunded_amount.minor), (is_last, sum));
        }
        prop_assert_eq!(sum, amount);
        prop_assert_eq!(order.left(), Vec::<u32>::new());
    }
}
