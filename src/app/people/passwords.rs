//! Which passwords are worth nothing: the commonest, which are tried first everywhere, and what is known of their owner anyway.

use zxcvbn::zxcvbn;

/// Guesses of somebody who tries the likeliest first.
const GUESSES_MIN: u64 = 10_000;
/// Characters that are looked at: what is long is not among the commonest, and looking takes longer the more there are.
const LOOKED_AT_CHARS_MAX: usize = 64;

/// Among the ten thousand likeliest, or no more than what its owner is called or written to by.
pub fn is_common(password: &str, owned: &[&str]) -> bool {
    let begins: String = password.chars().take(LOOKED_AT_CHARS_MAX).collect();
    let locals = owned.iter().filter_map(|own| own.split_once('@')).map(|(local, _)| local);
    let words = owned.iter().flat_map(|own| own.split_whitespace());
    let known: Vec<&str> = owned.iter().copied().chain(locals).chain(words).filter(|word| !word.is_empty()).collect();
    let folded = password.to_lowercase();
    known.iter().any(|known| known.to_lowercase() == folded) || zxcvbn(&begins, &known).guesses() < GUESSES_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        for password in ["password", "12345678", "qwertyui", "Password1", "aaaaaaaa", "iloveyou", "letmein1"] {
            assert!(is_common(password, &[]), "{password}");
        }
        for password in ["difference engine", "correct horse", "xK4#pQ9z", "紅豆生南國春來發幾枝"] {
            assert!(!is_common(password, &["Ada", "ada@example.org"]), "{password}");
        }
    }

    #[test]
    fn what_one_is_called_is_refused() {
        let owned = ["Augusta Lovelace", "Augusta.L@example.org"];
        for password in ["augusta.l@example.org", "AUGUSTA.L", "Lovelace", "augusta lovelace"] {
            assert!(is_common(password, &owned), "{password}");
        }
        assert!(!is_common("augusta.l@example.org", &[]));
    }

    #[test]
    fn so_much_of_a_password_is_looked_at() {
        let of = |chars: usize| format!("{}xK4#pQ9z", "a".repeat(chars));
        assert!(!is_common(&of(56), &[]));
        assert!(is_common(&of(64), &[]));
    }
}
