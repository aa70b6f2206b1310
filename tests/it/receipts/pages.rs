//! The printed page, as poppler draws and reads it and as zbar sees its codes: programs that know nothing of ours.

use std::path::Path;
use std::process::{Command, Output};

use miaosha::services::receipts::fonts::{Fonts, Style};
use miaosha::services::receipts::pdf::render;
use miaosha::services::receipts::sheet::Sheet;
use miaosha::services::receipts::token::verify;

use super::{keys, order};

fn run(program: &str, args: &[&str], folder: &Path) -> Output {
    let output = Command::new(program).args(args).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is a package of Debian: {error}"));
    // zbarimg answers 4 where there is no code.
    assert!(output.status.success() || output.status.code() == Some(4), "{program}: {output:?}");
    output
}

pub fn text_of(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), pdf).unwrap();
    let text = run("pdftotext", &["-layout", "a.pdf", "-"], folder.path()).stdout;
    String::from_utf8(text).unwrap()
}

/// What a reader finds in the drawn pages, sorted.
fn codes_of(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), pdf).unwrap();
    run("pdftoppm", &["-r", "110", "-gray", "a.pdf", "a"], folder.path());
    let mut pages: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".pgm") {
            pages.push(name);
        }
    }
    let mut args = vec!["-q", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable"];
    args.extend(pages.iter().map(String::as_str));
    let read = run("zbarimg", &args, folder.path()).stdout;
    let mut codes: Vec<String> = String::from_utf8(read).unwrap().lines().map(str::to_owned).collect();
    codes.sort();
    codes
}

fn sheet(number: u64, units: &[u32], item: &str, buyer: &str) -> Sheet {
    Sheet::of(&order(number, units), item, Some(buyer), &keys("1"))
}

/// Orders of one to eight units; every code of every page is read and verified, and with one bit changed it is refused.
#[test]
fn every_code_is_read_from_the_drawn_page() {
    let keys = keys("1");
    for number in 0..48 {
        let first = number as u32 * 31 + 1;
        let units: Vec<u32> = (first..=first + number as u32 % 8).collect();
        let item = if number % 2 == 0 { "A clay teapot, one of a hundred" } else { "春日音樂會" };
        let sheet = sheet(number, &units, item, "陳美玲");
        let mut tokens: Vec<String> = sheet.units.iter().filter_map(|unit| unit.token.clone()).collect();
        tokens.sort();
        let read = codes_of(&render(&sheet, Fonts::get()).unwrap());
        assert_eq!(read, tokens, "order {number}");
        for token in read {
            let proof = verify(&token, keys.public()).unwrap();
            assert!(units.contains(&proof.unit));
            let place = (number as usize * 7) % token.len();
            let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
            assert!(verify(&changed, keys.public()).is_err());
        }
    }
}

#[test]
fn the_page_says_what_was_bought() {
    let sheet = sheet(1, &[12, 13, 14, 20], "A first row seat", "Zoë Łukasz");
    let text = text_of(&render(&sheet, Fonts::get()).unwrap());
    for said in [
        "A first row seat",
        "Zoë Łukasz",
        &sheet.order,
        "TWD 4,800.00",
        "4 × TWD 1,200.00",
        "No. 12–14, 20",
        "No. 20",
        "1 January 2026, 00:00 UTC",
    ] {
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
    }
}

/// In Debian's typeface, which the tests need: its glyphs are in the file, few of them, and they can be copied as text.
#[test]
fn a_chinese_name_prints_right() {
    let sheet = sheet(2, &[1], "春日音樂會", "陳美玲 Chen");
    let pdf = render(&sheet, Fonts::get()).unwrap();
    let text = text_of(&pdf);
    assert!(text.contains("陳美玲 Chen") && text.contains("春日音樂會"), "{text}");
    assert!(pdf.len() < 100_000, "{} bytes: only the glyphs that are used", pdf.len());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), &pdf).unwrap();
    let fonts = String::from_utf8(run("pdffonts", &["a.pdf"], folder.path()).stdout).unwrap();
    // Embedded, a subset, with a map to Unicode.
    let cjk = fonts.lines().find(|line| line.contains("CJKtc")).unwrap_or_else(|| panic!("{fonts}"));
    assert!(cjk.contains("yes yes yes"), "{cjk}");
}

/// Where no typeface has a character the page says so in words, and prints no box: glyph 0 of a typeface is its box.
#[test]
fn what_cannot_be_printed_is_said_in_words() {
    let (with, without) = (Fonts::get(), Fonts::with(Vec::new()));
    let unicorn = text_of(&render(&sheet(3, &[1], "A seat", "🦄 Zoë"), with).unwrap());
    assert!(unicorn.contains("a name that this typeface cannot") && !unicorn.contains("Zoë"), "{unicorn}");
    let bare = text_of(&render(&sheet(3, &[1], "春日音樂會", "陳美玲"), &without).unwrap());
    assert!(bare.contains("An item whose name this typeface cannot"), "{bare}");
    assert!(bare.contains("see the e-mail or the") && bare.contains("order page"), "{bare}");
    for text in ["陳", "🦄", "a陳b", "שלום", "سلام"] {
        assert!(without.line(text, Style::Regular).is_none(), "{text}");
    }
    assert!(with.line("陳", Style::Regular).is_some());
    assert!(with.line("🦄", Style::Regular).is_none());
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let print = |fonts: &Fonts| render(&sheet(4, &[1, 2, 3], "春日音樂會 Spring", "陳美玲"), fonts).unwrap();
    let first = print(Fonts::get());
    assert_eq!(first, print(Fonts::get()));
    // Another process has typefaces of its own.
    let others = Fonts::with(vec!["/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"]);
    assert_eq!(first, print(&others));
    assert_ne!(first, render(&sheet(5, &[1, 2, 3], "春日音樂會 Spring", "陳美玲"), Fonts::get()).unwrap());
}

/// What a buyer may have called themselves: nothing of it breaks the press, or the page.
#[test]
fn any_name_prints() {
    let long = "Wolfeschlegelsteinhausenbergerdorff".repeat(6);
    let names = [
        "",
        " ",
        "\u{0}\n\t",
        "a\u{301}\u{302}\u{303}",
        "\u{200d}\u{fe0f}",
        "<script>&amp;",
        &long,
        "龘".repeat(60).as_str(),
    ]
    .map(str::to_owned);
    for name in &names {
        let pdf = render(&sheet(6, &[1], name, name), Fonts::get()).unwrap();
        assert!(text_of(&pdf).contains("No. 1"), "{name:?}");
    }
    let cut = text_of(&render(&sheet(6, &[1], &long, "Ann"), Fonts::get()).unwrap());
    assert!(cut.contains('…'), "{cut}");
}

#[test]
fn what_was_refunded_has_no_code() {
    let order = order(7, &[5, 6]);
    let amount = order.amount;
    let order = order.without(&[5, 6], amount);
    let sheet = Sheet::of(&order, "A seat", Some("Ann"), &keys("1"));
    let pdf = render(&sheet, Fonts::get()).unwrap();
    let text = text_of(&pdf);
    assert!(text.contains("Receipt, refunded") && text.contains("given back"), "{text}");
    assert_eq!(codes_of(&pdf), [""; 0]);
}
