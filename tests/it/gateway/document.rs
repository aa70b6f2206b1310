//! Which calls are described to whom, and that each is described once.

use actix_web::http::Method;
use actix_web::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use actix_web::test::TestRequest;
use serde_json::Value;

use super::fixture::{Answer, Fixture};
use crate::support::openapi::DOCUMENT;

const DOCUMENT_PATH: &str = "/v1/openapi.json";

fn asked() -> TestRequest {
    TestRequest::get().uri(DOCUMENT_PATH)
}

fn header<'a>(answer: &'a Answer, name: &actix_web::http::header::HeaderName) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn calls(document: &Value) -> usize {
    document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum()
}

#[actix_web::test]
async fn calls_of_operators_are_told_to_operators() {
    let fixture = Fixture::new().await;
    let operator = fixture.get(DOCUMENT_PATH, &fixture.operator()).await.is(200);
    assert_eq!(operator, **DOCUMENT);
    let anybody = fixture.get(DOCUMENT_PATH, "").await.is(200);
    for token in [fixture.shopper(1), "not.a.token".to_owned()] {
        assert_eq!(fixture.get(DOCUMENT_PATH, &token).await.is(200), anybody);
    }
    assert!(
        calls(&anybody) > 20 && calls(&operator) > calls(&anybody) + 20,
        "{} {}",
        calls(&anybody),
        calls(&operator)
    );
    let text = anybody.to_string();
    for (path, item) in operator["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let is_theirs = call["responses"].get("403").is_some() && call["x-roles"].is_array();
            assert_eq!(anybody["paths"][path].get(method).is_none(), is_theirs, "{method} {path}");
        }
    }
    for theirs in ["/v1/admin", "check-ins", "NewSale", "ReportOrders", "\"name\":\"desk\""] {
        assert!(!text.contains(theirs), "{theirs} is told to anybody");
    }
    for name in anybody["components"]["schemas"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("/schemas/{name}\"")), "{name} is told, and nothing refers to it");
    }
}

/// Asked by nobody, by a buyer and by an operator, with nothing in it: whatever comes of that. What may be kept says so.
#[actix_web::test]
async fn no_answer_is_kept_or_guessed_at() {
    let fixture = Fixture::new().await;
    let kept = [DOCUMENT_PATH, "/v1/keys"];
    let mut asked: Vec<(Method, String)> = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        // Only the publisher has it.
        if path != "/v1/sales/{id}/attempts" {
            let methods = item.as_object().unwrap().keys().map(|method| method.to_uppercase().parse().unwrap());
            asked.extend(methods.map(|method| (method, path.clone())));
        }
    }
    assert!(asked.len() > 40, "{}", asked.len());
    asked.extend([(Method::GET, "/nothing".to_owned()), (Method::PUT, "/v1/sales".to_owned())]);
    for (method, path) in &asked {
        for token in [None, Some(fixture.shopper(1)), Some(fixture.operator())] {
            let filled = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
            let filled = filled.collect::<Vec<_>>().join("/");
            let answer = fixture.send(fixture.request(method.clone(), &filled, token.as_deref())).await;
            let said =
                |name: &str| answer.headers.get_all(name).map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
            let status = answer.status;
            assert_eq!(said("x-content-type-options"), ["nosniff"], "{method} {path} {status}");
            let says = said("cache-control");
            assert_eq!(says.len(), 1, "{method} {path} {status}");
            let is_kept = kept.contains(&path.as_str());
            assert_eq!(!says[0].contains("no-store"), is_kept, "{method} {path} {status}: {}", says[0]);
            assert_eq!(answer.headers.contains_key("etag"), is_kept, "{method} {path} {status}");
        }
    }
}

#[actix_web::test]
async fn a_document_that_is_known_is_not_sent_again() {
    let fixture = Fixture::new().await;
    let (mut tags, operator) = (Vec::new(), format!("Bearer {}", fixture.operator()));
    for (token, coding) in [("", ""), ("", "gzip"), (&operator, ""), (&operator, "br, gzip;q=0.5")] {
        let asked = || asked().insert_header((AUTHORIZATION, token)).insert_header((ACCEPT_ENCODING, coding));
        let first = fixture.send(asked()).await;
        assert_eq!(header(&first, &CONTENT_ENCODING), if coding.is_empty() { "" } else { "gzip" });
        assert_eq!(header(&first, &VARY), "Authorization, Accept-Encoding");
        let tag = header(&first, &ETAG).to_owned();
        assert!(tag.starts_with('"'), "{tag} is strong");
        let again = fixture.send(asked().insert_header((IF_NONE_MATCH, tag.clone()))).await;
        assert_eq!((again.status.as_u16(), header(&again, &ETAG), again.bytes.len()), (304, &*tag, 0));
        for other in &tags {
            let answer = fixture.send(asked().insert_header((IF_NONE_MATCH, String::clone(other)))).await;
            assert_eq!(answer.status.as_u16(), 200, "that is another one's");
        }
        tags.push(tag);
    }
}
