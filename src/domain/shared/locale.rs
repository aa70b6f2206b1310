//! The languages that people are written to in.

use serde::{Deserialize, Serialize};

/// Written as a language tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Locale {
    #[default]
    En,
    ZhTw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `en` or `zh-TW`")]
pub struct NoLocale;

impl Locale {
    pub const ALL: [Locale; 2] = [Locale::En, Locale::ZhTw];

    pub fn tag(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::ZhTw => "zh-TW",
        }
    }

    /// `None` for a tag of no language that is written here.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }
}

impl From<Locale> for &'static str {
    fn from(locale: Locale) -> Self {
        locale.tag()
    }
}

impl TryFrom<String> for Locale {
    type Error = NoLocale;

    fn try_from(tag: String) -> Result<Self, NoLocale> {
        Self::of_tag(&tag).ok_or(NoLocale)
    }
}
