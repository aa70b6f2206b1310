//! What the pages say, read from where they read it; and that every language says all of it.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    English,
    Chinese,
}

impl Tongue {
    pub fn code(self) -> &'static str {
        match self {
            Tongue::English => "en",
            Tongue::Chinese => "zh-TW",
        }
    }
}

/// The words of one language, by key.
pub struct Words(BTreeMap<String, String>);

impl Words {
    pub fn of(tongue: Tongue) -> Self {
        Self(parse(match tongue {
            Tongue::English => include_str!("../../../web/words/en.js"),
            Tongue::Chinese => include_str!("../../../web/words/zh-TW.js"),
        }))
    }

    #[track_caller]
    pub fn say(&self, key: &str) -> &str {
        self.0.get(key).unwrap_or_else(|| panic!("there are no words for {key}"))
    }
}

/// `'key': 'words'`, any number of them in a line.
fn parse(text: &str) -> BTreeMap<String, String> {
    let texts: Vec<&str> = text.split('\'').collect();
    let mut words = BTreeMap::new();
    for at in (1..texts.len().saturating_sub(2)).step_by(2) {
        if texts[at + 1].trim() == ":" {
            let twice = words.insert(texts[at].to_owned(), texts[at + 2].to_owned());
            assert!(twice.is_none(), "{} is there twice", texts[at]);
        }
    }
    words
}

fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

#[test]
fn every_language_says_everything() {
    let (english, chinese) = (Words::of(Tongue::English).0, Words::of(Tongue::Chinese).0);
    assert!(english.len() > 100, "only {} were read", english.len());
    assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
    for (key, text) in &english {
        assert_eq!(places(text), places(&chinese[key]), "{key}");
        assert!(!text.is_empty() && !chinese[key].is_empty(), "{key}");
    }
    let is_chinese = |text: &String| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    assert!(chinese.values().filter(|text| is_chinese(text)).count() > english.len() * 9 / 10);
}

/// Keys that the modules ask for with a plain text are there.
#[test]
fn whatever_is_said_has_words() {
    let english = Words::of(Tongue::English).0;
    let mut asked = 0;
    for entry in ["web", "web/pages", "web/desk"] {
        for file in std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(entry)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "js") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split("t('").skip(1) {
                let key = rest.split('\'').next().unwrap();
                let is_there = english.contains_key(key) || english.contains_key(&format!("{key}.other"));
                // `t(` also ends other names, such as `put(`; keys have a dot and no space.
                let is_key = key.contains('.') && !key.contains(['/', ' ', '<']);
                assert!(!is_key || is_there, "{}: {key}", path.display());
                asked += 1;
            }
        }
    }
    assert!(asked > 60, "only {asked} were found");
}
