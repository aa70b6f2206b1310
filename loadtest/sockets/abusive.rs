//! Abusive clients: some ask and never read, some send what no client may send. All come back as often as they
//! are thrown out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::errand::Errand;
use super::line::{self, Line};
use super::seen::Seen;

/// What the kernel may keep for who never reads, so that it soon fills.
const RECEIVE_BYTES: u32 = 2_304;
/// Between two questions of who never reads: just below the messages that a client may send in a second.
const ASK_MS: u64 = 60;
/// Before a client that was thrown out comes back.
const AGAIN_MS: u64 = 1_000;
/// How long garbage waits for its answer.
const ANSWER_MS_MAX: u64 = 10_000;

/// Asks for the whole truth again and again, and reads none of it.
pub async fn be_stubborn(errand: Arc<Errand>, token: String, turn: OwnedSemaphorePermit, seen: Arc<Seen>) {
    let ask = line::frame(0x81, format!(r#"{{"type":"watch","sale":{}}}"#, errand.sale).as_bytes());
    let mut turn = Some(turn);
    loop {
        match Line::open(errand.gateway, errand.source, Some(RECEIVE_BYTES), None).await {
            Ok(mut line) => {
                let mut sent = line.send(&line::hello(&token, errand.sale)).await;
                if turn.take().is_some() {
                    seen.is_under_way();
                }
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_millis(ASK_MS)).await;
                    let patience = Duration::from_millis(ANSWER_MS_MAX);
                    let asked = tokio::time::timeout(patience, line.send(&ask)).await;
                    sent = asked.unwrap_or_else(|_| Err("gone: takes nothing more".to_owned()));
                }
                seen.closed(sent.err().unwrap_or_default());
            }
            Err(why) => seen.failed(why),
        }
        tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await;
    }
}

/// One kind of garbage after the other, each until the server has had enough.
pub async fn be_garbage(errand: Arc<Errand>, number: u64, token: String, turn: OwnedSemaphorePermit, seen: Arc<Seen>) {
    let mut turn = Some(turn);
    for kind in number.. {
        match Line::open(errand.gateway, errand.source, None, None).await {
            Ok(mut line) => {
                if turn.take().is_some() {
                    seen.is_under_way();
                }
                let mut sent = line.send(&line::hello(&token, errand.sale)).await;
                for piece in garbage(kind) {
                    if sent.is_ok() {
                        sent = line.send(&piece).await;
                    }
                }
                let hear = async { while line.hear(|_| ()).await.map_err(|why| sent = Err(why)).is_ok() {} };
                let heard = tokio::time::timeout(Duration::from_millis(ANSWER_MS_MAX), hear).await;
                let answer = sent.err().filter(|_| heard.is_ok());
                seen.closed(answer.unwrap_or_else(|| "borne".to_owned()));
            }
            Err(why) => seen.failed(why),
        }
        tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await;
    }
}

/// In the pieces in which it is sent.
fn garbage(kind: u64) -> Vec<Vec<u8>> {
    let fragment = |first: u8| line::frame(first, b"x");
    match kind % 10 {
        // Reserved bits, and whatever a chance makes of the rest.
        0 => vec![(0..2_048).map(|_| fastrand::u8(..)).collect()],
        // A message of two exabytes begins.
        1 => vec![vec![0x81, 0xff, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], vec![b'x'; 4_096]],
        // One in pieces of a byte, without an end.
        2 => [fragment(0x01)].into_iter().chain((0..5_000).map(|_| fragment(0x00))).collect(),
        // Not masked.
        3 => vec![vec![0x81, 0x02, b'{', b'}']],
        // No UTF-8, whole and in pieces.
        4 => vec![line::frame(0x81, &[0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xed, 0xa0, 0x80])],
        5 => vec![line::frame(0x01, &[0xf4]), line::frame(0x80, &[0x90, 0x80, 0x80])],
        // A ping longer than a ping may be, and one in pieces.
        6 => vec![line::frame(0x89, &[b'x'; 126])],
        7 => vec![line::frame(0x09, b"x")],
        // The beginning of a frame, and silence.
        8 => vec![vec![0x81, 0xfe, 0x0f]],
        // No known message type, over and over.
        _ => (0..100).map(|_| line::frame(0x81, br#"{"type":"shout"}"#)).collect(),
    }
}
