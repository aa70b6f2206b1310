//! The publisher on the embedded queue, and on one that says what the test wants it to say.

pub mod fixture;
mod input;
mod pressing;

use std::rc::Rc;
use std::sync::atomic::Ordering;

use actix_web::test as call;
use futures_util::future::join_all;
use miaosha::domain::sale::SaleState;
use miaosha::domain::shared::id::{AttemptId, SaleId};
use miaosha::faces::publisher::{self, FRESH_MS_MAX, Settings};
use miaosha::kit::http::answers;
use miaosha::kit::http::connections::Connections;
use miaosha::kit::http::server::{self, ServerSettings};
use miaosha::ports::sale::attempts::{Attempts, Shed};
use miaosha::ports::sale::feed::{NewsRequest, SaleFeed, SaleNews, SaleSnapshot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use fixture::{Gate, Shop, Word, queue, read, sale, service, settings, settle, word};

fn busy(status: u16, said: &serde_json::Value) -> bool {
    status == 503 && said["type"] == "/problems/busy"
}

// -- the way in --

#[actix_web::test]
async fn what_is_accepted_is_in_the_queue_under_its_id() {
    let (queue, _folder) = queue().await;
    let shop = Shop::new(queue.clone(), settings());
    shop.tell(&[word(sale(1), false, 1, 0), word(sale(2), false, 1, 0)]).await;
    let app = service!(shop);
    let requests = (0..300).map(|buyer| {
        let request = shop.attempt(buyer, 1 + buyer % 2).set_payload(format!(r#"{{"quantity":{}}}"#, 1 + buyer % 4));
        call::call_service(&app, request.to_request())
    });
    let mut expected = Vec::new();
    for (buyer, response) in join_all(requests).await.into_iter().enumerate() {
        let (status, said) = read(response).await;
        assert_eq!((status.as_u16(), said["status"].as_str()), (202, Some("accepted")));
        let id: AttemptId = said["attempt_id"].as_str().unwrap().parse().unwrap();
        expected.push((id, 1 + buyer as u64 % 2, buyer as u64, 1 + buyer as u8 % 4));
    }
    let mut subscription = queue.attempts(0).await.unwrap();
    let mut found = Vec::new();
    while found.len() < 300 {
        for delivery in subscription.next(16).await.unwrap() {
            let batch = delivery.body();
            for (index, attempt) in batch.attempts.iter().enumerate() {
                found.push((batch.attempt_id(index), batch.sale.0, attempt.buyer.0, attempt.quantity));
            }
            delivery.ack().await.unwrap();
        }
    }
    found.sort_by_key(|&(.., buyer, _)| buyer);
    assert_eq!(found, expected);
}

#[actix_web::test]
async fn no_answer_to_an_attempt_is_kept_or_guessed_at() {
    let (queue, _folder) = queue().await;
    let shop = Shop::new(queue.clone(), settings());
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = service!(shop);
    let bare = |request: call::TestRequest, path| request.uri(path).to_request();
    for (request, status) in [
        (shop.attempt(1, 1).to_request(), 202),
        (bare(call::TestRequest::post(), "/v1/sales/1/attempts"), 401),
        (bare(call::TestRequest::get(), "/v1/sales/1/attempts"), 405),
        (bare(call::TestRequest::get(), "/nothing"), 404),
    ] {
        let answer = call::call_service(&app, request).await;
        assert_eq!(answer.status().as_u16(), status);
        for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
            let said: Vec<_> = answer.headers().get_all(name).collect();
            assert_eq!(said, [value], "{name} of a {status}");
        }
    }
}

#[actix_web::test]
async fn who_comes_after_a_202_is_behind_it() {
    let (queue, _folder) = queue().await;
    let shop = Shop::new(queue.clone(), settings());
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = service!(shop);
    for buyer in 0..20 {
        let response = call::call_service(&app, shop.attempt(buyer, 1).to_request()).await;
        assert_eq!(response.status(), 202);
    }
    let mut subscription = queue.attempts(0).await.unwrap();
    let mut buyers = Vec::new();
    while buyers.len() < 20 {
        for delivery in subscription.next(64).await.unwrap() {
            buyers.extend(delivery.body().attempts.iter().map(|attempt| attempt.buyer.0));
        }
    }
    assert_eq!(buyers, (0..20).collect::<Vec<u64>>());
}

#[actix_web::test]
async fn batches_grow_while_others_are_on_their_way() {
    let gate = Gate::new();
    let settings = Settings { batch_max: 10, batches_in_flight_max: 2, ..settings() };
    let shop = Shop::new(gate.clone(), settings);
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = Rc::new(service!(shop));
    let send = |buyers: std::ops::Range<u64>| {
        buyers
            .map(|buyer| {
                let (app, request) = (app.clone(), shop.attempt(buyer, 1).to_request());
                actix_web::rt::spawn(async move { call::call_service(&*app, request).await.status().as_u16() })
            })
            .collect::<Vec<_>>()
    };
    let mut waiting = send(0..3);
    settle().await;
    assert_eq!(gate.sizes(), [3], "an idle lane sends at once, and takes who was ready together");
    waiting.extend(send(3..4));
    settle().await;
    assert_eq!(gate.sizes(), [3, 1]);
    waiting.extend(send(4..29));
    settle().await;
    assert_eq!(gate.sizes(), [3, 1], "no more than two are on their way");
    assert!(waiting.iter().all(|answer| !answer.is_finished()), "nobody hears before the confirm");
    gate.answer(2);
    settle().await;
    assert_eq!(gate.sizes(), [3, 1, 10, 10]);
    assert_eq!(waiting.iter().filter(|answer| answer.is_finished()).count(), 4);
    gate.answer(3);
    for answer in waiting {
        assert_eq!(answer.await.unwrap(), 202);
    }
    assert_eq!(gate.sizes(), [3, 1, 10, 10, 5]);
    let order: Vec<u64> = gate
        .seen
        .lock()
        .unwrap()
        .iter()
        .flat_map(|batch| batch.attempts.clone())
        .map(|attempt| attempt.buyer.0)
        .collect();
    assert_eq!(order, (0..29).collect::<Vec<u64>>());
}

#[actix_web::test]
async fn a_buyer_who_hangs_up_is_still_sent() {
    let gate = Gate::new();
    let shop = Shop::new(gate.clone(), settings());
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = Rc::new(service!(shop));
    let request = shop.attempt(1, 1).to_request();
    let call = actix_web::rt::spawn({
        let app = app.clone();
        async move { call::call_service(&*app, request).await.status() }
    });
    settle().await;
    call.abort();
    gate.answer(1);
    settle().await;
    assert_eq!(gate.sizes(), [1]);
    gate.answer(1);
    let response = call::call_service(&*app, shop.attempt(2, 1).to_request()).await;
    assert_eq!(response.status(), 202);
}

// -- shedding --

#[actix_web::test]
async fn what_the_queue_does_not_take_is_sent_away() {
    let gate = Gate::new();
    let shop = Shop::new(gate.clone(), Settings { retry_after_s: 3, ..settings() });
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = service!(shop);
    let words = [Word::No(Shed::Full), Word::No(Shed::Away("x".into())), Word::No(Shed::Slow), Word::Panic];
    for word in words {
        gate.next(word.clone());
        gate.answer(1);
        let response = call::call_service(&app, shop.attempt(1, 1).to_request()).await;
        assert_eq!(response.headers().get("retry-after").unwrap(), "3");
        let (status, said) = read(response).await;
        assert!(busy(status.as_u16(), &said), "{word:?}: {said}");
    }
    gate.answer(1);
    let response = call::call_service(&app, shop.attempt(1, 1).to_request()).await;
    assert_eq!(response.status(), 202, "and it goes on");
    shop.tell_that_this_is_all().await;
    assert!(shop.publisher.problems().is_empty());
    gate.up.store(false, Ordering::SeqCst);
    let (status, said) = read(call::call_service(&app, shop.attempt(1, 1).to_request()).await).await;
    assert!(busy(status.as_u16(), &said));
    assert_eq!(gate.sizes().len(), 5, "nothing is sent to a queue that is away");
    assert_eq!(shop.publisher.problems(), ["broker"]);
}

#[actix_web::test]
async fn no_more_wait_than_may() {
    let gate = Gate::new();
    let settings = Settings { attempts_waiting_max: 5, batches_in_flight_max: 1, ..settings() };
    let shop = Shop::new(gate.clone(), settings);
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = Rc::new(service!(shop));
    let calls: Vec<_> = (0..8)
        .map(|buyer| {
            let (app, request) = (app.clone(), shop.attempt(buyer, 1).to_request());
            actix_web::rt::spawn(async move { call::call_service(&*app, request).await.status().as_u16() })
        })
        .collect();
    settle().await;
    assert_eq!(calls.iter().filter(|call| call.is_finished()).count(), 3);
    gate.answer(10);
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    assert_eq!(statuses, [202, 202, 202, 202, 202, 503, 503, 503]);
    let response = call::call_service(&*app, shop.attempt(9, 1).to_request()).await;
    assert_eq!(response.status(), 202);
}

// -- what the news say --

async fn says(shop: &Shop, sale: u64) -> String {
    let app = service!(shop);
    let (_, said) = read(call::call_service(&app, shop.attempt(1, sale).to_request()).await).await;
    said["status"].as_str().or(said["type"].as_str()).unwrap().to_owned()
}

fn open_gate() -> Gate {
    let gate = Gate::new();
    gate.answer(1_000);
    gate
}

#[actix_web::test]
async fn sold_out_is_said_at_once_while_fresh_news_say_so() {
    let shop = Shop::new(open_gate(), settings());
    shop.tell(&[word(sale(1), true, 5, 0), word(sale(2), false, 5, 0)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out");
    assert_eq!(says(&shop, 2).await, "accepted");

    shop.tell(&[word(sale(1), false, 4, 10)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out", "an older turnstile is no news");
    shop.tell(&[word(sale(1), false, 6, 20)]).await;
    assert_eq!(says(&shop, 1).await, "accepted", "units came back");
    shop.tell(&[word(sale(1), true, 7, 30)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out");
    let restored = miaosha::domain::sale::Sale { generation: 2, ..sale(1) };
    shop.tell(&[word(restored, false, 0, 40)]).await;
    assert_eq!(says(&shop, 1).await, "accepted", "a new generation counts from the start");
    shop.tell(&[word(sale(1), true, 9, 50)]).await;
    assert_eq!(says(&shop, 1).await, "accepted", "the old one does not come back");
}

/// The last payment and an operator's raise move no turnstile: of two words on one state of it the later one counts.
#[actix_web::test]
async fn the_later_of_two_words_on_one_turnstile_counts() {
    let shop = Shop::new(open_gate(), settings());
    shop.tell(&[word(sale(1), false, 5, 0)]).await;
    shop.tell(&[word(sale(1), true, 5, 10)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out", "the last unit was paid for, and with that standby is over");
    shop.tell(&[word(sale(1), false, 5, 5)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out", "said before, and late");
    shop.tell(&[word(sale(1), false, 5, 20)]).await;
    assert_eq!(says(&shop, 1).await, "accepted", "units were added");
}

#[actix_web::test]
async fn old_news_are_not_trusted() {
    let shop = Shop::new(open_gate(), settings());
    shop.tell(&[word(sale(1), true, 5, 0)]).await;
    shop.clock.advance_ms(2_999);
    assert_eq!(says(&shop, 1).await, "sold_out");
    shop.clock.advance_ms(1);
    assert_eq!(says(&shop, 1).await, "accepted");
    shop.tell(&[word(sale(1), true, 5, 3_000)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out", "the same word, said again");
    shop.tell(&[word(sale(1), true, 4, 9_000)]).await;
    shop.clock.advance_ms(3_000);
    assert_eq!(says(&shop, 1).await, "accepted", "a fallen-back turnstile keeps nothing fresh");
}

#[actix_web::test]
async fn the_shortcut_can_be_turned_off() {
    let shop = Shop::new(open_gate(), Settings { sold_out_at_once: false, ..settings() });
    shop.tell(&[word(sale(1), true, 5, 0)]).await;
    assert_eq!(says(&shop, 1).await, "accepted");
}

#[actix_web::test]
async fn a_sale_takes_attempts_only_while_it_is_open() {
    let shop = Shop::new(open_gate(), settings());
    let with = |version, state| miaosha::domain::sale::Sale { version, state, ..sale(1) };
    let later = miaosha::domain::sale::Sale { opens_at: fixture::word(sale(1), false, 0, 50).sent_at, ..sale(2) };
    shop.tell(&[word(with(1, SaleState::Active), false, 1, 0), word(later, false, 1, 0)]).await;
    assert_eq!(says(&shop, 1).await, "accepted");
    assert_eq!(says(&shop, 2).await, "/problems/sale_not_open");
    assert_eq!(says(&shop, 3).await, "/problems/busy", "who was not told everything does not know every sale");
    shop.clock.advance_ms(50);
    assert_eq!(says(&shop, 2).await, "accepted");
    shop.tell(&[word(with(3, SaleState::Paused), false, 1, 60)]).await;
    assert_eq!(says(&shop, 1).await, "/problems/sale_paused");
    shop.tell(&[word(with(2, SaleState::Active), false, 1, 70)]).await;
    assert_eq!(says(&shop, 1).await, "/problems/sale_paused", "an older configuration is no news");
    shop.tell(&[word(with(4, SaleState::Active), false, 1, 80)]).await;
    assert_eq!(says(&shop, 1).await, "accepted");
    shop.tell(&[word(with(5, SaleState::Closed), false, 1, 90)]).await;
    assert_eq!(says(&shop, 1).await, "/problems/sale_closed");
    shop.tell_that_this_is_all().await;
    assert_eq!(says(&shop, 3).await, "/problems/not_found");
    shop.clock.advance_ms(FRESH_MS_MAX + 1);
    assert_eq!(says(&shop, 3).await, "/problems/busy", "nor does who has heard nothing for long");
    shop.clock.advance_ms(3_600_000);
    assert_eq!(says(&shop, 2).await, "/problems/sale_closed");
}

#[actix_web::test]
async fn without_news_it_is_not_ready() {
    let shop = Shop::new(Gate::new(), settings());
    settle().await;
    assert_eq!(shop.publisher.problems(), ["news"]);
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    assert_eq!(shop.publisher.problems(), ["news"], "there may be sales that it has not heard of");
    shop.signals.publish(&SaleSnapshot { answers: vec![1, 2, 3], ..SaleSnapshot::default() }).await.unwrap();
    settle().await;
    assert_eq!(shop.publisher.problems(), ["news"], "another was told everything");
    shop.tell_that_this_is_all().await;
    assert!(shop.publisher.problems().is_empty());
    shop.clock.advance_ms(10_000);
    assert!(shop.publisher.problems().is_empty());
    shop.clock.advance_ms(1);
    assert_eq!(shop.publisher.problems(), ["news"]);
    shop.tell(&[word(sale(1), false, 1, 10_001)]).await;
    assert!(shop.publisher.problems().is_empty());
}

/// While buyers are refused for it, the message that a sale is exhausted is asked for before it runs out; and only then.
#[actix_web::test]
async fn a_word_that_is_needed_is_asked_for_again() {
    let shop = Shop::new(open_gate(), settings());
    shop.tell(&[word(sale(1), true, 5, 0), word(sale(2), true, 5, 0), word(sale(3), false, 5, 0)]).await;
    shop.tell_that_this_is_all().await;
    // Who asked waits a moment for others who want to know.
    let asked = async || {
        let mut asked = shop.asked().await;
        while asked.is_empty() {
            actix_web::rt::time::sleep(std::time::Duration::from_millis(5)).await;
            asked = shop.asked().await;
        }
        asked
    };
    let of = |sales: &[u64]| [NewsRequest::Sales { sales: sales.iter().copied().map(SaleId).collect() }];
    assert_eq!(says(&shop, 1).await, "sold_out");
    shop.clock.advance_ms(999);
    assert_eq!(says(&shop, 1).await, "sold_out");
    shop.clock.advance_ms(1);
    for _ in 0..9 {
        assert_eq!((says(&shop, 2).await.as_str(), says(&shop, 3).await.as_str()), ("sold_out", "accepted"));
    }
    assert_eq!(
        asked().await,
        of(&[2]),
        "once for all who came, of nothing that is young, and of nothing that nobody wants"
    );
    shop.tell(&[word(sale(1), true, 5, 1_000)]).await;
    shop.clock.advance_ms(1_000);
    assert_eq!((says(&shop, 1).await.as_str(), says(&shop, 2).await.as_str()), ("sold_out", "sold_out"));
    assert_eq!(asked().await, of(&[1, 2]), "the first is old by now, of the second no answer came");
    shop.clock.advance_ms(1_000);
    assert_eq!((says(&shop, 1).await.as_str(), says(&shop, 2).await.as_str()), ("sold_out", "accepted"));
    assert_eq!(asked().await, of(&[1]), "what is too old is not asked about: who comes goes through the queue");
}

/// What operators decided is told in rounds, and says nothing of a turnstile.
#[actix_web::test]
async fn a_round_leaves_the_word_on_units_as_it_is() {
    let shop = Shop::new(open_gate(), settings());
    let round = |version, sent_at_ms| {
        let sale = miaosha::domain::sale::Sale { version, ..sale(1) };
        SaleNews { exhausted: None, ..word(sale, false, 0, sent_at_ms) }
    };
    shop.tell(&[round(1, 0)]).await;
    assert_eq!(says(&shop, 1).await, "accepted");
    shop.tell(&[word(sale(1), true, 5, 10)]).await;
    shop.tell(&[round(2, 20)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out");
    shop.clock.advance_ms(FRESH_MS_MAX + 10);
    shop.tell(&[round(3, FRESH_MS_MAX)]).await;
    assert_eq!(says(&shop, 1).await, "accepted", "nor does it keep it fresh");
}

/// A restore that is half done, or was told by a round: what was said of the turnstile before it counts no more.
#[actix_web::test]
async fn sold_out_is_said_of_the_sales_own_generation_only() {
    let shop = Shop::new(open_gate(), settings());
    shop.tell(&[word(sale(1), true, 5, 0)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out");
    let restored = || miaosha::domain::sale::Sale { generation: 2, ..sale(1) };
    shop.tell(&[SaleNews { exhausted: None, ..word(restored(), false, 0, 10) }]).await;
    assert_eq!(says(&shop, 1).await, "accepted");
    shop.tell(&[SaleNews { generation: 1, ..word(restored(), true, 6, 20) }]).await;
    assert_eq!(says(&shop, 1).await, "accepted", "a later look at the old one");
    shop.tell(&[word(restored(), true, 1, 30)]).await;
    assert_eq!(says(&shop, 1).await, "sold_out");
}

#[actix_web::test]
async fn news_that_break_off_are_taken_up_again() {
    let shop = Shop::new(open_gate(), settings());
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    shop.tell_that_this_is_all().await;
    // So many at once that this subscriber falls behind, which ends its stream.
    for revision in 2..20_000 {
        let news = [word(sale(1), false, revision, 1)];
        shop.signals.publish(&SaleSnapshot { sales: news.into(), ..SaleSnapshot::default() }).await.unwrap();
    }
    // It asks for everything, and until it has it, knows that it may know too little.
    let mut asked = shop.asked().await;
    while asked.is_empty() {
        actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        asked = shop.asked().await;
    }
    assert_eq!(says(&shop, 9).await, "/problems/busy");
    assert!(shop.publisher.problems().is_empty(), "what it knows it still does");
    let [NewsRequest::Everything { number }] = asked[..] else { panic!("{asked:?}") };
    let news = vec![word(sale(1), true, 20_000, 1)];
    shop.signals
        .publish(&SaleSnapshot { sales: news, answers: vec![number], ..SaleSnapshot::default() })
        .await
        .unwrap();
    settle().await;
    assert_eq!((says(&shop, 1).await.as_str(), says(&shop, 9).await.as_str()), ("sold_out", "/problems/not_found"));
}

// -- the end --

async fn raw(stream: &mut TcpStream, shop: &Shop, buyer: u64) {
    let body = r#"{"quantity":1}"#;
    let head = format!(
        "POST /v1/sales/1/attempts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        shop.token(buyer, 1),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

#[actix_web::test]
async fn a_soft_stop_answers_what_is_inside_and_takes_nothing_more() {
    let gate = Gate::new();
    let shop = Shop::new(gate.clone(), settings());
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let settings = ServerSettings { workers: 1, ..ServerSettings::default() };
    let publisher = shop.publisher.clone();
    let bound = server::bind(&settings, 10_000, Connections::default(), move || {
        let publisher = publisher.clone();
        answers::app().configure(|cfg| publisher::routes(cfg, publisher))
    });
    let (address, bound) = bound.unwrap();
    let (soft, hard) = (shop.lifecycle.soft.clone(), shop.lifecycle.hard.clone());
    let serving = tokio::spawn(server::serve(bound, 0, soft.clone(), hard));

    let mut inside = TcpStream::connect(address).await.unwrap();
    raw(&mut inside, &shop, 1).await;
    while gate.sizes().is_empty() {
        tokio::task::yield_now().await;
    }
    soft.cancel();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!serving.is_finished());
    gate.answer(1);
    let mut answer = String::new();
    inside.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    serving.await.unwrap().unwrap();
    assert_eq!(gate.seen.lock().unwrap()[0].sale, SaleId(1));
}
