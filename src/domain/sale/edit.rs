//! What of a sale may still be changed, and why the rest stays. Whether the new words and numbers are good ones is not asked here, nor
//! who may change them; state, capacity of a published sale and generation have calls of their own.
//!
//! A batch that was recorded means that somebody pressed: from then on people hold, paid or wait by what the sale said.

use crate::domain::sale::{Phase, Sale};
use crate::domain::shared::time::Timestamp;

/// Why something stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The units of a published sale grow, by a call of their own, and never shrink. It opens no sooner and holds no shorter than was said:
    /// an admission that was given by that would outlive the hold that it makes.
    Published,
    /// The sale has opened.
    Opened,
    /// A sale that has opened closes later than was said, never earlier; by hand it is closed at once.
    Earlier,
    Over,
    /// Somebody pressed, or units were taken out of sale.
    Pressed,
}

/// What stays as it is, by its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    pub field: &'static str,
    pub why: Why,
}

/// The first thing that differs and may not. Title and description always may.
pub fn fixed(is: &Sale, to_be: &Sale, was_pressed: bool, now: Timestamp) -> Option<Fixed> {
    let has_opened = !is.draft && now >= is.opens_at;
    let is_over = !is.draft && is.phase(now) == Phase::Closed;
    let pressed = was_pressed.then_some(Why::Pressed);
    let over = is_over.then_some(Why::Over);
    let opened = has_opened.then_some(Why::Opened);
    let published = (!is.draft).then_some(Why::Published);
    let earlier = (has_opened && to_be.closes_at < is.closes_at).then_some(Why::Earlier);
    let sooner = published.filter(|_| to_be.opens_at < is.opens_at);
    let shorter = published.filter(|_| to_be.hold_ms < is.hold_ms);
    let (units, units_to_be) = (&is.allotment, &to_be.allotment);
    let rules = [
        ("price", is.price != to_be.price, pressed),
        ("capacity", units.capacity != units_to_be.capacity, published.or(pressed)),
        ("quantity_max", units.quantity_max != units_to_be.quantity_max, pressed),
        ("standby_max", units.standby_max != units_to_be.standby_max, pressed),
        ("standby_until", is.standby_until != to_be.standby_until, pressed),
        ("hold_ms", is.hold_ms != to_be.hold_ms, pressed.or(shorter)),
        ("opens_at", is.opens_at != to_be.opens_at, over.or(opened).or(sooner)),
        ("closes_at", is.closes_at != to_be.closes_at, over.or(earlier)),
        ("questions", is.questions != to_be.questions, over.or(opened)),
    ];
    rules.into_iter().find_map(|(field, differs, why)| why.filter(|_| differs).map(|why| Fixed { field, why }))
}

/// Whether a turnstile that was made for the one is not good for the other: it, and what it answered, is of another generation then.
pub fn needs_another_turnstile(is: &Sale, to_be: &Sale) -> bool {
    is.allotment != to_be.allotment || is.hold_ms != to_be.hold_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sale::{Allotment, Question, SaleState, StandbyUntil};
    use crate::domain::shared::money::Money;

    const BEFORE: Timestamp = Timestamp(999);
    const OPEN: Timestamp = Timestamp(1_000);
    const AFTER: Timestamp = Timestamp(2_000);

    fn sale(draft: bool) -> Sale {
        Sale {
            title: "A lamp".to_owned(),
            price: Money { minor: 250, ..Sale::sample().price },
            allotment: Allotment { capacity: 5, quantity_max: 2, standby_max: 3 },
            opens_at: OPEN,
            closes_at: AFTER,
            draft,
            ..Sale::sample()
        }
    }

    /// Each thing that an operator changes, alone.
    fn changes() -> Vec<(&'static str, Sale)> {
        let like = || sale(false);
        let units = like().allotment;
        let question = Question { prompt: "2 + 2?".to_owned(), answer: "4".to_owned() };
        vec![
            ("title", Sale { title: "A lantern".to_owned(), ..like() }),
            ("price", Sale { price: Money { minor: 251, ..like().price }, ..like() }),
            ("capacity", Sale { allotment: Allotment { capacity: 4, ..units }, ..like() }),
            ("quantity_max", Sale { allotment: Allotment { quantity_max: 3, ..units }, ..like() }),
            ("standby_max", Sale { allotment: Allotment { standby_max: 0, ..units }, ..like() }),
            ("standby_until", Sale { standby_until: StandbyUntil::Paid, ..like() }),
            ("hold_ms", Sale { hold_ms: 61_000, ..like() }),
            ("opens_at", Sale { opens_at: Timestamp(1_100), ..like() }),
            ("closes_at", Sale { closes_at: Timestamp(1_999), ..like() }),
            ("questions", Sale { questions: vec![question], ..like() }),
        ]
    }

    /// What may not be changed, and why, of all that could be.
    fn stays(is: &Sale, was_pressed: bool, now: Timestamp) -> Vec<(&'static str, Why)> {
        let of = |(name, to_be): (&'static str, Sale)| {
            let fixed = fixed(is, &to_be, was_pressed, now)?;
            assert_eq!(fixed.field, name);
            Some((name, fixed.why))
        };
        changes().into_iter().filter_map(of).collect()
    }

    /// Who was let in for a minute from noon on must not press from ten o'clock on until then.
    #[test]
    fn an_admission_outlives_no_hold() {
        let sooner = |draft| Sale { opens_at: Timestamp(999), ..sale(draft) };
        let shorter = |draft| Sale { hold_ms: 59_999, ..sale(draft) };
        for (field, to_be) in [("opens_at", sooner(false)), ("hold_ms", shorter(false))] {
            assert_eq!(fixed(&sale(false), &to_be, false, Timestamp(0)), Some(Fixed { field, why: Why::Published }));
        }
        for to_be in [sooner(true), shorter(true)] {
            assert_eq!(fixed(&sale(true), &to_be, false, Timestamp(0)), None);
        }
    }

    #[test]
    fn what_may_be_changed_when() {
        assert_eq!(stays(&sale(true), false, AFTER), [], "everything of a draft, whatever its times say");
        let terms = ["price", "capacity", "quantity_max", "standby_max", "standby_until", "hold_ms"];
        assert_eq!(stays(&sale(true), true, BEFORE), terms.map(|name| (name, Why::Pressed)), "units of it were taken");
        assert_eq!(stays(&sale(false), false, BEFORE), [("capacity", Why::Published)]);
        let window = [("opens_at", Why::Opened), ("closes_at", Why::Earlier), ("questions", Why::Opened)];
        assert_eq!(stays(&sale(false), false, OPEN), [&[("capacity", Why::Published)][..], &window].concat());
        let pressed = terms.map(|name| (name, if name == "capacity" { Why::Published } else { Why::Pressed }));
        assert_eq!(stays(&sale(false), true, OPEN), [&pressed[..], &window].concat());
        let over = ["opens_at", "closes_at", "questions"].map(|name| (name, Why::Over));
        assert_eq!(stays(&sale(false), true, AFTER), [&pressed[..], &over].concat());
        let closed = Sale { state: SaleState::Closed, ..sale(false) };
        assert_eq!(stays(&closed, false, BEFORE), [&[("capacity", Why::Published)][..], &over].concat());
    }

    #[test]
    fn an_open_sale_may_close_later() {
        let later = Sale { closes_at: Timestamp(2_001), ..sale(false) };
        assert_eq!(fixed(&sale(false), &later, true, Timestamp(1_999)), None);
        assert_eq!(fixed(&sale(false), &later, true, AFTER), Some(Fixed { field: "closes_at", why: Why::Over }));
    }

    #[test]
    fn a_turnstile_knows_units_and_their_time() {
        let needing = changes().into_iter().filter(|(_, to_be)| needs_another_turnstile(&sale(false), to_be));
        let names: Vec<_> = needing.map(|(name, _)| name).collect();
        assert_eq!(names, ["capacity", "quantity_max", "standby_max", "hold_ms"]);
    }
}
