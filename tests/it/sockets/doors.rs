//! Who gets in, who is sent away, and with what word.

use std::net::Ipv4Addr;
use std::time::Duration;

use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::front::settings::sockets::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::fixture::{Client, Line, Way, knock, knock_from, over_memory, over_memory_without_proxies, rules, until};
use crate::support::clock::START;
use crate::support::proxy::Proxy;

pub async fn a_token_may_travel_as_a_subprotocol(line: Line) {
    let sale = line.fixture.sale(1, 0).await;
    let mut request = line.request();
    let offered = format!("miaosha.v1, bearer.{}", line.fixture.shopper(7));
    request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
    let (mut buyer, response) = line.knock(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "miaosha.v1", "the token is not said back");
    buyer.hear("time").await;
    buyer.say(json!({ "type": "hello", "sales": [sale.id] })).await;
    assert_eq!(buyer.status().await["status"], "none");
}

fn hello(token: &str) -> Message {
    Message::text(json!({ "type": "hello", "token": token }).to_string())
}

pub async fn bad_words_are_closed_with_their_code(line: Line) {
    let expired = line.fixture.keys.sign_access(
        BuyerId(7),
        miaosha::domain::people::Role::Shopper,
        START.plus_ms(-86_400_000),
        1_000,
    );
    let other_kind =
        line.fixture.keys.sign_checkout(miaosha::domain::shared::id::ReservationId(1), BuyerId(7), START, 1_000_000);
    let cases = [
        (hello(&expired), 4402, "log_in"),
        (hello("x.y.z"), 4401, "log_in"),
        (hello(&other_kind), 4401, "log_in"),
        (Message::text("{\"type\":\"watch\",\"sale\":1}"), 4401, "log_in"),
        (Message::text("{\"type\":\"hello\"}"), 4401, "log_in"),
        (Message::text("hello"), 4400, "stay"),
        (Message::text("{\"type\":\"hello\",\"token\":1}"), 4400, "stay"),
        (Message::text("{\"type\":\"ping\",\"more\":1}"), 4400, "stay"),
        (Message::text("[]"), 4400, "stay"),
        (Message::binary(b"{}".to_vec()), 1003, "stay"),
    ];
    for (message, code, next) in cases {
        let mut client = line.stranger().await;
        client.send(message.clone()).await;
        let (closed, bye) = client.closed().await;
        assert_eq!((closed, &bye["next"], &bye["code"]), (code, &json!(next), &json!(code)), "{message}");
    }
    let mut client = line.stranger().await;
    client.send(Message::text("x".repeat(5_000))).await;
    assert_eq!(client.closed().await, (1009, Value::Null));
    // Another buyer's token on a socket that has its buyer.
    let mut client = line.buyer(7, &[]).await;
    client.send(hello(&line.fixture.shopper(8))).await;
    assert_eq!(client.closed().await.0, 4403);
}

pub async fn what_cannot_be_watched_is_refused_by_itself(line: Line) {
    let sale = line.fixture.sale(1, 0).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    for (number, reason) in [(999_999, "no_such_sale"), (u64::MAX, "no_such_sale")] {
        buyer.say(json!({ "type": "watch", "sale": number })).await;
        let refused = buyer.hear("refused").await;
        assert_eq!((&refused["sale"], &refused["reason"]), (&json!(number), &json!(reason)));
    }
    let many: Vec<u64> = (1_000..1_020).collect();
    buyer.say(json!({ "type": "hello", "sales": many })).await;
    assert_eq!(buyer.hear("refused").await["reason"], "too_many");
    line.attempt(sale.id, 7).await;
    while buyer.status().await["status"] != "held" {}
}

pub async fn only_pages_of_this_host_get_in(line: Line) {
    let with = |origin: &str| {
        let mut request = line.request();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
    };
    assert!(line.knock(with(&format!("http://{}", line.address))).await.is_ok());
    for wrong in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        match line.knock(with(wrong)).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403, "{wrong}"),
            other => panic!("{wrong}: {:?}", other.map(|_| ())),
        }
    }
    // What is no handshake is a problem, not a socket.
    let mut stream = TcpStream::connect(line.address).await.unwrap();
    stream.write_all(b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"field\":\"Upgrade\""), "{answer}");
}

pub async fn listed_origins(way: Way) {
    let line =
        over_memory(way, Settings { origins: "https://shop.example, https://b.example".into(), ..rules() }).await;
    let knocks = [("https://b.example", true), ("https://SHOP.example", true), ("https://c.example", false)];
    for (origin, is_welcome) in knocks {
        let mut request = line.request();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(line.knock(request).await.is_ok(), is_welcome, "{origin}");
    }
}

pub async fn places_are_bounded(way: Way) {
    let line = over_memory(way, Settings { sockets_max: 4, sockets_per_buyer_max: 2, ..rules() }).await;
    let _tabs = [line.buyer(7, &[]).await, line.buyer(7, &[]).await];
    let mut third = line.stranger().await;
    third.say(json!({ "type": "hello", "token": line.fixture.shopper(7) })).await;
    assert_eq!(third.closed().await.0, 4430);
    drop(third);
    until(|| line.fixture.gateway.sockets_open() == 2).await;
    let mut strangers = vec![line.stranger().await];
    let full = loop {
        match line.knock(line.request()).await {
            Ok((client, _)) => strangers.push(client),
            Err(Error::Http(response)) => break response,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!((full.status().as_u16(), strangers.len()), (503, 2));
    assert!(full.headers().contains_key("retry-after"));
    drop(strangers);
    // Who goes leaves a place.
    let mut again = line.knock(line.request()).await;
    while again.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        again = line.knock(line.request()).await;
    }
}

/// One address takes what it may have of the strangers' places, many take all of them; who brings a token is none of them.
pub async fn who_brings_no_token_keeps_nobody_out(way: Way) {
    let rules = Settings { strangers_max: 5, strangers_per_network_max: 3, ..rules() };
    let line = over_memory_without_proxies(way, rules).await;
    let from = async |host: u8, token: Option<String>| {
        let mut request = line.request();
        if let Some(token) = token {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", format!("miaosha.v1, bearer.{token}").parse().unwrap());
        }
        knock_from(Ipv4Addr::new(127, 0, 0, host), line.address, request).await
    };
    let refused = |answer: Result<Client, Error>| match answer {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{:?}", other.map(|_| ())),
    };
    let mut strangers = Vec::new();
    for _ in 0..3 {
        strangers.push(from(1, None).await.unwrap());
    }
    assert_eq!(refused(from(1, None).await), 503);
    assert_eq!(refused(from(1, Some("x.y.z".into())).await), 503, "that is no token");
    strangers.push(from(2, None).await.unwrap());
    strangers.push(from(3, None).await.unwrap());
    assert_eq!(refused(from(4, None).await), 503, "all of their places are taken");
    let mut buyer = from(1, Some(line.fixture.shopper(7))).await.unwrap();
    buyer.hear("time").await;
    // Who says whose he is leaves his place to another.
    strangers[0].say(json!({ "type": "hello", "token": line.fixture.shopper(8) })).await;
    strangers[0].hear("time").await;
    strangers.push(from(1, None).await.unwrap());
    assert_eq!(refused(from(1, None).await), 503);
}

pub async fn who_says_nothing_is_sent_away(way: Way) {
    let line = over_memory(way, Settings { hello_ms_max: 100, ..rules() }).await;
    let (code, bye) = line.stranger().await.closed().await;
    assert_eq!((code, &bye["reason"], &bye["next"]), (4408, &json!("hello_late"), &json!("come_back")));
}

pub async fn a_token_ends_its_socket_and_a_newer_one_keeps_it(way: Way) {
    let line = over_memory(way, Settings { ping_ms: 50, ..rules() }).await;
    let sign = |ttl_ms| {
        let (buyer, role) = (BuyerId(7), miaosha::domain::people::Role::Shopper);
        line.fixture.keys.sign_access(buyer, role, START, ttl_ms)
    };
    let mut kept = line.stranger().await;
    kept.say(json!({ "type": "hello", "token": sign(10_000) })).await;
    kept.hear("time").await;
    kept.say(json!({ "type": "hello", "token": sign(1_000_000) })).await;
    assert!(kept.before_pong("bye").await.is_empty());
    let mut ended = line.stranger().await;
    ended.say(json!({ "type": "hello", "token": sign(10_000) })).await;
    ended.hear("time").await;
    line.fixture.clock.advance_ms(60_000);
    let (code, bye) = ended.closed().await;
    assert_eq!((code, &bye["next"]), (4402, &json!("log_in")));
    assert!(kept.before_pong("bye").await.is_empty());
}

pub async fn a_flood_is_stopped(way: Way) {
    let line = over_memory(way, Settings { messages_per_s_max: 5, ..rules() }).await;
    let mut client = line.buyer(7, &[]).await;
    for _ in 0..20 {
        client.say(json!({ "type": "ping" })).await;
    }
    assert_eq!(client.closed().await.0, 4429);
}

pub async fn half_open_clients_are_dropped(way: Way) {
    let line = over_memory(way, Settings { ping_ms: 100, pong_ms_max: 200, linger_ms_max: 100, ..rules() }).await;
    let sale = line.fixture.sale(1, 0).await;
    let proxy = Proxy::to(line.address.to_string()).await;
    let address = format!("127.0.0.1:{}", proxy.port).parse().unwrap();
    let mut lost = knock(address, line.request()).await.unwrap().0;
    lost.say(json!({ "type": "hello", "token": line.fixture.shopper(7), "sales": [sale.id] })).await;
    lost.status().await;
    let mut well = line.buyer(8, &[sale.id]).await;
    assert_eq!(line.fixture.gateway.sockets_open(), 2);
    proxy.hole(true);
    // Who answers heartbeats stays meanwhile; a client answers while it reads.
    while line.fixture.gateway.sockets_open() > 1 {
        well.hear("time").await;
    }
    line.attempt(sale.id, 8).await;
    while well.status().await["status"] != "held" {}
}

/// Its own messages fill what may wait for it; no other socket's are delayed, and it is gone in the end.
pub async fn who_does_not_read_is_dropped(way: Way) {
    let rules = Settings { outgoing_bytes_max: 4_096, messages_per_s_max: 1_000_000, linger_ms_max: 200, ..rules() };
    let line = over_memory(way, rules).await;
    let sale = line.fixture.sale(1, 0).await;
    let mut well = line.buyer(8, &[sale.id]).await;
    let mut deaf = line.buyer(7, &[sale.id]).await;
    let talk = async {
        let ping = Message::text(json!({ "type": "ping" }).to_string());
        while futures_util::SinkExt::send(&mut deaf.socket, ping.clone()).await.is_ok() {}
    };
    let gone = tokio::time::timeout(Duration::from_secs(60), async {
        tokio::select! {
            () = talk => {}
            () = until(|| line.fixture.gateway.sockets_open() == 1) => {}
        }
        until(|| line.fixture.gateway.sockets_open() == 1).await;
    });
    gone.await.expect("who does not read is dropped");
    line.attempt(sale.id, 8).await;
    while well.status().await["status"] != "held" {}
}

pub async fn a_stop_sends_everybody_elsewhere(way: Way) {
    let mut line = over_memory(way, Settings { drain_spread_ms: 1_000_000, ..rules() }).await;
    let mut clients = Vec::new();
    for buyer in 0..10 {
        clients.push(line.buyer(buyer, &[]).await);
    }
    clients.push(line.stranger().await);
    line.fixture.lifecycle.soft.cancel();
    let mut delays = Vec::new();
    for client in &mut clients {
        let (code, bye) = client.closed().await;
        assert_eq!((code, &bye["reason"], &bye["next"]), (1012, &json!("restart"), &json!("come_back")));
        delays.push(bye["come_back_in_ms"].as_u64().unwrap());
    }
    delays.sort_unstable();
    delays.dedup();
    assert!(delays.len() > 8 && *delays.last().unwrap() <= 1_000_000, "each at its own moment: {delays:?}");
    let end = async {
        match (line.lean.take(), line.server.take()) {
            (Some(lean), _) => lean.await.unwrap().unwrap(),
            (_, Some(server)) => server.stop(true).await,
            _ => {}
        }
        line.fixture.lifecycle.tracker.close();
        line.fixture.lifecycle.tracker.wait().await;
    };
    tokio::time::timeout(Duration::from_secs(20), end).await.expect("a drain ends when its sockets have gone");
}

/// Whichever gateway it was said to: the others read it in the ledger.
pub async fn who_logs_out_everywhere_is_sent_away(line: Line) {
    let sale = line.fixture.sale(1, 0).await;
    let ann = json!({ "name": "Ann", "email": "ann@example.org", "password": "correct horse" });
    let welcome = line.fixture.sign_up(&ann).await;
    let token = welcome["access_token"].as_str().unwrap().to_owned();
    let mut here = line.stranger().await;
    here.send(hello(&token)).await;
    here.hear("time").await;
    let mut other = line.buyer(7, &[sale.id]).await;
    assert_eq!(line.fixture.delete("/v1/sessions", &token).await.status, 204);
    assert_eq!(here.closed().await.0, 4404);
    let mut again = line.stranger().await;
    again.send(hello(&token)).await;
    assert_eq!(again.closed().await.0, 4401);
    // Said to another gateway, it stands in the ledger.
    let door = json!({ "email": "ann@example.org", "password": "correct horse" });
    let welcome = line.fixture.post("/v1/sessions", "", &door).await.is(201);
    let token = welcome["access_token"].as_str().unwrap().to_owned();
    let ann = BuyerId(welcome["user"]["id"].as_u64().unwrap());
    let mut here = line.stranger().await;
    here.send(hello(&token)).await;
    here.hear("time").await;
    line.fixture.world.accounts.log_out_everywhere(ann, START, None).await.unwrap();
    line.fixture.gateway.learn_revocations().await.unwrap();
    let (code, bye) = here.closed().await;
    assert_eq!((code, &bye["reason"], &bye["next"]), (4404, &json!("logged_out"), &json!("log_in")));
    other.say(json!({ "type": "ping" })).await;
    other.hear("pong").await;
}
