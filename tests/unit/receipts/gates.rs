//! A gate without the shop: it lets each unit in once, also across its own death.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use miaosha::adapters::tls::Trust;
use miaosha::app::receipts::gate::{Answer, Gate, Pack, UsedUnit, Written};
use miaosha::app::receipts::token::{TokenError, sign};
use miaosha::domain::receipts::Proof;
use miaosha::domain::shared::id::{ReservationId, SaleId};
use miaosha::wire::receipts::hand_all_over;
use serde_json::Value;

use super::keys;
use crate::support::clock::START;
use crate::support::counterpart::counterpart;
use crate::support::held::in_takes;

const RESERVATION: ReservationId = ReservationId(0xabc);

fn proof(unit: u32) -> Proof {
    Proof { sale: SaleId(7), unit, reservation: RESERVATION }
}

fn token(unit: u32) -> String {
    sign(proof(unit), &keys("1"))
}

fn pack() -> Pack {
    Pack {
        sale_id: SaleId(7),
        title: "A seat".into(),
        made_at: START,
        utc_offset_minutes: 480,
        keys: keys("1").public().to_jwks(),
        revoked: vec![(9, RESERVATION), (3, RESERVATION)],
        used: [5, 9].map(|unit| UsedUnit { unit, reservation: RESERVATION, at: START, gate: "north".into() }).into(),
    }
}

fn gate(path: &Path) -> Gate {
    Gate::open(pack(), path, "south").unwrap()
}

#[test]
fn a_unit_goes_in_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate");
    let mut gate = gate(&path);
    let later = START.plus_ms(5);
    assert_eq!(gate.check_in(&token(1), later).unwrap(), Answer::Admitted(proof(1)));
    let again = Answer::Already { at: later, gate: "south".into(), revoked: false };
    assert_eq!(gate.check_in(&token(1), later.plus_ms(9)).unwrap(), again);
    assert_eq!(gate.check_in(&token(2), later).unwrap(), Answer::Admitted(proof(2)));
    assert_eq!(gate.check_in(&token(3), later).unwrap(), Answer::Revoked);
    // Given back after a person was admitted with it: both are said.
    for (unit, revoked) in [(5, false), (9, true)] {
        let used = Answer::Already { at: START, gate: "north".into(), revoked };
        assert_eq!(gate.check_in(&token(unit), later).unwrap(), used);
    }
    let elsewhere = sign(Proof { sale: SaleId(8), ..proof(1) }, &keys("1"));
    assert_eq!(gate.check_in(&elsewhere, later).unwrap(), Answer::Elsewhere(SaleId(8)));
    let forged = sign(proof(4), &keys("2"));
    assert_eq!(gate.check_in(&forged, later).unwrap(), Answer::Invalid(TokenError::Key));
    // The same unit, sold again after a refund, is another proof.
    let resold = Proof { reservation: ReservationId(0xdef), ..proof(9) };
    assert_eq!(gate.check_in(&sign(resold, &keys("1")), later).unwrap(), Answer::Admitted(resold));
    assert_eq!(Written::of(&path).unwrap().entries.len(), 3);
}

#[test]
fn a_gate_that_begins_anew_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate");
    let mut first = gate(&path);
    first.check_in(&token(1), START).unwrap();
    assert!(Gate::open(pack(), &path, "east").is_err(), "two gates on one file");
    drop(first);
    let device = Written::of(&path).unwrap().device().to_owned();
    assert_eq!(device.len(), 16);
    // It crashed in the middle of a line: that admission was not confirmed to anyone.
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"sequence\":2,\"tok").unwrap();
    let mut second = gate(&path);
    assert_eq!(
        second.check_in(&token(1), START).unwrap(),
        Answer::Already { at: START, gate: "south".into(), revoked: false }
    );
    assert_eq!(second.check_in(&token(2), START).unwrap(), Answer::Admitted(proof(2)));
    let written = Written::of(&path).unwrap();
    assert_eq!(written.device(), device);
    assert_eq!(written.entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(written.entries[1].token, token(2));
}

/// Times are the shop's, in figures that people read.
#[test]
fn a_gate_says_why_in_words() {
    let already = |gate: &str, revoked| Answer::Already { at: START.plus_ms(61_000), gate: gate.into(), revoked };
    for (answer, offset, said) in [
        (Answer::Admitted(proof(4)), 480, "ADMIT   unit 4"),
        (already("north", false), 480, "STOP    used before, 2026-01-01 08:01:01 +08:00 at north"),
        (already("", true), -210, "STOP    used before, 2025-12-31 20:31:01 -03:30; given back since"),
        (already("", false), 0, "STOP    used before, 2026-01-01 00:01:01 +00:00"),
        (Answer::Revoked, 0, "STOP    given back"),
        (Answer::Elsewhere(SaleId(8)), 0, "STOP    of another sale: 8"),
        (Answer::Invalid(TokenError::Key), 0, "STOP    the token's key is not known here"),
    ] {
        assert_eq!(answer.words(offset), said);
    }
}

/// A pack that was made before it said the shop's zone is read.
#[test]
fn an_older_pack_is_in_utc() {
    let mut pack = serde_json::to_value(pack()).unwrap();
    pack.as_object_mut().unwrap().remove("utc_offset_minutes").unwrap();
    assert_eq!(serde_json::from_value::<Pack>(pack).unwrap().utc_offset_minutes, 0);
}

/// Its very first line was cut off.
#[test]
fn a_gate_that_died_at_its_beginning_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate");
    fs::write(&path, b"{\"dev").unwrap();
    let mut gate = gate(&path);
    assert_eq!(gate.check_in(&token(1), START).unwrap(), Answer::Admitted(proof(1)));
    assert_eq!(Written::of(&path).unwrap().entries.len(), 1);
}

#[test]
fn somebody_elses_file_is_not_a_gates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate");
    fs::write(&path, b"a letter to my aunt\n").unwrap();
    assert!(Gate::open(pack(), &path, "south").is_err());
    assert_eq!(fs::read(&path).unwrap(), b"a letter to my aunt\n");
}

#[tokio::test]
async fn a_gate_hands_over_so_many_at_once() {
    in_takes(200, async |count| {
        let folder = tempfile::tempdir().unwrap();
        let (path, handed) = (folder.path().join("gate"), Arc::new(Mutex::new(Vec::new())));
        let mut gate = gate(&path);
        for unit in 1_000..1_000 + count as u32 {
            gate.check_in(&token(unit), START).unwrap();
        }
        let counts = handed.clone();
        let url = counterpart(move |asked| {
            let body: Value = serde_json::from_str(&asked.body).unwrap();
            counts.lock().unwrap().push(body["admissions"].as_array().unwrap().len());
            async { (200, "application/json", "{}".to_owned()) }
        })
        .await;
        assert!(hand_all_over(&path, &url, &Trust::new("").unwrap(), "token").await.unwrap());
        handed.lock().unwrap().clone()
    })
    .await;
}
