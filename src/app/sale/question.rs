//! Which question a buyer is asked: gateway and publisher compute it alike, and neither needs to remember it.
//!
//! It depends on the sale's secret key, so that other buyers' questions cannot be looked up beforehand. Answers never leave.

use hmac::{Hmac, KeyInit, Mac};
use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use sha2::Sha256;

use crate::domain::sale::{Question, Sale};
use crate::domain::shared::id::BuyerId;

/// Characters of an answer, at most.
pub const ANSWER_CHARS_MAX: usize = 200;

/// The place of the buyer's question among the sale's; `None` when the sale asks nothing.
pub fn index_for(sale: &Sale, buyer: BuyerId) -> Option<usize> {
    let count = sale.questions.len() as u64;
    match count {
        0 => None,
        // Whatever the key says, there is only this one.
        1 => Some(0),
        _ => {
            let mut mac = Hmac::<Sha256>::new_from_slice(&sale.question_key.0).expect("a key may have any length");
            mac.update(&buyer.0.to_be_bytes());
            let digest = mac.finalize().into_bytes();
            let number = u64::from_be_bytes(digest[..8].try_into().expect("a digest is 32 bytes"));
            Some((number % count) as usize)
        }
    }
}

/// Whether this is the buyer's question and the answer to it, however it is written: see [`folded`].
pub fn is_right(sale: &Sale, buyer: BuyerId, question_id: u64, answer: &str) -> bool {
    let Some(index) = index_for(sale, buyer) else { return true };
    question_id == index as u64 && sale.questions.get(index).is_some_and(|question| is_answer(question, answer))
}

/// Whether an answer has nothing that could be compared: anything like it would be right.
pub fn is_nothing(answer: &str) -> bool {
    folded(answer).is_empty()
}

fn is_answer(question: &Question, given: &str) -> bool {
    let wanted = &question.answer;
    if wanted.is_ascii() && given.is_ascii() {
        return are_same_words(trimmed(wanted), trimmed(given));
    }
    folded(wanted) == folded(given)
}

/// What is in ASCII is compared as it stands, without a copy: most answers are.
fn are_same_words(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split_ascii_whitespace(), b.split_ascii_whitespace());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            _ => return false,
        }
    }
}

/// An answer as it is compared: in Unicode's compatible composed form and full case folding, with plain quotes and dashes, without
/// what cannot be seen, its words one space apart, and without the punctuation around it, unless there is nothing else.
fn folded(answer: &str) -> String {
    let plain: String = answer.chars().filter_map(plain).collect();
    let composed = ComposingNormalizerBorrowed::new_nfkc();
    let cased = CaseMapper::new().fold_string(&composed.normalize(&plain)).into_owned();
    // Folding may take a composed letter apart, and what was compatible with a quote has become one.
    let whole: String = composed.normalize(&cased).chars().filter_map(self::plain).collect();
    let spaced = whole.split_whitespace().collect::<Vec<_>>().join(" ");
    trimmed(&spaced).to_owned()
}

/// Typographic marks as a plain keyboard has them; nothing for what cannot be seen.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}'..='\u{201b}' | '\u{2039}' | '\u{203a}' | '\u{2032}' | '\u{2bc}' | '´' | '`' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '«' | '»' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        // Soft hyphens, joiners, marks of direction, variation selectors.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => {
            return None;
        }
        c => c,
    })
}

/// Without space and punctuation around it; all of it where nothing else would be left. A sign or a point that belongs to a number
/// stays.
fn trimmed(text: &str) -> &str {
    let whole = text.trim();
    let is_around = |c: char| c.is_whitespace() || AROUND.contains(c);
    let inner = whole.trim_matches(is_around);
    if inner.is_empty() {
        return whole;
    }
    if !inner.starts_with(|c: char| c.is_numeric()) {
        return inner;
    }
    let start = whole.len() - whole.trim_start_matches(is_around).len();
    let before = &whole[..start];
    let sign = &before[before.trim_end_matches(['-', '.', ',']).len()..];
    let sign = if matches!(sign, "-" | "." | "," | "-." | "-,") { sign.len() } else { 0 };
    &whole[start - sign..start + inner.len()]
}

/// What may stand around an answer and is no part of it; other forms of these were folded into them.
const AROUND: &str = ".,:;!?'\"-()[]{}·。、・「」『』《》〈〉【】〔〕¡¿؟،؛۔।॥";

#[cfg(test)]
mod tests {
    use super::*;

    fn is_the_same(wanted: &str, given: &str) -> bool {
        is_answer(&Question { prompt: "?".into(), answer: wanted.into() }, given)
    }

    #[test]
    fn forms_of_one_answer_are_one_answer() {
        for (wanted, given) in [
            ("Paris", " paris. "),
            ("Paris", "“Paris”"),
            ("New York", "new   york"),
            ("New York", "new\u{a0}york\u{3000}"),
            // Full width, half width.
            ("ABC 123", "ＡＢＣ　１２３"),
            ("カタカナ", "ｶﾀｶﾅ"),
            // Composed, and letter and accent apart.
            ("Zo\u{eb}", "zoe\u{308}"),
            ("caf\u{e9}", "CAFE\u{301}!"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            // Full case folding.
            ("Straße", "STRASSE"),
            ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
            ("ﬁn", "FIN"),
            // As word processors write.
            ("don't", "Don’t"),
            ("rock-n-roll", "rock–n–roll"),
            ("台北", "「台北」。"),
            ("六七", "——六七……"),
            ("وردة", "وردة؟"),
            ("co\u{ad}operate", "cooperate"),
            ("⑫", "12"),
            ("-5", "\u{2212}5"),
            ("5", "——5"),
            ("?", "？"),
            ("...", "…"),
        ] {
            assert!(is_the_same(wanted, given), "{wanted:?} {given:?} {:?} {:?}", folded(wanted), folded(given));
            assert!(is_the_same(given, wanted), "{given:?} {wanted:?}");
        }
    }

    #[test]
    fn other_answers_are_other_answers() {
        for (wanted, given) in [
            ("Paris", "Pari"),
            ("Paris", ""),
            ("New York", "NewYork"),
            ("Zoë", "Zoe"),
            ("C++", "C"),
            ("C#", "C"),
            ("5", "-5"),
            ("5", ".5"),
            ("100%", "100"),
            ("?", "!"),
            ("?", ""),
            ("台北", "臺北"),
            ("۵", "6"),
        ] {
            assert!(!is_the_same(wanted, given), "{wanted:?} {given:?}");
            assert!(!is_the_same(given, wanted), "{given:?} {wanted:?}");
        }
    }

    /// Both ways of comparing are one.
    #[test]
    fn ascii_is_folded_alike() {
        let texts = [
            "Paris",
            " paris. ",
            "new  YORK",
            "\"x\"",
            "-5",
            "5",
            ".5",
            "'-.5'",
            "?",
            "?!",
            "...",
            "",
            " ",
            "a-b",
            "(a) b",
            "a\tb",
        ];
        for wanted in texts {
            for given in texts {
                assert_eq!(is_the_same(wanted, given), folded(wanted) == folded(given), "{wanted:?} {given:?}");
            }
        }
    }

    #[test]
    fn what_folds_to_nothing_is_nothing() {
        for nothing in ["", " ", "\u{200b}", "\u{feff}\u{ad} \u{2060}"] {
            assert!(is_nothing(nothing), "{nothing:?}");
        }
        for something in ["?", "。", "x", "-"] {
            assert!(!is_nothing(something), "{something:?}");
        }
    }
}
