//! The printed page, as poppler draws and reads it and as zbar sees its codes: programs that know nothing of ours.

use std::path::Path;
use std::process::{Command, Output};

use miaosha::app::receipts::fonts::{Fonts, Style};
use miaosha::app::receipts::pdf::render;
use miaosha::app::receipts::sheet::Sheet;
use miaosha::app::receipts::token::verify;
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::money::Money;

use crate::support::receipts::{keys, order};

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

/// Where each word of the first page begins, in points from the left.
fn places_of(pdf: &[u8]) -> Vec<(String, f32)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), pdf).unwrap();
    let boxes = run("pdftotext", &["-bbox", "a.pdf", "-"], folder.path()).stdout;
    let boxes = String::from_utf8(boxes).unwrap();
    let words = boxes.lines().filter_map(|line| {
        let (at, word) = line.trim().strip_prefix("<word xMin=\"")?.split_once('"')?;
        let word = word.split_once('>')?.1.split_once('<')?.0;
        Some((word.to_owned(), at.parse().unwrap()))
    });
    words.collect()
}

/// Columns of the drawn title that are white, between its first and its last that are not; those beside each other count once.
fn gaps_of_title(pdf: &[u8]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), pdf).unwrap();
    // At 144 dots an inch a point is two: the title's baseline is 130 points from the top.
    let title = ["-x", "100", "-y", "210", "-W", "900", "-H", "80"];
    run(
        "pdftoppm",
        &[&["-r", "144", "-gray", "-f", "1", "-l", "1"][..], &title, &["a.pdf", "a"]].concat(),
        folder.path(),
    );
    let drawn = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let drawn = std::fs::read(drawn.into_iter().find(|path| path.extension().is_some_and(|end| end == "pgm")).unwrap())
        .unwrap();
    let pixels = &drawn[drawn.len() - 900 * 80..];
    let dark: Vec<bool> = (0..900).map(|x| (0..80).any(|y| pixels[y * 900 + x] < 160)).collect();
    let (first, last) = (dark.iter().position(|dark| *dark).unwrap(), dark.iter().rposition(|dark| *dark).unwrap());
    dark[first..last].windows(2).filter(|pair| pair[0] && !pair[1]).count()
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

/// Only what no typeface has: one sign stands for what comes together, and the page says where to see it.
#[test]
fn what_cannot_be_printed_is_all_that_is_left_out() {
    let (with, without) = (Fonts::get(), Fonts::of("/nowhere"));
    let sign = with.stands_for();
    let text = text_of(&render(&sheet(3, &[1], "Concert 🎸👩🏽\u{200d}🚀 演唱會", "🦄 Zoë"), with).unwrap());
    for said in
        [format!("Concert {sign} 演唱會"), format!("{sign} Zoë"), format!("{sign} stands for characters that are on")]
    {
        assert!(text.contains(&said), "{said:?} is not in:\n{text}");
    }
    assert!(!text.contains(['🎸', '🦄', '🚀']) && !text.contains(&format!("{sign}{sign}")), "{text}");
    let whole = text_of(&render(&sheet(3, &[1], "A seat", "Zoë"), with).unwrap());
    assert!(!whole.contains(sign) && !whole.contains("stands for"), "{whole}");
    let bare = text_of(&render(&sheet(3, &[1], "Spring 春日音樂會", "陳美玲"), &without).unwrap());
    assert!(bare.contains(&format!("Spring {sign}")) && bare.contains("order page only"), "{bare}");
    for text in ["陳", "🦄", "a陳b", "سلام", "नमस्ते"] {
        assert!(without.line(text, Style::Regular).left_out(), "{text}");
        assert_eq!(with.line(text, Style::Regular).left_out(), text == "🦄", "{text}");
    }
    // A language that cannot be printed at all is another one.
    let chinese = sheet(3, &[1], "A seat", "Ann").said_in(Locale::ZhTw, 0);
    assert!(text_of(&render(&chinese, &without).unwrap()).contains("Show this code at the entrance"));
}

/// What is invisible leaves no sign, and turns nothing around.
#[test]
fn what_cannot_be_seen_is_no_loss() {
    for text in ["a\u{202e}b\u{202c}", "a\u{ad}b", "ab\u{fe0f}", "a\u{200d}b", "\u{feff}ab", "\u{2067}ab\u{2069}"] {
        let line = Fonts::get().line(text, Style::Regular);
        assert!(!line.left_out(), "{text:?}");
        let page = text_of(&render(&sheet(6, &[1], text, "Ann"), Fonts::get()).unwrap());
        assert!(page.replace('\u{200d}', "").contains("ab"), "{text:?}: {page}");
    }
}

/// Scripts that are joined, stacked or read from the right, each in the typeface that Debian has for it.
#[test]
fn every_script_prints() {
    let title = "Concert 🎸 السلام नमस्ते 演唱會";
    let text = text_of(&render(&sheet(2, &[1], title, "דנה"), Fonts::get()).unwrap());
    let sign = Fonts::get().stands_for();
    let concert = format!("Concert {sign}");
    for said in [concert.as_str(), "السلام", "नमस्ते", "演唱會", "דנה", "order page only"] {
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
    }
    for text in [
        "السلام عليكم",
        "שלום",
        "नमस्ते",
        "নমস্কার",
        "ਸਤ ਸ੍ਰੀ ਅਕਾਲ",
        "નમસ્તે",
        "ନମସ୍କାର",
        "வணக்கம்",
        "నమస్కారం",
        "ನಮಸ್ಕಾರ",
        "നമസ്കാരം",
        "ආයුබෝවන්",
        "สวัสดี",
        "ສະບາຍດີ",
        "བཀྲ་ཤིས",
        "မင်္ဂလာပါ",
        "გამარჯობა",
        "ሰላም",
        "សួស្តី",
        "բարև",
        "Привет",
        "Γειά",
        "Tiếng Việt",
        "안녕",
        "こんにちは",
        "★ ♪ →",
    ] {
        assert!(!Fonts::get().line(text, Style::Semibold).left_out(), "{text}");
    }
}

/// Letters of one Arabic word touch; the second word stands left of the first, and a number in it is read from the left.
#[test]
fn arabic_is_joined_and_runs_from_the_right() {
    let gaps = |title: &str| gaps_of_title(&render(&sheet(2, &[1], title, "Ann"), Fonts::get()).unwrap());
    assert_eq!((gaps("سسسس"), gaps("oooo")), (0, 3));
    // In a title that begins from the left, what runs from the right stays where it is.
    for (title, in_order) in [
        ("عرض 2026 كبير", ["كبير", "2026", "عرض"].as_slice()),
        ("Night السلام عليكم Show", ["Night", "عليكم", "السلام", "Show"].as_slice()),
    ] {
        let places = places_of(&render(&sheet(2, &[1], title, "Ann"), Fonts::get()).unwrap());
        let begins = in_order.iter().map(|word| {
            // The places are those of what is drawn, letter by letter from the left.
            let from_the_left: String = word.chars().rev().collect();
            let found = places.iter().find(|(text, _)| text == word || *text == from_the_left);
            found.unwrap_or_else(|| panic!("{word} is not in {places:?}")).1
        });
        let begins: Vec<f32> = begins.collect();
        assert!(begins.is_sorted() && begins.first() < begins.last(), "{title}: {begins:?}");
    }
}

/// All of its own words, and the time in the shop's zone.
#[test]
fn the_page_is_in_its_readers_language() {
    let order = order(7, &[5, 6, 8]);
    let amount = Money { minor: order.amount.minor / 3, ..order.amount };
    let order = order.without(&[6], amount);
    let plain = |locale, offset| {
        let sheet = Sheet::of(&order, "A seat", Some("Ann"), &keys("1")).said_in(locale, offset);
        let text = text_of(&render(&sheet, Fonts::get()).unwrap());
        text.split_whitespace().collect::<String>()
    };
    let english = plain(Locale::En, -210);
    let words = [
        "Receipt",
        "ORDER",
        "PAID",
        "BUYER",
        "TOTAL",
        "UNITS",
        "GIVENBACK",
        "No.5,8",
        "UNIT2OF3",
        "givenback",
        "Showthiscode",
    ];
    for said in words.into_iter().chain(["31December2025,20:30UTC-03:30", "Eachcodeissigned", "Itletsnobodyin"]) {
        assert!(english.contains(said), "{said:?} is not in:\n{english}");
    }
    let chinese = plain(Locale::ZhTw, 480);
    let said = [
        "收據",
        "訂單",
        "付款時間",
        "買家",
        "總額",
        "號碼",
        "已退回",
        "第5、8號",
        "第2張，共3張",
        "入場時請出示此條碼",
        "不能入場",
        "離線驗證",
    ];
    for said in said.into_iter().chain(["2026年1月1日08:00（UTC+08:00）", "Aseat", "Ann"]) {
        assert!(chinese.contains(said), "{said:?} is not in:\n{chinese}");
    }
    for word in words.into_iter().filter(|word| word.len() > 3) {
        assert!(!chinese.contains(word), "{word:?} is in:\n{chinese}");
    }
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let print = |fonts: &Fonts| render(&sheet(4, &[1, 2, 3], "春日音樂會 Spring", "陳美玲"), fonts).unwrap();
    let first = print(Fonts::get());
    assert_eq!(first, print(Fonts::get()));
    // Another process has typefaces of its own.
    let others = Fonts::of("/usr/share/fonts");
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
