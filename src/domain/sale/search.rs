//! Words by which a sale is found: those of its title and its description, and those of the search text, made alike.
//!
//! Case, width and accents do not count. Writing without spaces between words (Chinese, Japanese, Thai) is cut into pairs of
//! neighbours and single characters, so that any two characters of a title find it; of other writing the beginning of a word in a
//! title is enough. What is looked for has to be there word by word, in any order; nothing is weighed.
//!
//! The words lie in an index of their own, the same in every store: there a search reads matches in the order in which they are
//! shown, and no more than are shown, which no store's own full-text search does, and words of one or two characters are found.

use std::collections::BTreeSet;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Characters of a word that count: of longer ones the first so many.
pub const WORD_CHARS_MAX: usize = 16;
/// Words by which one sale is found, at most; all of its title, and the first ones of its description.
pub const WORDS_MAX: usize = 512;
/// Of which the description has so many, at most.
const DESCRIPTION_WORDS_MAX: usize = 96;
/// The shortest beginning of a word by which it is found.
const BEGINNING_CHARS_MIN: usize = 2;

/// By which a sale is found.
pub fn words_of(title: &str, description: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for run in runs(title) {
        match run {
            Run::Spaced(word) => {
                let chars: Vec<char> = word.chars().take(WORD_CHARS_MAX).collect();
                let shortest = BEGINNING_CHARS_MIN.min(chars.len());
                words.extend((shortest..=chars.len()).map(|length| chars[..length].iter().collect::<String>()));
            }
            Run::Unspaced(chars) => words.extend(singles_and_pairs(&chars)),
        }
    }
    let described = runs(description).into_iter().flat_map(|run| match run {
        Run::Spaced(word) => vec![word.chars().take(WORD_CHARS_MAX).collect()],
        Run::Unspaced(chars) => singles_and_pairs(&chars),
    });
    let most = WORDS_MAX.min(words.len() + DESCRIPTION_WORDS_MAX);
    for word in described {
        if words.len() >= most {
            break;
        }
        words.insert(word);
    }
    words
}

/// All of which a sale has to have. Each character that is looked for is in one of them.
pub fn words_asked(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for run in runs(text) {
        match run {
            Run::Spaced(word) => {
                words.insert(word.chars().take(WORD_CHARS_MAX).collect());
            }
            Run::Unspaced(chars) => match chars.len() {
                1 => {
                    words.insert(chars[0].to_string());
                }
                count => words.extend((0..count).step_by(2).map(|at| pair(&chars, at.min(count - 2)))),
            },
        }
    }
    words
}

pub enum Run {
    /// A word that others stand apart from.
    Spaced(String),
    /// Characters between which no mark says where words end.
    Unspaced(Vec<char>),
}

impl Run {
    pub fn chars(&self) -> usize {
        match self {
            Run::Spaced(word) => word.chars().count(),
            Run::Unspaced(chars) => chars.len(),
        }
    }
}

fn singles_and_pairs(chars: &[char]) -> Vec<String> {
    let pairs = (1..chars.len()).map(|end| pair(chars, end - 1));
    chars.iter().map(char::to_string).chain(pairs).collect()
}

fn pair(chars: &[char], at: usize) -> String {
    chars[at..at + 2].iter().collect()
}

/// The words and the unbroken writing of a text, folded.
pub fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    for c in folded(text).chars() {
        match (Kind::of(c), runs.last_mut()) {
            (Kind::Spaced, Some(Some(Run::Spaced(word)))) => word.push(c),
            (Kind::Unspaced, Some(Some(Run::Unspaced(chars)))) => chars.push(c),
            (Kind::Spaced, _) => runs.push(Some(Run::Spaced(c.to_string()))),
            (Kind::Unspaced, _) => runs.push(Some(Run::Unspaced(vec![c]))),
            (Kind::Between, _) => runs.push(None),
        }
    }
    runs.into_iter().flatten().collect()
}

enum Kind {
    Spaced,
    Unspaced,
    Between,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            // Thai and Lao; Burmese; Khmer; kana, and what repeats a character; Han; Hangul, for titles write it either way.
            '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
                if c != '\u{30fb}' =>
            {
                Kind::Unspaced
            }
            c if c.is_alphanumeric() => Kind::Spaced,
            // Marks that belong to the letter before them, in writing that has any; signs and punctuation are elsewhere.
            '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}' => {
                Kind::Spaced
            }
            '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{963}' | '\u{981}'..='\u{d7f}' => Kind::Spaced,
            _ => Kind::Between,
        }
    }
}

/// In Unicode's compatible composed form and full case folding, and without the accents of letters that are told apart without.
fn folded(text: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfkc();
    let cased = CaseMapper::new().fold_string(&composed.normalize(text)).into_owned();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd();
    let mut plain = String::with_capacity(cased.len());
    let mut letter = [0; 4];
    // Folding may have taken a composed letter apart.
    for c in composed.normalize(&cased).chars() {
        let is_accented = matches!(c, '\u{c0}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}');
        if is_accented {
            let apart = decomposed.normalize(c.encode_utf8(&mut letter));
            plain.extend(apart.chars().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')));
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a search for this finds a sale of that title.
    fn finds(asked: &str, title: &str) -> bool {
        let (asked, words) = (words_asked(asked), words_of(title, ""));
        !asked.is_empty() && asked.is_subset(&words)
    }

    #[test]
    fn what_people_write_finds_what_they_mean() {
        let found = [
            ("teapot", "A clay teapot, one of a hundred"),
            ("TEA", "A clay teapot, one of a hundred"),
            ("hundred clay", "A clay teapot, one of a hundred"),
            ("cafe", "Café Noir: the last night"),
            ("CAFÉ", "Cafe\u{301} Noir"),
            ("strasse", "Straße 7"),
            ("7", "Straße 7"),
            ("ａｂｃ", "ABC"),
            ("o'brien", "O’Brien"),
            ("茶壺", "手作紫砂茶壺一把"),
            ("茶", "手作紫砂茶壺一把"),
            ("紫砂茶", "手作紫砂茶壺一把"),
            ("茶壺 手作", "手作紫砂茶壺一把"),
            ("ライブ", "東京ライブ2026"),
            ("2026 東京", "東京ライブ2026"),
            ("콘서트", "봄 콘서트"),
            ("คอน", "คอนเสิร์ต"),
            ("हिन्दी", "हिन्दी संगीत"),
            ("a", "Plan A"),
            ("Donaudampfschifffahrt", "Donaudampfschiffgesellschaft"),
        ];
        for (asked, title) in found {
            assert!(finds(asked, title), "{asked:?} does not find {title:?}: {:?}", words_asked(asked));
        }
        let missed = [
            ("pot", "A clay teapot"),
            ("teapots", "A clay teapot"),
            ("t", "A clay teapot"),
            ("clay kettle", "A clay teapot"),
            ("茶杯", "手作紫砂茶壺一把"),
            ("壺茶", "手作紫砂茶壺一把"),
            ("...", "A clay teapot ..."),
            ("", "A clay teapot"),
        ];
        for (asked, title) in missed {
            assert!(!finds(asked, title), "{asked:?} finds {title:?}");
        }
    }

    /// A description is found by whole words, the first ones of it.
    #[test]
    fn a_description_adds_some_words() {
        let words = words_of("Teapot", "Fired twice. 紫砂");
        for word in ["fired", "twice", "紫砂", "紫", "te", "teapot"] {
            assert!(words.contains(word), "{word}");
        }
        assert!(!words.contains("fire"));
        let long: String = (0..2_000).map(|number| format!("word{number} ")).collect();
        let few = words_of("Teapot", &long);
        assert!(few.contains("word0") && few.contains("word95") && !few.contains("word96"));
    }

    #[test]
    fn no_sale_has_more_words_than_may_be() {
        let han: String = (0..200).filter_map(|number| char::from_u32(0x4e00 + number)).collect();
        let latin: String = (0..40_u8).map(|number| format!("{}xyz ", char::from(b'a' + number % 26))).collect();
        for title in [han.as_str(), &latin, &"w".repeat(200)] {
            let words = words_of(title, &"some more of them ".repeat(300));
            assert!(words.len() <= 512, "{}", words.len());
            assert!(words.iter().all(|word| word.chars().count() <= 16));
        }
        assert!(words_of(&"w".repeat(200), "").contains(&"w".repeat(16)));
        // Longer than a title may be: the description has what the title leaves.
        let others: String = (0..300).map(|number| format!("word{number} ")).collect();
        for (chars, count) in [(208, 511), (209, 512), (210, 512)] {
            let long: String = (0..chars).filter_map(|number| char::from_u32(0x4e00 + number)).collect();
            assert_eq!(words_of(&long, &others).len(), count, "{chars}");
        }
        assert!(words_of(&han, "").contains("\u{4ec7}"), "all of a title");
        assert!(words_asked(&han).iter().all(|word| words_of(&han, "").contains(word)));
    }
}
