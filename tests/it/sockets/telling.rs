//! What buyers are told, over both transports and both brokers.

use miaosha::domain::people::Role;
use miaosha::domain::sale::StandbyUntil;
use miaosha::domain::sale::notice::Notice;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::front::settings::sockets::Settings;
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::access::AccessKeys;
use miaosha::kit::http::connections::Connections;
use miaosha::wire::sockets::Sockets;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::fixture::{Line, Way, knock, over_memory, rules, until, with};
use crate::support::clock::START;

pub async fn a_buyer_hears_held_and_then_confirmed(line: Line) {
    let sale = line.fixture.sale(3, 1).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    let first = buyer.status().await;
    assert_eq!((&first["status"], &first["sale"]), (&json!("none"), &json!(sale.id)), "the present truth comes first");
    let counters = buyer.hear("sale").await;
    assert_eq!(
        (&counters["left"], &counters["state"], &counters["exhausted"]),
        (&json!(3), &json!("open"), &json!(false))
    );
    line.attempt(sale.id, 7).await;
    let held = buyer.status().await;
    assert_eq!((&held["status"], &held["version"]), (&json!("held"), &json!(1)));
    let asked = line.fixture.get(&format!("/v1/sales/{}/reservation", sale.id), &line.fixture.shopper(7)).await.is(200);
    for key in ["reservation_id", "units", "quantity", "lapses_at", "checkout_token"] {
        assert_eq!(held[key], asked[key], "a status is what the buyer would be answered");
    }
    // Received by a client that skips everything else.
    assert_eq!(line.buyer(8, &[sale.id]).await.counters_with("left", 2).await["standby"], 0);
    line.fixture.check_out(7, held["checkout_token"].as_str().unwrap(), "ok").await.is(201);
    let mut last = buyer.status().await;
    if last["status"] == "paying" {
        last = buyer.status().await;
    }
    assert_eq!((&last["status"], &last["version"]), (&json!("confirmed"), &json!(3)));
    assert!(last["order_number"].is_string());
}

/// It has the public keys of access tokens and no others: it tells who asks where they stand, and who asks the shop may pay.
pub async fn a_process_of_sockets_alone_gives_no_right_to_pay(way: Way) {
    let line = over_memory(way, rules()).await;
    let keys = AccessKeys::parse(&line.fixture.keys.access().listed()).unwrap();
    let sockets = Sockets::new(line.fixture.world.needs(), keys, with(rules()), &line.fixture.lifecycle);
    let live = sockets.live().clone();
    actix_web::rt::spawn(async move { sockets.run().await });
    until(|| live.hears()).await;
    let (address, server) = live.lean(Connections::default()).unwrap().unwrap();
    tokio::spawn(async move { live.serve_lean(server).await });

    let sale = line.fixture.sale(3, 1).await;
    let hello = |token: String| json!({ "type": "hello", "token": token, "sales": [sale.id] });
    let request = || format!("ws://{address}/ws").into_client_request().unwrap();
    let (mut buyer, _) = knock(address, request()).await.unwrap();
    buyer.say(hello(line.fixture.shopper(7))).await;
    assert_eq!(buyer.status().await["status"], "none");
    line.attempt(sale.id, 7).await;
    let held = buyer.status().await;
    assert_eq!((&held["status"], held.get("checkout_token")), (&json!("held"), None));
    let asked = line.fixture.get(&format!("/v1/sales/{}/reservation", sale.id), &line.fixture.shopper(7)).await.is(200);
    assert_eq!(held["reservation_id"], asked["reservation_id"]);
    line.fixture.check_out(7, asked["checkout_token"].as_str().unwrap(), "ok").await.is(201);

    // Whoever took its keys signs nothing with them.
    let stolen = line.fixture.keys.access().listed().rsplit(':').next().unwrap().to_owned();
    let forger =
        TokenKeys::parse(&format!("access:a1:{stolen},checkout:c9:{},admission:d9:{}", "8".repeat(64), "9".repeat(64)));
    let forged = forger.unwrap().sign_access(BuyerId(7), Role::Shopper, START, 86_400_000);
    let (mut thief, _) = knock(address, request()).await.unwrap();
    thief.say(hello(forged)).await;
    assert_eq!(thief.closed().await.0, 4401);
}

pub async fn every_tab_hears_and_nobody_else_does(line: Line) {
    let sale = line.fixture.sale(1, 1).await;
    let mut tabs = [line.buyer(7, &[sale.id]).await, line.buyer(7, &[sale.id]).await];
    let mut other = line.buyer(8, &[sale.id]).await;
    for client in tabs.iter_mut().chain([&mut other]) {
        assert_eq!(client.status().await["status"], "none");
    }
    line.attempt(sale.id, 7).await;
    for tab in &mut tabs {
        assert_eq!(tab.status().await["status"], "held");
    }
    assert!(other.before_pong("status").await.is_empty());
    // A tab that comes later, or a page that was loaded again, begins with the truth.
    let mut late = line.buyer(7, &[sale.id]).await;
    assert_eq!(late.status().await["status"], "held");
    // One that is gone does not keep the others from hearing.
    let [gone, mut tab] = tabs;
    drop(gone);
    line.fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &line.fixture.shopper(7)).await.is(200);
    assert_eq!(tab.status().await["status"], "cancelled");
    assert_eq!(late.status().await["status"], "cancelled");
}

pub async fn doubled_late_and_mixed_notices_show_nothing_older(line: Line) {
    let sale = line.fixture.sale(1, 1).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    assert_eq!(buyer.status().await["status"], "none");
    let id = line.fixture.attempt(sale.id, 7, 1).await;
    let held = Notice::from(&line.fixture.row(id).await);
    line.fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &line.fixture.shopper(7)).await.is(200);
    let cancelled = Notice::from(&line.fixture.row(id).await);
    let told = [&held, &cancelled, &held, &held, &cancelled].map(Clone::clone);
    line.fixture.world.notices.tell(&told).await.unwrap();
    assert_eq!(buyer.status().await["status"], "cancelled");
    line.fixture.world.notices.tell(&[held.clone(), cancelled.clone()]).await.unwrap();
    // A marker: what was told before it has arrived when it has.
    let other = line.fixture.sale(1, 0).await;
    buyer.say(json!({ "type": "watch", "sale": other.id })).await;
    assert_eq!(buyer.status().await["sale"], json!(other.id));
    line.attempt(other.id, 7).await;
    let marker = buyer.status().await;
    assert_eq!((&marker["sale"], &marker["status"]), (&json!(other.id), &json!("held")), "nothing was told twice");
    // Said again, the truth is told again.
    buyer.say(json!({ "type": "watch", "sale": sale.id })).await;
    assert_eq!(buyer.status().await["status"], "cancelled");
    // After unwatching nothing is told.
    buyer.say(json!({ "type": "unwatch", "sale": sale.id })).await;
    assert!(buyer.before_pong("status").await.is_empty());
    line.fixture.world.notices.tell(&[held]).await.unwrap();
    assert!(buyer.before_pong("status").await.is_empty());
}

/// Who looks first sees the counters first; the others are told them all the same.
pub async fn a_newcomer_does_not_take_the_news_from_the_others(way: Way) {
    let line = over_memory(way, Settings { sale_updates_per_s_max: 1, ..rules() }).await;
    let sale = line.fixture.sale(5, 0).await;
    let mut first = line.buyer(7, &[sale.id]).await;
    first.counters_with("left", 5).await;
    for left in (0..5).rev() {
        line.attempt(sale.id, 100 + left).await;
        // Until one of them has seen it, or all were told.
        for newcomer in 0..20 {
            let mut newcomer = line.buyer(1_000 + newcomer, &[sale.id]).await;
            if newcomer.hear("sale").await["left"] == left {
                break;
            }
        }
        first.counters_with("left", left).await;
    }
}

/// Numbers that change are told to some after the others; that the sale is paused, to all at once.
pub async fn a_crowd_is_told_of_numbers_in_turns(way: Way) {
    let line = over_memory(way, Settings { sale_updates_per_s_max: 2, sale_words_per_s_max: 2, ..rules() }).await;
    let sale = line.fixture.sale(5, 0).await;
    let mut crowd = Vec::new();
    for buyer in 0..4 {
        crowd.push(line.buyer(100 + buyer, &[sale.id]).await);
    }
    // The turns of the second change are over when all have been told of it.
    for left in [4, 3] {
        line.attempt(sale.id, 1_000 + left).await;
        for buyer in &mut crowd {
            buyer.counters_with("left", left).await;
        }
    }
    for buyer in 0..80 {
        crowd.push(line.buyer(200 + buyer, &[sale.id]).await);
    }
    for buyer in &mut crowd[4..] {
        buyer.counters_with("left", 3).await;
    }
    line.attempt(sale.id, 8).await;
    let path = format!("/v1/admin/sales/{}/pause", sale.id);
    line.fixture.post(&path, &line.fixture.operator(), &json!({})).await.is(200);
    // As soon as a few have been told, all have; most of them before their turn to be told the number comes.
    let mut numbers = 0;
    for (at, buyer) in crowd.iter_mut().enumerate() {
        let mut heard = Vec::new();
        while at < 3 && heard.last().is_none_or(|word: &Value| word["state"] == "open") {
            heard.push(buyer.hear("sale").await);
        }
        heard.extend(buyer.before_pong("sale").await);
        assert!(heard.iter().any(|word| word["state"] == "paused"), "a phase waits for no turn: {heard:?}");
        numbers += heard.len() - 1;
    }
    assert!(numbers < crowd.len() / 2, "{numbers} of {} heard of the number first", crowd.len());
}

/// A page that is told of another version reads the sale anew.
pub async fn a_correction_is_told_by_its_version(line: Line) {
    let sale = line.fixture.sale(3, 1).await;
    let mut watcher = line.buyer(9, &[sale.id]).await;
    watcher.counters_with("version", 1).await;
    let (path, body) = (format!("/v1/admin/sales/{}", sale.id), json!({ "version": 1, "title": "A lantern" }));
    line.fixture.patch(&path, &line.fixture.operator(), &body).await.is(200);
    watcher.counters_with("version", 2).await;
}

/// A page says whether the line goes on when everything is paid: it is told by the counters.
pub async fn counters_say_that_all_is_paid_and_whether_one_may_wait(line: Line) {
    for (until, may_wait) in [(StandbyUntil::Closed, true), (StandbyUntil::Paid, false)] {
        let sale = line.fixture.sale_until(1, 2, Vec::new(), until).await;
        let mut watcher = line.buyer(9, &[sale.id]).await;
        line.attempt(sale.id, 7).await;
        let held = watcher.counters_with("left", 0).await;
        assert_eq!((&held["all_paid"], &held["exhausted"]), (&json!(false), &json!(false)));
        let token = line.fixture.checkout_token(sale.id, 7).await;
        line.fixture.check_out(7, &token, "ok").await.is(201);
        let paid = watcher.counters_with("all_paid", true).await;
        assert_eq!((&paid["left"], &paid["exhausted"]), (&json!(0), &json!(!may_wait)), "{until:?}");
        for (buyer, waiting) in [(10, 1), (11, 2)] {
            line.attempt(sale.id, buyer).await;
            let more = watcher.counters_with("standby", waiting).await;
            assert_eq!(more["exhausted"], json!(waiting == 2 || !may_wait));
        }
    }
}
