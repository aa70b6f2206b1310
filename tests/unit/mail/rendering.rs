//! Every letter in every language, as it is read out of a mail server that took it.

use std::time::Duration;

use miaosha::adapters::mail::smtp::Smtp;
use miaosha::app::mail::Settings;
use miaosha::app::mail::render::render;
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::money::Money;
use miaosha::domain::shared::time::{Civil, Timestamp};
use miaosha::ports::mail::transport::{Carried, CodeAbout, EmailTemplate, Mail, MailSender};

use crate::support::mail::{AT, Attached, Seen, letter};
use crate::support::sink::Sink;

fn settings() -> Settings {
    Settings { utc_offset_minutes: 480, domain: "shop.example.org".into(), ..Settings::default() }
}

fn money(minor: i64) -> Money {
    Money { minor, currency: "TWD".parse().unwrap() }
}

/// Each kind of letter, with what its reader must find in it, in English and in Chinese.
fn matters() -> Vec<(EmailTemplate, [Vec<&'static str>; 2])> {
    let order = || "1A2B-3C4D-5E6F".to_owned();
    let back = ["is on its way back to the card", "款項正在退回您原付款的信用卡"];
    vec![
        (
            EmailTemplate::Paid { order: order(), units: vec![3, 14], amount: money(256_000) },
            [
                vec!["1A2B-3C4D-5E6F", "Units: 3, 14", "Paid: TWD 2,560.00", "receipt is attached"],
                vec!["1A2B-3C4D-5E6F", "商品序號: 3, 14", "付款金額: TWD 2,560.00", "收據已附在本郵件中"],
            ],
        ),
        (
            EmailTemplate::Refunded { order: order(), units: vec![3], amount: money(128_000), left: vec![14] },
            [
                vec![
                    "A part of your order",
                    "Units given back: 3",
                    "TWD 1,280.00",
                    "stay yours: 14",
                    "new receipt",
                    back[0],
                ],
                vec!["部分退款", "退款商品序號: 3", "TWD 1,280.00", "仍保留的商品序號: 14", "新的收據", back[1]],
            ],
        ),
        (
            EmailTemplate::Refunded { order: order(), units: vec![3, 14], amount: money(256_000), left: vec![] },
            [
                vec!["and your money is on its way", "TWD 2,560.00", "no longer good", back[0]],
                vec!["款項正在退還給您", "TWD 2,560.00", "收據已失效", back[1]],
            ],
        ),
        (
            EmailTemplate::Returned { amount: money(5) },
            [
                vec!["You have no order for it", "On its way back: TWD 0.05", back[0]],
                vec!["無法成立訂單", "退還處理中金額: TWD 0.05", back[1]],
            ],
        ),
        (
            EmailTemplate::Promoted { quantity: 2, lapses_at: AT.plus_ms(600_000) },
            [
                vec!["your turn has come", "Units: 2", "Pay before: 2026-01-01 08:10 (UTC+08:00)", "next in line"],
                vec!["現在輪到您了", "數量: 2", "付款期限: 2026-01-01 08:10 (UTC+08:00)", "下一位候補者"],
            ],
        ),
        (
            code(CodeAbout::SignUp),
            [
                vec![
                    "012 345 is your code",
                    "Code: 012 345",
                    "makes your account",
                    "for 10 minutes, once",
                    "we never do",
                ],
                vec!["您的驗證碼是 012 345", "驗證碼: 012 345", "完成帳號建立", "10 分鐘內有效", "絕不會向您索取"],
            ],
        ),
        (
            code(CodeAbout::SignUpAgain),
            [vec!["which has an account already", "logs you in"], vec!["此地址已有帳號", "以此驗證碼登入"]],
        ),
        (code(CodeAbout::LogIn), [vec!["set a new password"], vec!["設定新密碼"]]),
        (code(CodeAbout::NewAddress), [vec!["use this address for an account"], vec!["用於商店帳號"]]),
        (
            EmailTemplate::PasswordChanged,
            [vec!["Your password was changed", "ask for a code"], vec!["您的密碼已變更", "申請驗證碼"]],
        ),
        (
            EmailTemplate::AddressChanged,
            [
                vec!["Your address was changed", "the last mail to this one"],
                vec!["您的電子郵件地址已變更", "最後一封郵件"],
            ],
        ),
    ]
}

fn code(about: CodeAbout) -> EmailTemplate {
    EmailTemplate::Code { digits: "012 345".into(), about, minutes: 10 }
}

async fn send(sink: &Sink, mail: &Mail) -> Carried {
    Smtp::new(&sink.url(), "shop.example.org", Duration::from_secs(20)).unwrap().send(mail).await.unwrap()
}

#[tokio::test]
async fn every_letter_in_every_language_arrives_whole() {
    let sink = Sink::start().await;
    let pdf: Vec<u8> = b"%PDF-1.7\n.\r\n..\r\n".iter().copied().chain((0..=255).cycle().take(3_000)).collect();
    let mut taken = 0;
    for (matter, said) in matters() {
        for (locale, said) in Locale::ALL.into_iter().zip(said) {
            let letter = letter(locale, matter.clone());
            let with_receipt = matches!(&matter, EmailTemplate::Paid { .. })
                || matches!(&matter, EmailTemplate::Refunded { left, .. } if !left.is_empty());
            let mail = render(letter, &settings(), with_receipt.then(|| pdf.clone()));
            assert_eq!(send(&sink, &mail).await, Carried::Accepted);
            taken += 1;
            let received = sink.wait_for(taken).await.pop().unwrap();
            assert_eq!((received.from.as_str(), received.to.as_str()), ("shop@miaosha.invalid", "chen@example.org"));
            assert!(received.bytes.is_ascii(), "every server takes it");
            assert!(received.bytes.split(|byte| *byte == b'\n').all(|line| line.len() < 999));
            let seen = Seen::read(&received.bytes);
            assert_eq!(seen.subject, mail.subject);
            assert_eq!(seen.header("subject")[0].contains("=?utf-8?"), !mail.subject.is_ascii());
            assert_eq!(seen.from, ("Miaosha".into(), "shop@miaosha.invalid".into()));
            assert_eq!(seen.to, ("陳小姐".into(), "chen@example.org".into()));
            assert_eq!(seen.message_id, "00000000000000000000000000000abc@shop.example.org");
            assert_eq!(seen.date, AT.0);
            assert_eq!(seen.header("auto-submitted"), ["auto-generated"]);
            assert_eq!(seen.header("content-language"), [locale.tag()]);
            for words in said {
                assert!(format!("{}\n{}", seen.subject, seen.text).contains(words), "{words}:\n{}", seen.text);
            }
            assert!(seen.text.contains("陳小姐") && seen.text.contains("跨年演唱會 <A區> & more"), "{}", seen.text);
            assert!(seen.text.contains("https://shop.example.org/"));
            is_harmless_html(&seen, locale);
            let kept = Attached {
                name: "receipt-1A2B-3C4D-5E6F.pdf".into(),
                media_type: "application/pdf".into(),
                bytes: pdf.clone(),
            };
            assert_eq!(seen.attachments, if with_receipt { vec![kept] } else { vec![] });
        }
    }
}

/// It says what the text says, and fetches nothing.
fn is_harmless_html(seen: &Seen, locale: Locale) {
    let html = &seen.html;
    assert!(html.contains(&format!("<html lang=\"{}\">", locale.tag())));
    assert!(html.contains("跨年演唱會 &lt;A區&gt; &amp; more") && html.contains("陳小姐"), "{html}");
    for fetched in ["src=", "<img", "<link", "<script", "<style", "url(", "@import", "<iframe", "<A區>"] {
        assert!(!html.contains(fetched), "{fetched}");
    }
    assert_eq!(html.matches("href=").count(), 1);
    let plain = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&amp;", "&");
    let shown = plain(html);
    for line in seen.text.lines().filter(|line| !line.is_empty() && *line != "-- ") {
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        assert!(shown.contains(value), "{value:?} is missing in\n{html}");
    }
}

#[tokio::test]
async fn nobody_writes_headers_or_markup_by_a_name() {
    let sink = Sink::start().await;
    let mut letter = letter(Locale::En, EmailTemplate::PasswordChanged);
    letter.to.name = "Ann\r\nBcc: eve@example.org\r\n\r\n<script>boo()</script>".into();
    letter.item = "Lamp\nX-Evil: yes\u{2028}\u{0}\"'<b>".into();
    letter.shop_url = "javascript:alert(1)".into();
    assert_eq!(send(&sink, &render(letter.clone(), &settings(), None)).await, Carried::Accepted);
    // Nor where it was not made harmless before.
    let mut raw = render(letter, &settings(), None);
    raw.subject = "Hello\r\nBcc: eve@example.org\r\nX-Evil: yes".into();
    raw.to.name = "Ann\r\nBcc: eve@example.org".into();
    raw.from.name = "Shop\nX-Evil: yes".into();
    send(&sink, &raw).await;
    for received in sink.mails() {
        let seen = Seen::read(&received.bytes);
        assert_eq!((seen.header("bcc"), seen.header("x-evil")), (vec![], vec![]), "{:?}", seen.headers);
        assert_eq!((seen.headers.len(), received.to.as_str()), (9, "chen@example.org"), "{:?}", seen.headers);
        assert!(!seen.html.contains("<script") && !seen.html.contains("<b>") && !seen.html.contains("href"));
    }
}

#[tokio::test]
async fn written_again_it_is_the_same_to_the_last_byte() {
    let sink = Sink::start().await;
    for _ in 0..2 {
        let matter = EmailTemplate::Paid { order: "X".into(), units: vec![1], amount: money(1) };
        send(&sink, &render(letter(Locale::ZhTw, matter), &settings(), Some(b"%PDF".to_vec()))).await;
    }
    let mails = sink.wait_for(2).await;
    assert!(mails[0].bytes == mails[1].bytes);
}

#[tokio::test]
async fn long_names_are_cut_and_bad_addresses_are_refused() {
    let sink = Sink::start().await;
    let mut letter = letter(Locale::ZhTw, EmailTemplate::PasswordChanged);
    (letter.to.name, letter.item) = ("名".repeat(5_000), "品".repeat(5_000));
    send(&sink, &render(letter.clone(), &settings(), None)).await;
    let seen = Seen::read(&sink.wait_for(1).await[0].bytes);
    assert_eq!(seen.to.0, "", "one that long is not said at all");
    assert_eq!(seen.text.matches('品').count(), 200 + 1, "one is the label's");
    for address in ["", "nobody", "a@b\r\nRCPT TO:<eve@example.org>", "a b@example.org", "@example.org"] {
        letter.to.address = address.into();
        let carried = send(&sink, &render(letter.clone(), &settings(), None)).await;
        assert!(matches!(carried, Carried::Refused { .. }), "{address:?}: {carried:?}");
    }
    assert_eq!(sink.mails().len(), 1);
}

#[test]
fn without_a_receipt_the_letter_says_where_it_is() {
    let matter = EmailTemplate::Paid { order: "X".into(), units: vec![1], amount: money(1) };
    for (locale, said) in [(Locale::En, "kept in the shop"), (Locale::ZhTw, "您的收據保存於商店中")] {
        let mail = render(letter(locale, matter.clone()), &settings(), None);
        assert!(mail.text.contains(said), "{}", mail.text);
        assert!(mail.attachment.is_none());
    }
}

#[test]
fn whose_clock_it_is_stands_beside_the_time() {
    for (offset, said) in [(0, "2026-01-01 00:00 (UTC+00:00)"), (-210, "2025-12-31 20:30 (UTC-03:30)")] {
        let settings = Settings { utc_offset_minutes: offset, ..settings() };
        let mail = render(letter(Locale::En, EmailTemplate::Promoted { quantity: 1, lapses_at: AT }), &settings, None);
        assert!(mail.subject.contains(said) && mail.text.contains(said), "{}", mail.text);
    }
}

/// The odd days of the calendar; the milliseconds are `date -u -d … +%s`'s.
#[test]
fn days_are_those_of_the_calendar() {
    let days = [
        (0, (1970, 1, 1)),
        (-86_400, (1969, 12, 31)),
        (951_782_400, (2000, 2, 29)),
        (951_868_800, (2000, 3, 1)),
        (1_709_164_800, (2024, 2, 29)),
        (1_798_675_200, (2026, 12, 31)),
        (4_107_456_000, (2100, 2, 28)),
        (4_107_542_400, (2100, 3, 1)),
    ];
    for (seconds, (year, month, day)) in days {
        let civil = Timestamp(seconds * 1_000 + 86_399_999).civil(0);
        assert_eq!(civil, Civil { year, month, day, hour: 23, minute: 59, second: 59 }, "{seconds}");
    }
}
