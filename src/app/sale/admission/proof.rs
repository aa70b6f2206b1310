//! Work that a buyer's machine does: a number such that the digest of challenge and number begins with so many zero bits. Nothing is
//! remembered: a challenge says itself for how long it is good, and a digest that only we can make says for whom.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;

/// Characters of a challenge, and digits of a solution.
pub const CHALLENGE_CHARS_MAX: usize = 100;
pub const SOLUTION_CHARS_MAX: usize = 20;

/// Digests of a message by our keys; the first is of the key that signs.
pub type Mac<'a> = &'a (dyn Fn(&[u8]) -> Vec<[u8; 32]> + Sync);

/// What a buyer sends.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    pub challenge: &'a str,
    pub solution: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Right,
    /// The challenge is none of ours for this buyer and sale.
    Foreign,
    Expired,
    Wrong,
}

/// For whom a challenge is.
#[derive(Debug, Clone, Copy)]
pub struct For {
    pub sale: SaleId,
    pub buyer: BuyerId,
}

pub fn challenge(mac: Mac<'_>, whom: For, bits: u8, until: Timestamp) -> String {
    let digests = mac(&message(whom, bits, until));
    let digest = digests.first().expect("there is a key for admissions");
    format!("{bits}.{}.{}", until.0, hex(digest))
}

/// The challenge's own bits count: they were promised, though more may be asked of others by now.
pub fn check(mac: Mac<'_>, whom: For, proof: Proof<'_>, now: Timestamp) -> Checked {
    let mut parts = proof.challenge.split('.');
    let (Some(bits), Some(until), Some(digest), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Checked::Foreign;
    };
    let (Ok(bits), Ok(until)) = (bits.parse::<u8>(), until.parse().map(Timestamp)) else { return Checked::Foreign };
    let digests = mac(&message(whom, bits, until));
    // However much of it is right, the answer takes as long.
    if !digests.iter().any(|ours| bool::from(hex(ours).as_bytes().ct_eq(digest.as_bytes()))) {
        return Checked::Foreign;
    }
    if now >= until {
        return Checked::Expired;
    }
    if zero_bits(proof) >= u32::from(bits) { Checked::Right } else { Checked::Wrong }
}

/// Zero bits that the digest of both begins with.
pub fn zero_bits(Proof { challenge, solution }: Proof<'_>) -> u32 {
    let digest = Sha256::new().chain_update(challenge).chain_update(".").chain_update(solution).finalize();
    let first = u128::from_be_bytes(digest[..16].try_into().expect("a digest is 32 bytes"));
    first.leading_zeros()
}

fn message(For { sale, buyer }: For, bits: u8, until: Timestamp) -> Vec<u8> {
    format!("proof\n{sale}\n{buyer}\n{bits}\n{}", until.0).into_bytes()
}

/// Half of it is enough.
fn hex(digest: &[u8; 32]) -> String {
    data_encoding::HEXLOWER.encode(&digest[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOM: For = For { sale: SaleId(7), buyer: BuyerId(9) };
    const UNTIL: Timestamp = Timestamp(100);

    fn mac(key: u8) -> impl Fn(&[u8]) -> Vec<[u8; 32]> + Sync {
        move |message| vec![Sha256::new().chain_update([key]).chain_update(message).finalize().into()]
    }

    fn solved(challenge: &str, bits: u32) -> String {
        let tried = (0_u64..).map(|number| number.to_string());
        tried.into_iter().find(|solution| zero_bits(Proof { challenge, solution }) >= bits).unwrap()
    }

    #[test]
    fn work_is_good_for_whom_it_was_asked_and_for_a_while() {
        let challenge = challenge(&mac(1), WHOM, 10, UNTIL);
        assert!(challenge.len() <= CHALLENGE_CHARS_MAX, "{challenge}");
        let solution = solved(&challenge, 10);
        let proof = Proof { challenge: &challenge, solution: &solution };
        assert_eq!(check(&mac(1), WHOM, proof, Timestamp(99)), Checked::Right);
        assert_eq!(check(&mac(1), WHOM, proof, UNTIL), Checked::Expired);
        assert_eq!(check(&mac(2), WHOM, proof, Timestamp(99)), Checked::Foreign);
        assert_eq!(check(&mac(1), For { sale: SaleId(8), ..WHOM }, proof, Timestamp(99)), Checked::Foreign);
        assert_eq!(check(&mac(1), For { buyer: BuyerId(8), ..WHOM }, proof, Timestamp(99)), Checked::Foreign);
        let wrong = (0_u64..)
            .map(|number| number.to_string())
            .find(|solution| zero_bits(Proof { challenge: &challenge, solution }) < 10);
        assert_eq!(check(&mac(1), WHOM, Proof { solution: &wrong.unwrap(), ..proof }, Timestamp(99)), Checked::Wrong);
    }

    #[test]
    fn nobody_makes_a_challenge_easier_or_longer() {
        let own = challenge(&mac(1), WHOM, 20, UNTIL);
        for challenge in
            [own.replacen("20", "0", 1), own.replacen("100", "999", 1), own.replace('.', ""), String::new()]
        {
            let proof = Proof { challenge: &challenge, solution: "0" };
            assert_eq!(check(&mac(1), WHOM, proof, Timestamp(99)), Checked::Foreign, "{challenge}");
        }
    }

    /// As every client computes it.
    #[test]
    fn zero_bits_are_those_of_the_digest_of_both() {
        let proof = |solution| Proof { challenge: "16.1.ab", solution };
        let digest = Sha256::digest("16.1.ab.5");
        let bits = digest.iter().take_while(|byte| **byte == 0).count() as u32 * 8;
        let next = digest.iter().find(|byte| **byte != 0).unwrap().leading_zeros();
        assert_eq!(zero_bits(proof("5")), bits + next);
    }
}
