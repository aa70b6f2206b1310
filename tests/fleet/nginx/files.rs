//! The page's files: fetched once, kept, and there while the shop is away.

use super::front::Front;
use crate::support::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_fetched_once_and_outlive_their_shop() {
    let mut shop = Shop::start(Vec::new()).await;
    let front = Front::before_one(shop.address()).await;
    let page = String::from_utf8(front.ask("GET /", "", "").await.body).unwrap();
    let name = page.split('"').find(|name| name.starts_with("/web/") && name.ends_with(".js")).unwrap();
    let ask = async |lines: &str| front.ask(&format!("GET {name}"), lines, "").await;
    let plain = ask("").await;
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    assert!(plain.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(plain.all("content-security-policy").len(), 1);
    let packed = ask("accept-encoding: br, gzip\r\n").await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < plain.body.len());
    assert_eq!(ask("accept-encoding: gzip;q=0\r\n").await.header("content-encoding"), None);
    let etag = plain.header("etag").unwrap();
    assert_eq!(ask(&format!("if-none-match: {etag}\r\n")).await.status, 304);

    shop.kill();
    assert_eq!(ask("").await.body, plain.body, "kept");
    assert_eq!(ask("accept-encoding: gzip\r\n").await.body, packed.body, "kept, in both forms");
    let with_query = front.ask(&format!("GET {name}?x=1"), "", "").await;
    assert_eq!(with_query.body, plain.body, "a query makes no other file");
    assert_eq!(front.ask("GET /", "", "").await.status, 503, "the page is asked for every time");
    let missing = name.replace(".js", ".none");
    assert_eq!(front.ask(&format!("GET {missing}"), "", "").await.status, 503);

    let written = front.lines_of(name, 7).await;
    let missed = written.iter().filter(|line| line["cache"] == "MISS").count();
    assert_eq!(missed, 2, "once for each form");
}
