//! Seating plans: kept by the desk, given to everybody, and never another under the same address.

use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use miaosha::domain::people::Role;
use miaosha::domain::seating::PlanHash;
use miaosha::domain::shared::id::BuyerId;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};
use super::over_both;
use crate::contract::ledger::plans::plan;
use crate::support::clock::START;

over_both! {
    a_plan_is_kept_once_and_given_for_ever
    a_table_is_a_plan_too
    a_plan_with_errors_is_refused_by_its_places
    the_largest_plan_goes_in_and_out
}

const PATH: &str = "/v1/admin/plans";
const TABLE: &str = "area,row,seat,x,y\nStalls,A,1,0,0\nStalls,A,2,25,0\n";

async fn upload(fixture: &Fixture, path: &str, kind: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let token = fixture.keys.sign_access(BuyerId(1_000_000), Role::Desk, START, 86_400_000);
    let request = fixture.request(Method::POST, path, Some(&token)).insert_header((CONTENT_TYPE, kind.to_owned()));
    fixture.send(request.set_payload(bytes.into())).await
}

async fn ask(fixture: &Fixture, hash: &str, coding: &str, known: &str) -> Answer {
    let request = fixture.request(Method::GET, &format!("/v1/plans/{hash}"), None);
    fixture.send(request.insert_header((ACCEPT_ENCODING, coding)).insert_header((IF_NONE_MATCH, known))).await
}

fn header(answer: &Answer, name: &actix_web::http::header::HeaderName) -> String {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

async fn a_plan_is_kept_once_and_given_for_ever(fixture: Fixture) {
    let plan = plan(500, "北 hall");
    let hash = plan.hash().to_string();
    ask(&fixture, &hash, "", "").await.is_problem(404, "not_found");
    let kept = upload(&fixture, PATH, "application/json", plan.canonical().to_owned()).await.is(201);
    assert_eq!((&kept["hash"], &kept["seats"]), (&json!(hash), &json!(500)));
    assert_eq!(kept["report"], json!({ "errors": 0, "warnings": 0, "faults": [] }));
    let again = upload(&fixture, PATH, "application/json", plan.canonical().to_owned()).await.is(200);
    assert_eq!(again["hash"], kept["hash"]);
    let entries = fixture.world.journal.entries_after(0, 9).await.unwrap();
    assert_eq!(entries.len(), 1, "what was kept before is not written down again: {entries:?}");

    let mut tags = Vec::new();
    for coding in ["", "gzip"] {
        let answer = ask(&fixture, &hash, coding, "").await;
        assert_eq!((answer.status.as_u16(), header(&answer, &CONTENT_ENCODING).as_str()), (200, coding));
        assert_eq!(header(&answer, &CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(
            (header(&answer, &CONTENT_TYPE).as_str(), header(&answer, &VARY).as_str()),
            ("application/json", "Accept-Encoding")
        );
        assert_eq!(PlanHash::of(&answer.bytes).to_string(), hash, "it is what its address says");
        let tag = header(&answer, &ETAG);
        let known = ask(&fixture, &hash, coding, &tag).await;
        assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
        tags.push(tag);
    }
    assert_ne!(tags[0], tags[1], "two representations");
    let other = format!("{hash:.63}g");
    for wrong in ["1", &hash.to_uppercase(), &other, &"0".repeat(64)] {
        ask(&fixture, wrong, "", "").await.is_problem(404, "not_found");
    }
}

async fn a_table_is_a_plan_too(fixture: Fixture) {
    upload(&fixture, PATH, "text/csv", TABLE).await.is_problem(422, "plan_faulty");
    let named = format!("{PATH}?name=Small%20hall");
    let kept = upload(&fixture, &named, "text/csv", TABLE).await.is(201);
    let shown = ask(&fixture, kept["hash"].as_str().unwrap(), "", "").await.is(200);
    assert_eq!(
        (&shown["name"], &shown["areas"][0]["rows"][0]["seats"]),
        (&json!("Small hall"), &json!([["1", 0, 0, 0], ["2", 2500, 0, 0]]))
    );
    upload(&fixture, &format!("{PATH}?name="), "text/csv", TABLE).await.blames(400, "name");
    upload(&fixture, &format!("{PATH}?name={}", "n".repeat(101)), "text/csv", TABLE).await.blames(400, "name");
    upload(&fixture, &format!("{PATH}?title=x"), "text/csv", TABLE).await.blames(400, "title");
}

async fn a_plan_with_errors_is_refused_by_its_places(fixture: Fixture) {
    let twice = format!("{TABLE}Stalls,C,12,0,90\nStalls,C,12,25,90\nStalls,C,13,0,90\n");
    let answer = upload(&fixture, &format!("{PATH}?name=Hall"), "text/csv", twice).await;
    answer.is_problem(422, "plan_faulty");
    let fault = |kind: &str, seat: u32, what: &str| {
        let place = format!("area Stalls, row C (row 2 of the area), seat {seat}");
        json!({ "level": "error", "kind": kind, "place": place, "what": what })
    };
    let expected = [
        fault("seat_twice", 12, "the row has this seat twice"),
        fault("same_place", 13, "stands where another one does: area Stalls, row C (row 2 of the area), seat 12"),
    ];
    assert_eq!((&answer.body["errors"], &answer.body["faults"]), (&json!(2), &json!(expected)));
    assert_eq!(
        answer.body["detail"],
        "error: area Stalls, row C (row 2 of the area), seat 12: the row has this seat twice"
    );
    for nothing in ["", "{", "[]", "\u{0}"] {
        upload(&fixture, PATH, "application/json", nothing).await.is_problem(422, "plan_faulty");
    }
    let too_long = upload(&fixture, PATH, "application/json", vec![b' '; 32 * 1024 * 1024 + 1]).await;
    too_long.is_problem(413, "payload_too_large");
    assert_eq!(fixture.world.journal.entries_after(0, 9).await.unwrap(), [], "what was refused is not written down");
}

async fn the_largest_plan_goes_in_and_out(fixture: Fixture) {
    let plan = plan(60_000, "Stadium");
    let canonical = plan.canonical().to_owned();
    let kept = upload(&fixture, PATH, "application/json", canonical.clone()).await.is(201);
    assert_eq!(kept["seats"], 60_000);
    let packed = ask(&fixture, &plan.hash().to_string(), "gzip", "").await;
    assert!(packed.bytes == canonical.as_bytes());
    assert_eq!(header(&packed, &CONTENT_ENCODING), "gzip");
}

#[actix_web::test]
async fn one_plan_is_read_at_a_time() {
    let fixture = Fixture::new().await;
    let token = fixture.operator();
    // So large that it is still being read when the other one comes.
    let mut nameless: Value = serde_json::from_str(plan(60_000, "Stadium").canonical()).unwrap();
    nameless["name"] = json!("");
    let both = (0..2).map(|_| fixture.post(PATH, &token, &nameless));
    let answers = futures_util::future::join_all(both).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [422, 503], "the other comes again");
    fixture.post(PATH, &token, &json!({})).await.is_problem(422, "plan_faulty");
}
