//! How a token's bytes are written: as one number in 22 capital letters, which a QR code holds as densely as its form for letters
//! allows, and which any scanner can type.
//!
//! A scanner types as if it were an American keyboard, and the machine may take it for another one. There are no digits, which French
//! keyboards have behind the shift key, and of the letters that move on German and French ones only those whose new place says what
//! they were: Y comes as Z, A as Q, M as a comma; so Z, Q and W are never written. L is not written either: read by people, it is an I.
//! Whatever is read has one meaning, and needs no guess.

/// In the order of what they are worth.
const LETTERS: &[u8; 22] = b"ABCDEFGHIJKMNOPRSTUVXY";

/// Letters that so many bytes take: 22 to that power is the first that is not below 256 to the power of `bytes`.
pub const fn count(bytes: usize) -> usize {
    // log 256 / log 22, rounded up in its last place.
    (bytes * 1_793_961).div_ceil(1_000_000)
}

pub fn write(bytes: &[u8]) -> String {
    let mut worth = vec![0_u8; count(bytes.len())];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in worth.iter_mut().rev() {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 22) as u8;
            carry /= 22;
        }
    }
    worth.into_iter().map(|worth| char::from(LETTERS[usize::from(worth)])).collect()
}

/// `None` when it is not exactly so many bytes in letters.
pub fn read<const BYTES: usize>(letters: &str) -> Option<[u8; BYTES]> {
    if letters.len() != count(BYTES) {
        return None;
    }
    let mut bytes = [0_u8; BYTES];
    for letter in letters.bytes() {
        let mut carry = LETTERS.iter().position(|known| *known == letter)? as u32;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 22;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(bytes)
}

/// What was printed, whatever keyboard it came through and however it was copied; `None` when something of it was never printed.
pub fn plain(typed: &str) -> Option<String> {
    typed.chars().filter(|typed| !is_gap(*typed)).map(letter).collect()
}

/// Between groups of letters, and after them: scanners end a line in many ways.
fn is_gap(typed: char) -> bool {
    typed.is_whitespace()
        || typed.is_control()
        || matches!(typed, '-' | '\u{2010}'..='\u{2015}' | '\u{200b}' | '\u{feff}')
}

fn letter(typed: char) -> Option<char> {
    Some(match typed {
        // A caps lock turns what a scanner types.
        'a'..='z' | 'A'..='Z' => match typed.to_ascii_uppercase() {
            'Q' => 'A',
            'Z' => 'Y',
            'L' => 'I',
            'W' => return None,
            plain => plain,
        },
        ',' | '?' | ';' => 'M',
        '0' => 'O',
        // A Turkish keyboard has two of them.
        '1' | '|' | 'ı' | 'İ' => 'I',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_letters_are_enough_and_no_fewer() {
        for bytes in 1..200 {
            let most = vec![0xff; bytes];
            let written = write(&most);
            assert_eq!(written.len(), count(bytes));
            // One letter less would not do: the first one is worth something.
            assert_ne!(written.as_bytes()[0], b'A', "{bytes} bytes");
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_none() {
        // 256 is 11 times 22 and 14; 255 is the most that a byte can be.
        assert_eq!((read::<1>("MO"), read::<1>("MP"), write(&[255])), (Some([255]), None, "MO".to_owned()));
        assert_eq!(read::<97>(&"Y".repeat(count(97))), None);
    }
}
