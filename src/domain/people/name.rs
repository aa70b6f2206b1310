//! What a person may be called: something that can be read, and nothing that can be followed.

/// Characters of a name, at most.
pub const NAME_CHARS_MAX: usize = 100;
/// Longer ones are not said in a greeting.
pub const GREETING_CHARS_MAX: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// There is no letter or digit in it, or something turns the text around.
    Invisible,
    /// It would be shown as a link by whoever shows it.
    Link,
}

pub fn check(name: &str) -> Result<(), NameFault> {
    if !name.chars().any(is_seen) || name.chars().any(turns) {
        return Err(NameFault::Invisible);
    }
    if holds_link(name) { Err(NameFault::Link) } else { Ok(()) }
}

/// What a letter calls its reader, if it calls him anything: it is sent from the shop's own address, so that nobody else's words
/// are in it but these.
pub fn greeted(name: &str) -> &str {
    let is_fit = name.chars().count() <= GREETING_CHARS_MAX && check(name).is_ok();
    if is_fit { name } else { "" }
}

/// A letter or a digit, but for the fillers that Unicode counts among the letters.
fn is_seen(c: char) -> bool {
    c.is_alphanumeric() && !matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

/// Marks that change the direction of what follows.
pub fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// An address on the web or of mail, with or without `https://`: readers of mail make links of both.
fn holds_link(name: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    let is_dotted = |place: usize| {
        let before = place.checked_sub(1).is_some_and(|before| chars[before].is_alphanumeric());
        let after = chars.get(place + 1..).unwrap_or_default();
        before && after.len() >= 2 && after[..2].iter().all(|c| c.is_alphanumeric())
    };
    name.contains("://")
        || name.contains('@')
        || chars.iter().enumerate().any(|(place, c)| matches!(c, '.' | '\u{3002}' | '\u{ff0e}') && is_dotted(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_called_what_they_like() {
        for name in
            ["Ada", "J. R. R. Tolkien", "J.R.R. Tolkien", "王小明", "Ngũgĩ wa Thiong'o", "St. John", "X Æ A-12", "مريم"]
        {
            assert_eq!(check(name), Ok(()), "{name}");
            assert_eq!(greeted(name), name);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_name() {
        for name in
            ["\u{200b}", "\u{2060}\u{feff}", "...", "\u{202e}adA", "Ada\u{2066}", "\u{3164}\u{200d} -", "\u{2800}"]
        {
            assert_eq!(check(name), Err(NameFault::Invisible), "{name:?}");
            assert_eq!(greeted(name), "");
        }
    }

    #[test]
    fn a_link_is_no_name() {
        for name in
            ["evil.example", "See https://x", "collect at evil.example/claim", "me@evil", "Refund。shop", "a.bc"]
        {
            assert_eq!(check(name), Err(NameFault::Link), "{name}");
            assert_eq!(greeted(name), "");
        }
    }

    #[test]
    fn a_greeting_has_its_length() {
        assert_eq!(greeted(&"x".repeat(40)).len(), 40);
        assert_eq!(greeted(&"x".repeat(41)), "");
    }
}
