//! Words by which the holder of an order is found at a door, made alike of the person's name, of the order's number and of what is
//! asked: without case, width and accents, as the catalogue's ([`search`](crate::domain::sale::search)). The beginning of a word is
//! enough; of writing without spaces any part of a name is. The last groups of a number find it, too.

use std::collections::BTreeSet;

use crate::domain::sale::search::{Run, WORD_CHARS_MAX, runs};

/// Words of one name, at most: the first ones.
pub const NAME_WORDS_MAX: usize = 12;
/// Words that are asked for at once, at most: the longest ones.
pub const ASKED_WORDS_MAX: usize = 4;
/// Letters and digits that are asked for, at least; where no spaces are written a name may have no more than two.
pub const ASKED_CHARS_MIN: usize = 3;
const ASKED_UNSPACED_CHARS_MIN: usize = 2;

pub fn words_of_name(name: &str) -> BTreeSet<String> {
    let words = runs(name).into_iter().flat_map(|run| match run {
        Run::Spaced(word) => vec![cut(word.chars())],
        Run::Unspaced(chars) => (0..chars.len()).map(|from| cut(chars[from..].iter().copied())).collect(),
    });
    words.take(NAME_WORDS_MAX).collect()
}

/// Of `7K2P-Q9RX-M4TD` all of it, and what follows each hyphen.
pub fn words_of_number(number: &str) -> BTreeSet<String> {
    let groups: Vec<&str> = number.split('-').collect();
    (0..groups.len()).map(|from| cut(groups[from..].concat().to_ascii_lowercase().chars())).collect()
}

/// What an order's words have to begin with, each of them, the longest first. `None` for too little to look for.
pub fn beginnings_asked(text: &str) -> Option<Vec<String>> {
    let runs = runs(text);
    let chars: usize = runs.iter().map(|run| run.chars()).sum();
    let is_unspaced = runs.iter().any(|run| matches!(run, Run::Unspaced(_)));
    let least = if is_unspaced { ASKED_UNSPACED_CHARS_MIN } else { ASKED_CHARS_MIN };
    let words: BTreeSet<String> = runs
        .into_iter()
        .map(|run| match run {
            Run::Spaced(word) => cut(word.chars()),
            Run::Unspaced(chars) => cut(chars.into_iter()),
        })
        .collect();
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.truncate(ASKED_WORDS_MAX);
    (chars >= least).then_some(words)
}

fn cut(chars: impl Iterator<Item = char>) -> String {
    chars.take(WORD_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "7K2P-Q9RX-M4TD";

    fn finds(asked: &str, name: &str) -> bool {
        let words: Vec<String> = words_of_name(name).into_iter().chain(words_of_number(NUMBER)).collect();
        let begins = |asked: &String| words.iter().any(|word| word.starts_with(asked.as_str()));
        beginnings_asked(asked).is_some_and(|asked| asked.iter().all(begins))
    }

    #[test]
    fn a_holder_is_found_as_people_say_who_they_are() {
        let found = [
            ("lovelace", "Ada Lovelace"),
            ("LOV ada", "Ada Lovelace"),
            ("ada l", "Ada Lovelace"),
            ("ngugi", "Ngũgĩ wa Thiong'o"),
            ("小明", "王小明"),
            ("王小明", "王小明"),
            ("王小", "王小明"),
            ("7k2p", "Ada Lovelace"),
            ("7K2P-Q9RX-M4TD", "Ada Lovelace"),
            ("7k2pq9rx", "Ada Lovelace"),
            ("Q9RX M4TD", "Ada Lovelace"),
            ("m4td", ""),
            ("li yu", "Li Yu"),
        ];
        for (asked, name) in found {
            assert!(finds(asked, name), "{asked:?} does not find {name:?}: {:?}", words_of_name(name));
        }
        let missed = [
            ("love ada ann", "Ada Lovelace"),
            ("velace", "Ada Lovelace"),
            ("明王", "王小明"),
            ("2P-Q9", "Ada Lovelace"),
        ];
        for (asked, name) in missed {
            assert!(!finds(asked, name), "{asked:?} finds {name:?}");
        }
    }

    #[test]
    fn so_much_is_asked_for_at_least_and_at_most() {
        for (asked, is_enough) in [("ad", false), ("ada", true), ("a d", false), ("a da", true), ("-- .", false)] {
            assert_eq!(beginnings_asked(asked).is_some(), is_enough, "{asked}");
        }
        assert!(beginnings_asked("王").is_none() && beginnings_asked("王明").is_some());
        let four = beginnings_asked("a bb ccc dddd").expect("enough");
        assert_eq!(four, ["dddd", "ccc", "bb", "a"]);
        assert_eq!(beginnings_asked("a bb ccc dddd eeeee").expect("enough"), ["eeeee", "dddd", "ccc", "bb"]);
    }

    #[test]
    fn a_name_has_so_many_words() {
        let name = |words: u8| (0..words).map(|word| format!("{} ", char::from(b'a' + word))).collect::<String>();
        assert_eq!((words_of_name(&name(12)).len(), words_of_name(&name(13)).len()), (12, 12));
        assert!(!words_of_name(&name(13)).contains("m"), "the first ones");
        assert!(words_of_name(&"w".repeat(200)).contains(&"w".repeat(16)));
        assert_eq!(words_of_number(NUMBER).len(), 3);
    }
}
