//! Tasks begin in one place, where one that breaks is noticed.

use super::source::{code, is_word};

const BEGINS: [&str; 4] = ["spawn", "spawn_local", "spawn_on", "spawn_pinned"];
const AT_HOME: &str = "src/kit/work/lifecycle.rs";
/// A task whose panic is counted may go into a set that is waited for.
const COUNTED: &str = "(counted(";

pub fn begin_in_one_place(path: &str, text: &str) -> Vec<String> {
    if path == AT_HOME {
        return Vec::new();
    }
    let code = code(text);
    let mut complaints = Vec::new();
    for word in BEGINS {
        for (at, _) in code.match_indices(word) {
            let rest = &code[at + word.len()..];
            let is_whole = !code[..at].ends_with(is_word) && !rest.starts_with(is_word);
            // Also a name without a call, such as one that is handed on.
            if is_whole && !rest.starts_with(COUNTED) {
                let line = code[..at].lines().count().max(1);
                complaints.push(format!("{path}:{line}: tasks begin in {AT_HOME}, so that one that breaks is noticed"));
            }
        }
    }
    complaints
}

#[test]
fn a_bare_task_is_seen() {
    let bad = [
        "fn f() { tokio::spawn(async {}); }",
        "fn f() { actix_web::rt::spawn(x()) }",
        "fn f() { lifecycle.tracker.spawn(x()) }",
        "fn f() { tracker.spawn_on(x(), &runtime) }",
        "fn f() { all.map(tokio::spawn) }",
        "fn f() { std::thread::Builder::new().spawn(work) }",
        "fn f() { set.spawn(uncounted(x())) }",
        "use tokio::task::spawn_local;",
    ];
    for text in bad {
        assert_eq!(begin_in_one_place("src/services/x.rs", text).len(), 1, "{text}");
        assert_eq!(begin_in_one_place(AT_HOME, text).len(), 0, "{text}");
    }
    let good = "fn f() { set.spawn(counted(\"x\", x())); runtime.spawn_blocking(x); respawn(); } // tokio::spawn(x)";
    assert_eq!(begin_in_one_place("src/services/x.rs", good), [""; 0]);
}
