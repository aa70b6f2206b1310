//! Who a client is: as a hop of ours says, and never as the client says.

use super::desync::{Scribe, values};
use super::front::{Front, HOP, STRANGER};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_hop_is_believed() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let cases = [
        (HOP, "", "127.0.0.1"),
        (HOP, "x-forwarded-for: 203.0.113.7\r\n", "203.0.113.7"),
        // What comes before the last that is no hop of ours is what the client wrote.
        (HOP, "x-forwarded-for: 1.2.3.4, 203.0.113.7, 127.0.0.1\r\n", "203.0.113.7"),
        (HOP, "x-forwarded-for: 1.2.3.4\r\nx-forwarded-for: 203.0.113.7\r\n", "203.0.113.7"),
        (HOP, "x-forwarded-for: 2001:db8::7\r\n", "2001:db8::7"),
        (HOP, "x-forwarded-for: nobody\r\n", "127.0.0.1"),
        (STRANGER, "x-forwarded-for: 203.0.113.7\r\n", "127.0.0.2"),
        (STRANGER, "x-forwarded-for: 127.0.0.1\r\n", "127.0.0.2"),
    ];
    for (source, lines, expected) in cases {
        for first in ["GET /v1/sales", "POST /v1/sales/7/attempts", "GET /ws", "GET /web/0123456789abcdef/shop.js"] {
            scribe.forget();
            front.ask_from(source, first, lines, if first.starts_with("POST") { "{}" } else { "" }).await;
            let (head, _) = scribe.seen().pop().unwrap();
            assert_eq!(values(&head, "x-forwarded-for"), [expected], "{source} {first} {lines}");
        }
    }
}
