//! A receipt's own words, in each language.

use crate::app::receipts::fonts::Style;
use crate::domain::shared::locale::Locale;

/// Whose receipt it is.
pub const NAME: &str = "miaosha";

pub struct Words {
    pub receipt: &'static str,
    pub receipt_refunded: &'static str,
    pub order: &'static str,
    pub paid: &'static str,
    pub buyer: &'static str,
    pub total: &'static str,
    pub units: &'static str,
    pub given_back: &'static str,
    pub none_left: &'static str,
    /// In place of a code.
    pub stamp: &'static str,
    pub good: &'static str,
    pub not_good: &'static str,
    pub foot: &'static str,
    /// `{}` is what stands for a character that no typeface has.
    pub left_out: &'static str,
    /// Between numbers of units.
    pub comma: &'static str,
    number: (&'static str, &'static str),
    unit: [&'static str; 3],
}

const ENGLISH: Words = Words {
    receipt: "Receipt",
    receipt_refunded: "Receipt, refunded",
    order: "ORDER",
    paid: "PAID",
    buyer: "BUYER",
    total: "TOTAL",
    units: "UNITS",
    given_back: "GIVEN BACK",
    none_left: "none left",
    stamp: "given back",
    good: "Show this code at the entrance. It lets one person in, once.",
    not_good: "This unit was given back and refunded. It lets nobody in.",
    foot: "Each code is signed; anybody can check it without a network, against the keys that the shop publishes.",
    left_out: "{} stands for characters that are on the order page only.",
    comma: ", ",
    number: ("No. ", ""),
    unit: ["UNIT ", " OF ", ""],
};

const CHINESE: Words = Words {
    receipt: "收據",
    receipt_refunded: "收據（已退款）",
    order: "訂單",
    paid: "付款時間",
    buyer: "買家",
    total: "總額",
    units: "號碼",
    given_back: "已退回",
    none_left: "全數退回",
    stamp: "已退回",
    good: "入場時請出示此條碼，一人一次有效。",
    not_good: "這一張已退回並退款，不能入場。",
    foot: "每個條碼都有簽章；任何人都能憑商店公布的金鑰離線驗證。",
    left_out: "{} 代表只顯示在訂單頁面上的字元。",
    comma: "、",
    number: ("第 ", " 號"),
    unit: ["第 ", " 張，共 ", " 張"],
};

impl Words {
    pub fn of(locale: Locale) -> &'static Words {
        match locale {
            Locale::En => &ENGLISH,
            Locale::ZhTw => &CHINESE,
        }
    }

    /// What stands on a receipt as it is, and how.
    pub fn fixed(&self) -> impl Iterator<Item = (Style, &'static str)> + use<> {
        let regular = [self.order, self.paid, self.buyer, self.total, self.units, self.given_back, self.none_left];
        let italic = [self.receipt, self.receipt_refunded, self.stamp, self.good, self.not_good, self.foot];
        let regular = regular.into_iter().map(|text| (Style::Regular, text));
        regular.chain(italic.into_iter().map(|text| (Style::Italic, text))).chain([(Style::Semibold, NAME)])
    }

    /// Of a unit, or of several.
    pub fn number(&self, number: &str) -> String {
        let (before, after) = self.number;
        format!("{before}{number}{after}")
    }

    pub fn unit(&self, place: usize, count: usize) -> String {
        let [before, between, after] = self.unit;
        format!("{before}{place}{between}{count}{after}")
    }
}
