//! The address that a person is written to. It is shown as its owner wrote it; what counts is its canonical form, the same for all
//! ways to write one mailbox: in lower case, its domain in ASCII, without a `+tag`, and without dots where the provider reads none.
//! Somebody with one mailbox has one account.

pub const ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 63;

/// Dots before the @ mean nothing to them, and both are one provider.
const DOTLESS: [&str; 2] = ["gmail.com", "googlemail.com"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    shown: String,
    /// As a mail server is told it.
    local: String,
    domain: String,
}

impl Address {
    /// Plausible; whether mail arrives there is shown by a code. The part before the @ is ASCII.
    pub fn read(text: &str) -> Option<Self> {
        let shown = text.trim();
        let (local, domain) = shown.rsplit_once('@')?;
        // Before anything is made of it.
        if shown.len() > ADDRESS_BYTES_MAX || !is_local(local) {
            return None;
        }
        let domain = idna::domain_to_ascii_strict(domain).ok().filter(|domain| is_domain(domain))?;
        let address = Self { shown: shown.to_owned(), local: local.to_owned(), domain };
        (address.deliverable().len() <= ADDRESS_BYTES_MAX).then_some(address)
    }

    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// For a mail server.
    pub fn deliverable(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    pub fn canonical(&self) -> String {
        let local = self.local.to_ascii_lowercase();
        let untagged = local.split('+').next().filter(|local| !local.is_empty()).unwrap_or(&local);
        match DOTLESS.contains(&self.domain.as_str()) {
            true => format!("{}@{}", untagged.replace('.', ""), DOTLESS[0]),
            false => format!("{untagged}@{}", self.domain),
        }
    }

    /// Of what may not be an address at all: then it is nobody's.
    pub fn canonical_of(text: &str) -> String {
        Self::read(text).map_or_else(|| text.trim().to_lowercase(), |address| address.canonical())
    }
}

/// So much of an address that its owner knows it again, and nobody can write to it. Nothing of what is no address.
pub fn masked(address: &str) -> String {
    let begin = |text: &str| text.chars().next().map(|first| format!("{first}…"));
    let masked = address.rsplit_once('@').and_then(|(local, domain)| {
        let (name, ending) = domain.rsplit_once('.')?;
        Some(format!("{}@{}.{ending}", begin(local)?, begin(name)?))
    });
    masked.unwrap_or_default()
}

fn is_local(local: &str) -> bool {
    (1..=LOCAL_BYTES_MAX).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

/// A name with a dot in it, and no number that stands for a machine.
fn is_domain(domain: &str) -> bool {
    let label_fits = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.split('.').all(label_fits) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Address::read(text).unwrap_or_else(|| panic!("{text}")).canonical()
    }

    #[test]
    fn one_mailbox_is_one_address() {
        for (written, same) in [
            ("Ada@Example.ORG", "ada@example.org"),
            (" ada+shop@example.org ", "ada@example.org"),
            ("a.d.a@example.org", "a.d.a@example.org"),
            ("A.D.a+x+y@GMail.com", "ada@gmail.com"),
            ("a.da@googlemail.com", "ada@gmail.com"),
            ("+ada@example.org", "+ada@example.org"),
            ("ada@Bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@XN--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ] {
            assert_eq!(canonical(written), same, "{written}");
        }
    }

    #[test]
    fn its_owner_wrote_it_and_mail_servers_are_told_ascii() {
        let address = Address::read(" Ada+x@Bücher.example ").unwrap();
        assert_eq!(address.shown(), "Ada+x@Bücher.example");
        assert_eq!(address.deliverable(), "Ada+x@xn--bcher-kva.example");
    }

    #[test]
    fn a_masked_address_is_known_by_its_owner_alone() {
        let masks = [
            ("ada.lovelace@example.org", "a…@e….org"),
            ("Ö@Bücher.example", "Ö…@B….example"),
            ("a@b.co.uk", "a…@b….uk"),
        ];
        for (address, mask) in masks {
            assert_eq!(masked(address), mask);
        }
        assert_eq!(["erased 7", "", "@", "a@b"].map(masked), ["", "", "", ""]);
    }

    #[test]
    fn what_cannot_be_an_address_is_none() {
        let long = format!("{}@example.org", "x".repeat(65));
        let longer = format!("a@{}.org", "x".repeat(64));
        let longest = format!("{}@{}.example", "x".repeat(64), vec!["y".repeat(45); 4].join("."));
        assert_eq!(longest.len(), 256);
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b.c",
            "a@b",
            ".a@b.cd",
            "a.@b.cd",
            "a..b@c.de",
            "a b@c.de",
            "é@c.de",
            "a@-b.cd",
            "a@b-.cd",
            "a@127.0.0.1",
            "a@[::1]",
            "a@b..cd",
            "a\n@b.cd",
            &long,
            &longer,
            &longest,
        ] {
            assert_eq!(Address::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn addresses_have_their_length() {
        let of = |bytes: usize| {
            format!("{}@{}.{}.{}.example", "x".repeat(64), "y".repeat(60), "y".repeat(60), "y".repeat(bytes - 195))
        };
        assert_eq!((of(254).len(), Address::read(&of(254)).is_some()), (254, true));
        assert_eq!((of(255).len(), Address::read(&of(255)).is_some()), (255, false));
        let local = |bytes: usize| Address::read(&format!("{}@b.cd", "x".repeat(bytes))).is_some();
        assert_eq!((local(64), local(65)), (true, false));
        let label = |bytes: usize| Address::read(&format!("a@{}.cd", "x".repeat(bytes))).is_some();
        assert_eq!((label(63), label(64)), (true, false));
    }
}
