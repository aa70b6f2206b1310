//! The mails of a shop without a mail server: files in a folder. Codes are read there, as their owner reads them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::fixture::PATIENCE;
use crate::support::mail::Seen;

const AGAIN: Duration = Duration::from_millis(40);

pub struct Letters {
    folder: PathBuf,
    /// Files that were opened before: what is read is read once.
    opened: Mutex<BTreeSet<PathBuf>>,
}

impl Letters {
    pub fn of(folder: PathBuf) -> Self {
        Self { folder, opened: Mutex::default() }
    }

    /// The next code that was mailed to this address. Waits for its mail.
    pub async fn code(&self, address: &str) -> String {
        let looking = async {
            loop {
                if let Some(code) = self.unread(address) {
                    return code;
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        let code = tokio::time::timeout(PATIENCE, looking).await;
        code.unwrap_or_else(|_| panic!("no code is mailed to {address}"))
    }

    /// Of those that nobody opened yet, the oldest.
    fn unread(&self, address: &str) -> Option<String> {
        let mut opened = self.opened.lock().unwrap();
        let mut files: Vec<_> = self.folder.read_dir().ok()?.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|kind| kind == "eml") && !opened.contains(path));
        files.sort_by_key(|path| path.metadata().and_then(|data| data.modified()).unwrap());
        files.into_iter().find_map(|path| {
            let code = code_in(&path, address)?;
            opened.insert(path);
            Some(code)
        })
    }
}

fn code_in(path: &Path, address: &str) -> Option<String> {
    let seen = Seen::read(&std::fs::read(path).unwrap());
    let is_to = seen.to.1.eq_ignore_ascii_case(address);
    if is_to { in_two_halves(&seen.subject) } else { None }
}

/// Three digits, a space, three digits.
fn in_two_halves(subject: &str) -> Option<String> {
    let all: Vec<char> = subject.chars().collect();
    let found = all.windows(7).find(|seven| {
        let digits = seven.iter().filter(|one| one.is_ascii_digit()).count();
        digits == 6 && seven[3] == ' '
    })?;
    Some(found.iter().filter(|one| **one != ' ').collect())
}

#[test]
fn a_code_stands_in_a_subject() {
    assert_eq!(in_two_halves("012 345 is your code for miaosha"), Some("012345".into()));
    assert_eq!(in_two_halves("您的驗證碼：987 654"), Some("987654".into()));
    assert_eq!(in_two_halves("Your order 0001-0002-0003: 12 345"), None);
}
