//! Which question a buyer is asked: gateway and publisher compute it alike, and neither needs to remember it.
//!
//! It depends on the sale's secret key, so that nobody can look up other buyers' questions beforehand. Answers never leave.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::id::BuyerId;
use crate::domain::sale::{Question, Sale};

/// Characters of an answer, at most.
pub const ANSWER_CHARS_MAX: usize = 200;

/// The place of the buyer's question among the sale's; `None` when the sale asks nothing.
pub fn index_for(sale: &Sale, buyer: BuyerId) -> Option<usize> {
    let count = sale.questions.len() as u64;
    match count {
        0 => None,
        // Whatever the key says, there is only this one.
        1 => Some(0),
        _ => {
            let mut mac = Hmac::<Sha256>::new_from_slice(&sale.question_key.0).expect("a key may have any length");
            mac.update(&buyer.0.to_be_bytes());
            let digest = mac.finalize().into_bytes();
            let number = u64::from_be_bytes(digest[..8].try_into().expect("a digest is 32 bytes"));
            Some((number % count) as usize)
        }
    }
}

/// Whether this is the buyer's question and the answer to it. Case and space around it do not count.
pub fn is_right(sale: &Sale, buyer: BuyerId, question_id: u64, answer: &str) -> bool {
    let Some(index) = index_for(sale, buyer) else { return true };
    question_id == index as u64 && sale.questions.get(index).is_some_and(|question| is_answer(question, answer))
}

fn is_answer(question: &Question, given: &str) -> bool {
    let (wanted, given) = (question.answer.trim(), given.trim());
    if wanted.is_ascii() && given.is_ascii() {
        return wanted.eq_ignore_ascii_case(given);
    }
    wanted.to_lowercase() == given.to_lowercase()
}
