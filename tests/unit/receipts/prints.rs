//! What receipts of one item share is made once, and makes no difference.

use std::sync::Arc;

use miaosha::app::receipts::fonts::Fonts;
use miaosha::app::receipts::pdf::{print, render};
use miaosha::app::receipts::sheet::Sheet;
use miaosha::app::receipts::stencil::{STENCILS_MAX, Stencils};
use miaosha::domain::shared::locale::Locale;

use super::keys;
use crate::support::receipts::order;

fn sheet(number: u64, item: &str, buyer: &str) -> Sheet {
    Sheet::of(&order(number, &[1, 2]), item, Some(buyer), &keys("1"))
}

fn has(pdf: &[u8], part: &str) -> bool {
    pdf.windows(part.len()).any(|at| at == part.as_bytes())
}

/// Whoever was printed before, in whatever order.
#[test]
fn the_same_bytes_whether_prepared_or_not() {
    let (fonts, stencils) = (Fonts::get(), Stencils::default());
    let sheets = ["Ann", "Zoë Łukasz", "Γειά", "Привет 🦄", ""].map(|name| sheet(3, "A clay teapot", name));
    let others = [sheet(4, "A lamp", "Ann"), sheet(5, "A clay teapot", "Bo").said_in(Locale::ZhTw, 480)];
    for sheet in sheets.iter().chain(&others).chain(sheets.iter().rev()) {
        let stencil = stencils.of(&sheet.item, sheet.locale, fonts).unwrap();
        let printed = print(sheet, &stencil, fonts).unwrap();
        assert_eq!(printed, render(sheet, fonts).unwrap(), "{:?}", sheet.buyer);
    }
    assert_eq!(stencils.kept(), 3);
}

/// Names in the commonest letters need nothing but what is prepared; the others bring their glyphs along, and only those.
#[test]
fn a_name_of_other_letters_brings_its_own_glyphs() {
    let (fonts, stencils) = (Fonts::get(), Stencils::default());
    let stencil = stencils.of("A clay teapot", Locale::En, fonts).unwrap();
    let printed = |name: &str| print(&sheet(3, "A clay teapot", name), &stencil, fonts).unwrap();
    let plain = printed("Ann O'Brien-Smith");
    assert!(has(&plain, "/F0 ") && !has(&plain, "/X0 "));
    for name in ["Łukasz", "Привет"] {
        let own = printed(name);
        assert!(has(&own, "/X0 ") && !has(&own, "/X1 "), "{name}");
        assert!(own.len() < plain.len() + 4_000, "{name}: {} bytes beside {}", own.len(), plain.len());
    }
}

#[test]
fn so_many_stencils_are_kept() {
    let (fonts, stencils) = (Fonts::get(), Stencils::default());
    let stencil = |number: usize| stencils.of(&format!("Lamp {number}"), Locale::En, fonts).unwrap();
    let first = stencil(0);
    for number in 1..STENCILS_MAX {
        stencil(number);
    }
    assert_eq!(stencils.kept(), STENCILS_MAX);
    // It was used just now, so that another one makes room.
    assert!(Arc::ptr_eq(&first, &stencil(0)));
    stencil(STENCILS_MAX);
    assert_eq!(stencils.kept(), STENCILS_MAX);
    assert!(Arc::ptr_eq(&first, &stencil(0)));
    let second = stencil(1);
    assert!(Arc::ptr_eq(&second, &stencil(1)) && stencils.kept() == STENCILS_MAX);
    let sheet = sheet(1, "Lamp 1", "Ann");
    assert_eq!(print(&sheet, &second, fonts).unwrap(), render(&sheet, fonts).unwrap());
}
