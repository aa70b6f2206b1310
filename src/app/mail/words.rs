//! What letters say, in each language they are written in.

use crate::app::mail::code_words;
use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;
use crate::ports::mail::transport::{EmailJob, EmailTemplate};

/// One letter's words, before they are plain text or HTML.
pub struct Words {
    pub subject: String,
    pub greeting: String,
    pub opening: String,
    pub facts: Vec<(&'static str, String)>,
    pub closing: Vec<String>,
    pub to_the_shop: &'static str,
    pub footer: &'static str,
}

/// `attached`: the receipt goes with it.
pub fn words(letter: &EmailJob, utc_offset_minutes: i16, attached: bool) -> Words {
    let when = |at: Timestamp| moment(at, utc_offset_minutes);
    match letter.locale {
        Locale::En => english(letter, when, attached),
        Locale::ZhTw => chinese(letter, when, attached),
    }
}

fn english(letter: &EmailJob, when: impl Fn(Timestamp) -> String, attached: bool) -> Words {
    let item = &letter.item;
    let mut facts = if item.is_empty() { Vec::new() } else { vec![("Item", item.clone())] };
    let mut closing = Vec::new();
    let elsewhere = "Your receipt is kept in the shop: log in to download it at any time.";
    let astray = "If it was not you, ask for a code on the page to log in: with it you set a password of your own.";
    let back = "The money is on its way back to the card you paid with. Your bank may take some days to show it.";
    let (subject, opening) = match &letter.matter {
        EmailTemplate::Paid { order, units, amount } => {
            facts.extend([("Order", order.clone()), ("Units", listed(units)), ("Paid", amount.to_string())]);
            closing.push(match attached {
                true => "Your receipt is attached. Every unit on it has a code of its own: keep it safe.".to_owned(),
                false => elsewhere.to_owned(),
            });
            (format!("Your order {order}: {item}"), "Thank you: your order is paid for and the units are yours.")
        }
        EmailTemplate::Refunded { order, units, amount, left } => {
            facts.extend([("Order", order.clone()), ("Units given back", listed(units))]);
            facts.push(("On its way back", amount.to_string()));
            closing.push(back.to_owned());
            if left.is_empty() {
                closing.push("The receipt you had is no longer good for anything.".to_owned());
                let opening = "All of your order was given back, and your money is on its way.";
                (format!("Order {order} was given back: {item}"), opening)
            } else {
                facts.push(("Units that stay yours", listed(left)));
                let use_new = "Your new receipt is attached: please use it instead of the one you had.";
                closing.push(if attached { use_new } else { elsewhere }.to_owned());
                let opening = "A part of your order was given back, and the money for it is on its way.";
                (format!("A part of order {order} was given back: {item}"), opening)
            }
        }
        EmailTemplate::Returned { amount } => {
            facts.push(("On its way back", amount.to_string()));
            closing.push(back.to_owned());
            let opening = "Your payment arrived when your reservation had already ended and could not become an order. \
                           You have no order for it, and we do not keep the money.";
            (format!("Your payment goes back to you: {item}"), opening)
        }
        EmailTemplate::Promoted { quantity, lapses_at } => {
            facts.extend([("Units", quantity.to_string()), ("Pay before", when(*lapses_at))]);
            closing.push("Log in and pay before then. After that, they go to the next in line.".to_owned());
            let subject = format!("It is your turn, pay before {}: {item}", when(*lapses_at));
            (subject, "You were on standby, and your turn has come: units are held for you.")
        }
        EmailTemplate::Code { digits, about, minutes } => {
            facts.push(("Code", digits.clone()));
            closing.push(format!("It is good for {minutes} minutes, once, and in the window where it was asked for."));
            closing.push("Whoever asks you for it, also by telephone: we never do.".to_owned());
            let [opening, unless] = code_words::english(*about);
            closing.push(unless.to_owned());
            (format!("{digits} is your code"), opening)
        }
        EmailTemplate::PasswordChanged => {
            closing.push(astray.to_owned());
            let opening = "The password of your account was changed, and every older log-in was ended.";
            ("Your password was changed".to_owned(), opening)
        }
        EmailTemplate::AddressChanged => {
            closing.push("If it was not you, write to the shop at once.".to_owned());
            let opening =
                "Your account is written to at another address from now on. This is the last mail to this one.";
            ("Your address was changed".to_owned(), opening)
        }
    };
    Words {
        subject,
        greeting: if letter.to.name.is_empty() { "Hello,".to_owned() } else { format!("Hello {},", letter.to.name) },
        opening: opening.to_owned(),
        facts,
        closing,
        to_the_shop: "To the shop",
        footer: "This mail was written by a machine. Nobody reads replies to it.",
    }
}

fn chinese(letter: &EmailJob, when: impl Fn(Timestamp) -> String, attached: bool) -> Words {
    let item = &letter.item;
    let mut facts = if item.is_empty() { Vec::new() } else { vec![("商品", item.clone())] };
    let mut closing = Vec::new();
    let elsewhere = "您的收據保存於商店中，登入後可隨時下載。";
    let astray = "若不是您本人所為，請至登入頁面申請驗證碼，並以驗證碼設定新密碼。";
    let back = "款項正在退回您原付款的信用卡，目前尚未入帳；實際入帳時間依發卡銀行作業而定，可能需要數個工作天。";
    let (subject, opening) = match &letter.matter {
        EmailTemplate::Paid { order, units, amount } => {
            facts.extend([("訂單編號", order.clone()), ("商品序號", listed(units)), ("付款金額", amount.to_string())]);
            closing.push(match attached {
                true => "收據已附在本郵件中。收據上的每一份商品都有專屬的驗證碼，請妥善保管。".to_owned(),
                false => elsewhere.to_owned(),
            });
            (format!("訂單 {order} 付款完成：{item}"), "感謝您的購買，您的訂單已完成付款。")
        }
        EmailTemplate::Refunded { order, units, amount, left } => {
            facts.extend([("訂單編號", order.clone()), ("退款商品序號", listed(units))]);
            facts.push(("退款處理中金額", amount.to_string()));
            closing.push(back.to_owned());
            if left.is_empty() {
                closing.push("您原有的收據已失效。".to_owned());
                (format!("訂單 {order} 已辦理退款：{item}"), "您的訂單已全數退回，款項正在退還給您。")
            } else {
                facts.push(("仍保留的商品序號", listed(left)));
                let use_new = "更新後的收據已附在本郵件中，請以新的收據為準。";
                closing.push(if attached { use_new } else { elsewhere }.to_owned());
                (format!("訂單 {order} 已辦理部分退款：{item}"), "您的訂單已部分退回，該部分款項正在退還給您。")
            }
        }
        EmailTemplate::Returned { amount } => {
            facts.push(("退還處理中金額", amount.to_string()));
            closing.push(back.to_owned());
            let opening =
                "您的付款完成時，保留名額已經結束，無法成立訂單。因此您沒有這筆訂單，我們也不會收取這筆款項。";
            (format!("付款將退還給您：{item}"), opening)
        }
        EmailTemplate::Promoted { quantity, lapses_at } => {
            facts.extend([("數量", quantity.to_string()), ("付款期限", when(*lapses_at))]);
            closing.push("請於期限前登入並完成付款；逾期未付款，名額將由下一位候補者遞補。".to_owned());
            let subject = format!("輪到您了，請於 {} 前付款：{item}", when(*lapses_at));
            (subject, "您原在候補名單中，現在輪到您了：我們已為您保留商品。")
        }
        EmailTemplate::Code { digits, about, minutes } => {
            facts.push(("驗證碼", digits.clone()));
            closing.push(format!("驗證碼於 {minutes} 分鐘內有效，僅能使用一次，且須在您提出申請的視窗中輸入。"));
            closing.push("我們絕不會向您索取驗證碼，包括以電話方式。".to_owned());
            let [opening, unless] = code_words::chinese(*about);
            closing.push(unless.to_owned());
            (format!("您的驗證碼是 {digits}"), opening)
        }
        EmailTemplate::PasswordChanged => {
            closing.push(astray.to_owned());
            ("您的密碼已變更".to_owned(), "您的帳號密碼已變更，先前的所有登入均已登出。")
        }
        EmailTemplate::AddressChanged => {
            closing.push("若不是您本人所為，請立即與商店聯絡。".to_owned());
            (
                "您的電子郵件地址已變更".to_owned(),
                "您的帳號今後將使用另一個電子郵件地址；這是寄到此地址的最後一封郵件。",
            )
        }
    };
    Words {
        subject,
        greeting: if letter.to.name.is_empty() {
            "您好：".to_owned()
        } else {
            format!("{} 您好：", letter.to.name)
        },
        opening: opening.to_owned(),
        facts,
        closing,
        to_the_shop: "前往商店",
        footer: "本郵件由系統自動發送，請勿直接回覆。",
    }
}

fn listed(units: &[u32]) -> String {
    units.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// By whose clock stands beside it.
fn moment(at: Timestamp, offset: i16) -> String {
    let time = at.civil(offset);
    let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02} (UTC{sign}{:02}:{:02})",
        time.year,
        time.month,
        time.day,
        time.hour,
        time.minute,
        offset / 60,
        offset % 60
    )
}
