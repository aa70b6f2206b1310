//! The catalogue looked through: by words, by whether sales have opened, in either order, in pages that each name the next.

use miaosha::domain::sale::SaleState;
use miaosha::domain::shared::id::SaleId;
use miaosha::faces::front::Settings;
use miaosha::ports::sale::catalogue::NewItem;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, settings};
use super::over_both;
use crate::support::clock::START;

over_both! {
    sales_are_looked_for
}

const HOUR_MS: i64 = 3_600_000;

async fn sale(fixture: &Fixture, title: &str, opens_ms: i64, closes_ms: i64) -> SaleId {
    let item = NewItem { title: title.into(), description: String::new() };
    let item = fixture.world.catalogue.create_item(&item).await.unwrap();
    let body = json!({
        "item_id": item.id, "price": { "minor": 100, "currency": "TWD" }, "capacity": 1, "quantity_max": 1,
        "standby_max": 0, "hold_ms": 60_000, "opens_at": START.0 + opens_ms, "closes_at": START.0 + closes_ms,
    });
    let made = fixture.post("/v1/admin/sales", &fixture.operator(), &body).await.is(201);
    SaleId(made["id"].as_u64().unwrap())
}

fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    Some(link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned())
}

/// By following the links, two at a time.
async fn found(fixture: &Fixture, query: &str) -> Vec<u64> {
    let (mut ids, mut at) = (Vec::new(), Some(format!("/v1/sales?limit=2&{query}")));
    while let Some(path) = at {
        let answer = fixture.get(&path, "").await;
        at = next(&answer);
        let page = answer.is(200);
        let page = page.as_array().unwrap();
        assert!(page.len() <= 2 && (at.is_none() || page.len() == 2), "{path}");
        ids.extend(page.iter().map(|sale: &Value| sale["id"].as_u64().unwrap()));
    }
    ids
}

async fn sales_are_looked_for(fixture: Fixture) {
    let over = sale(&fixture, "A tea towel", -9 * HOUR_MS, -HOUR_MS).await.0;
    let late = sale(&fixture, "紫砂茶壺 Teapot", 5 * HOUR_MS, 9 * HOUR_MS).await.0;
    let open = sale(&fixture, "A clay teapot", -HOUR_MS, HOUR_MS).await.0;
    let soon = sale(&fixture, "Teatime & cake", HOUR_MS, 9 * HOUR_MS).await.0;
    let lamp = sale(&fixture, "A lamp", -2 * HOUR_MS, HOUR_MS).await.0;
    let paused = sale(&fixture, "Tea for two", -3 * HOUR_MS, HOUR_MS).await.0;
    fixture.world.catalogue.set_state(SaleId(paused), SaleState::Paused).await.unwrap();

    assert_eq!(found(&fixture, "").await, [paused, lamp, soon, open, late, over]);
    assert_eq!(found(&fixture, "order=opening").await, [over, paused, lamp, open, soon, late]);
    assert_eq!(found(&fixture, "state=open").await, [paused, lamp, open]);
    assert_eq!(found(&fixture, "state=open&order=opening").await, [paused, lamp, open]);
    assert_eq!(found(&fixture, "state=upcoming").await, [soon, late]);
    assert_eq!(found(&fixture, "state=upcoming&order=newest").await, [soon, late]);
    assert_eq!(found(&fixture, "state=upcoming&order=opening").await, [soon, late]);
    assert_eq!(found(&fixture, "search=tea").await, [paused, soon, open, late, over]);
    assert_eq!(found(&fixture, "search=tea&order=opening").await, [over, paused, open, soon, late]);
    assert_eq!(found(&fixture, "search=TEA%20%20a&state=open").await, [open]);
    assert_eq!(found(&fixture, "search=%E8%8C%B6%E5%A3%BA").await, [late], "茶壺");
    assert_eq!(found(&fixture, "search=cake+%26+teatime").await, [soon]);
    assert_eq!(found(&fixture, "search=kettle").await, [0; 0]);

    // A sale that is changed is shown as it is now, in every list.
    let close = format!("/v1/admin/sales/{open}/close");
    fixture.post(&close, &fixture.operator(), &json!({})).await.is(200);
    assert_eq!(found(&fixture, "state=open").await, [paused, lamp]);
    fixture.clock.advance_ms(HOUR_MS);
    assert_eq!(found(&fixture, "state=open&search=tea").await, [soon], "time goes on");
}

#[actix_web::test]
async fn what_is_searched_for_is_checked() {
    let fixture = Fixture::new().await;
    sale(&fixture, "Thing", 0, HOUR_MS).await;
    let blames =
        async |query: &str, field: &str| fixture.get(&format!("/v1/sales?{query}"), "").await.blames(400, field);
    let fits = async |query: &str| drop(fixture.get(&format!("/v1/sales?{query}"), "").await.is(200));
    for text in ["", "%20", "...", "%E3%80%82", "%00", "a%0ab", "-"] {
        blames(&format!("search={text}"), "search").await;
    }
    fits(&format!("search={}", "x".repeat(100))).await;
    blames(&format!("search={}", "x".repeat(101)), "search").await;
    let words = |count: usize| (0..count).map(|number| format!("w{number}")).collect::<Vec<_>>().join("+");
    fits(&format!("search={}", words(16))).await;
    blames(&format!("search={}", words(17)), "search").await;
    fits(&format!("search={}", "w+".repeat(40))).await;
    blames("search=a&search=b", "search").await;
    for state in ["", "closed", "Open", "open,upcoming"] {
        blames(&format!("state={state}"), "state").await;
    }
    for order in ["", "oldest", "-opening", "NEWEST"] {
        blames(&format!("order={order}"), "order").await;
    }
    for after in [
        "1",
        "x",
        "1.",
        ".1",
        "1.x",
        "01.1",
        "1.01",
        "1.-1",
        "1.1.1",
        "1.9223372036854775808",
        "99999999999999999999.1",
    ] {
        blames(&format!("order=opening&after={after}"), "after").await;
    }
    fits("order=opening&after=-5.1").await;
    blames("after=1.1", "after").await;
    blames("find=x", "find").await;
    let problem = fixture.get(&format!("/v1/sales?search={}", words(17)), "").await;
    assert_eq!((&problem.body["rule"], &problem.body["max"]), (&json!("count"), &json!(16)));
}

/// Words that were not searched for before read the ledger: so many at once.
#[actix_web::test]
async fn no_more_search_at_once_than_may() {
    let fixture = Fixture::with(Settings { searches_max: 0, ..settings() }).await;
    fixture.get("/v1/sales?search=x", "").await.is_problem(503, "busy");
    fixture.get("/v1/sales?state=open&order=opening", "").await.is(200);
    let fixture = Fixture::with(Settings { searches_max: 1, ..settings() }).await;
    fixture.get("/v1/sales?search=x", "").await.is(200);
    fixture.get("/v1/sales?search=x", "").await.is(200);
}
