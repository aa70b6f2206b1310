//! What a shop's memory is for, while strangers ask for more than they read.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::shop::Shop;

const CONNECTIONS: usize = 40;
/// For each: one question and one answer, and what the kernel's and the library's buffers round them up to.
const BYTES_MAX: u64 = 1 << 20;

/// Thousands of questions at once on each connection, for the largest answer that anybody gets: of each, one is in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_without_end_are_read_one_at_a_time() {
    let shop = Shop::start(Vec::new()).await;
    let ask = b"GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    let first = async |bytes: &[u8]| {
        let mut stream = TcpStream::connect(shop.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        assert!(stream.read(&mut [0; 1]).await.unwrap() > 0);
        stream
    };
    // The document is made.
    drop(first(ask).await);
    let before = shop.most_memory();
    let mut flood = Vec::new();
    for _ in 0..CONNECTIONS {
        flood.push(first(&ask.repeat(120_000 / ask.len())).await);
    }
    // The kernel notes a peak only when memory is given back, so that a later figure may be the smaller one.
    let each = shop.most_memory().saturating_sub(before) / CONNECTIONS as u64;
    assert!(each < BYTES_MAX, "{each} bytes for each connection");
    assert_eq!(shop.get_with("/v1/sales", &[]).await, 200, "others are served");
}
