//! A service that takes connections and says nothing, as a stopped process does: its silence is short, is remembered, and is found
//! before a client meets it by a probe.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;

use super::desync::Scribe;
use super::front::{Behind, Front, HOP, answers, send};

/// Requests after the first; far fewer than would be asked of it again by the clock alone.
const LATER: usize = 20;
/// The one that finds it, and one that tries it again should this machine be slow.
const ASKED_MAX: usize = 2;

struct Frozen {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Frozen {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections: Arc<AtomicUsize> = Arc::default();
        let count = connections.clone();
        tokio::spawn(async move {
            let mut held = Vec::new();
            loop {
                held.push(listener.accept().await.unwrap().0);
                count.fetch_add(1, Ordering::AcqRel);
            }
        });
        Self { address, connections }
    }

    fn asked(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }
}

/// nginx asks the first of its servers first.
async fn before(frozen: &Frozen, well: &Scribe) -> Front {
    let both = [frozen.address.as_str(), well.address.as_str()];
    Front::before(Behind { publishers: &both, gateways: &both, sockets: &well.address }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_reads_is_asked_of_another_and_the_frozen_one_is_left_alone() {
    let (frozen, well) = (Frozen::new().await, Scribe::new(true).await);
    let front = before(&frozen, &well).await;
    for number in 0..=LATER {
        let answer = front.ask("GET /v1/sales", "", "").await;
        assert_eq!(answer.status, 200, "request {number}");
    }
    assert!((1..=ASKED_MAX).contains(&frozen.asked()), "asked {} times", frozen.asked());
    assert_eq!(well.seen().len(), LATER + 1);
}

/// Only the client knows whether it still wants to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_and_not_answered_is_the_clients_to_send_again() {
    let (frozen, well) = (Frozen::new().await, Scribe::new(true).await);
    let front = before(&frozen, &well).await;
    let lost = front.ask("POST /v1/sales/7/attempts", "", "{}").await;
    assert_eq!((lost.status, lost.header("retry-after")), (503, Some("1")));
    assert_eq!(lost.json()["type"], "/problems/unavailable");
    assert_eq!(well.seen(), [], "it is sent to nobody else");
    assert_eq!(front.ask("POST /v1/sales/7/attempts", "", "{}").await.status, 200);
    assert_eq!((frozen.asked(), well.seen().len()), (1, 1));
}

/// What is under way to it is enough to ask the other one, before its time is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_request_under_way_is_not_asked_while_another_has_none() {
    let (frozen, well) = (Frozen::new().await, Scribe::new(true).await);
    let front = before(&frozen, &well).await;
    let attempt = "POST /v1/sales/7/attempts";
    let meanwhile = async {
        while frozen.asked() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for number in 0..5 {
            assert_eq!(front.ask(attempt, "", "{}").await.status, 200, "request {number}");
        }
    };
    let (lost, ()) = tokio::join!(front.ask(attempt, "", "{}"), meanwhile);
    assert_eq!((lost.status, frozen.asked(), well.seen().len()), (503, 1, 5));
}

/// A checkout may take a minute, so that its silence means nothing; that of a probe does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_finds_it_before_a_client_does() {
    let (frozen, well) = (Frozen::new().await, Scribe::new(true).await);
    let front = before(&frozen, &well).await;
    for fleet in ["gateways", "publishers", "sockets"] {
        let look = format!("GET /look/{fleet} HTTP/1.1\r\nhost: front\r\nconnection: close\r\n\r\n");
        let looked = answers(&send(front.inner, HOP, look.as_bytes()).await);
        assert_eq!(looked[0].status, 200, "{fleet}: somebody answers");
    }
    assert_eq!(frozen.asked(), 2, "each fleet with it was looked at");
    let paths: Vec<String> = well.seen().iter().map(|(head, _)| head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["get / http/1.1", "get /v1/sales/0/attempts http/1.1", "get /ws http/1.1"]);
    for line in ["POST /v1/checkouts", "POST /v1/sales/7/attempts", "GET /v1/sales/7/reservation"] {
        assert_eq!(front.ask(line, "", "").await.status, 200, "{line}");
    }
    assert_eq!(frozen.asked(), 2, "no client met it");
}
