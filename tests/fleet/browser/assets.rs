//! How the shop's files are served: named for ever, asked for once, few bytes, strict headers.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Bytes;
use actix_web::{App, http::Method};
use miaosha::kit::http::assets;
use miaosha::kit::http::problem;

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Got {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> Got {
    ask(Method::GET, path, headers).await
}

async fn ask(method: Method, path: &str, headers: &[(header::HeaderName, &str)]) -> Got {
    let app = App::new().configure(|cfg| assets::routes(cfg, &["/", "/sales/{sale}"])).configure(problem::defaults);
    let app = init_service(app).await;
    let mut request = TestRequest::default().method(method).uri(path);
    for header in headers {
        request = request.insert_header(header.clone());
    }
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    Got { status, headers, bytes: read_body(response).await }
}

/// Names of files in a text, as the page writes them.
fn named(text: &str) -> Vec<String> {
    text.split('"').filter(|part| part.starts_with("/web/")).map(str::to_owned).collect()
}

#[actix_web::test]
async fn the_page_names_its_files_for_ever() {
    let page = get("/sales/7", &[]).await;
    assert_eq!((page.status, page.header(header::CACHE_CONTROL)), (StatusCode::OK, "no-cache"));
    let page = String::from_utf8(page.bytes.to_vec()).unwrap();
    let names = named(&page);
    assert!(names.len() > 5, "{page}");
    for name in &names {
        let file = get(name, &[]).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert_eq!(file.header(header::CACHE_CONTROL), "public, max-age=31536000, immutable", "{name}");
        assert!(!file.header(header::CONTENT_TYPE).contains("octet-stream"), "{name}");
    }
    // Of another release, and as a CDN has it.
    let name = names.iter().find(|name| name.ends_with("app.js")).unwrap();
    let (_, rest) = name.trim_start_matches("/web/").split_once('/').unwrap();
    assert_eq!(get(&format!("/web/0123456789abcdef/{rest}"), &[]).await.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(get(&format!("/web/{rest}"), &[]).await.header(header::CACHE_CONTROL), "no-cache");
    for path in [
        "/web/nothing.js",
        "/web/0123456789abcdef/nothing.js",
        "/web/../Cargo.toml",
        "/web/pictures/x.png",
        "/web/",
        "/x",
    ] {
        let missing = get(path, &[]).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(missing.header(header::CONTENT_TYPE), "application/problem+json", "{path}");
    }
    assert_eq!(ask(Method::POST, "/", &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[actix_web::test]
async fn what_is_known_is_not_sent_again() {
    let page = get("/", &[]).await;
    let etag = page.header(header::ETAG).to_owned();
    for given in [etag.clone(), format!("\"x\", {etag}"), "*".into(), etag.trim_start_matches("W/").into()] {
        let again = get("/", &[(header::IF_NONE_MATCH, &given)]).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{given}");
        assert_eq!(again.header(header::ETAG), etag);
    }
    assert_eq!(get("/", &[(header::IF_NONE_MATCH, "W/\"x\"")]).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn it_is_packed_for_who_can_unpack() {
    let packed = get("/web/style.css", &[(header::ACCEPT_ENCODING, "br;q=1.0, gzip;q=0.8")]).await;
    assert_eq!(packed.header(header::CONTENT_ENCODING), "gzip");
    for refused in ["br", "gzip;q=0", "", "identity"] {
        let plain = get("/web/style.css", &[(header::ACCEPT_ENCODING, refused)]).await;
        assert_eq!(plain.header(header::CONTENT_ENCODING), "", "{refused}");
        assert!(plain.bytes.len() > packed.bytes.len());
    }
    assert_eq!(packed.header(header::VARY), "Accept-Encoding");
}

#[actix_web::test]
async fn the_policy_is_strict_and_said_twice() {
    let page = get("/", &[]).await;
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'none';") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
    for loose in ["unsafe", "*", "http:", "https:"] {
        assert!(!policy.contains(loose), "{policy}");
    }
    assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    let text = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(text.contains(&format!("content=\"{}\"", assets::POLICY)), "the page says what the header says");
    for inline in ["<style", "style=", "onclick", "javascript:", "//", "<script>"] {
        assert!(!text.contains(inline), "{inline}");
    }
}

/// The first view of a sale: the page, what it names, and what that imports, in one language.
#[actix_web::test]
async fn the_first_view_of_a_sale_is_small() {
    let gzip = [(header::ACCEPT_ENCODING, "gzip")];
    let page = get("/sales/7", &gzip).await;
    let mut bytes = page.bytes.len() + head(&page);
    let plain = get("/sales/7", &[]).await;
    let mut wanted: BTreeSet<String> = named(&String::from_utf8_lossy(&plain.bytes)).into_iter().collect();
    let digest = wanted.iter().next().unwrap().split('/').nth(2).unwrap().to_owned();
    for late in ["pages/sale.js", "words/zh-TW.js"] {
        wanted.insert(format!("/web/{digest}/{late}"));
    }
    let mut seen = BTreeSet::new();
    while let Some(path) = wanted.pop_first() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let file = get(&path, &gzip).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        bytes += file.bytes.len() + head(&file);
        let text = String::from_utf8_lossy(&get(&path, &[]).await.bytes).into_owned();
        // Static imports come with the module; dynamic ones are of other pages.
        for import in text.lines().filter(|line| line.starts_with("import ")) {
            let name = import.split('\'').nth(1).unwrap();
            let folder = path.rsplit_once('/').unwrap().0;
            let folder = if name.starts_with("../") { folder.rsplit_once('/').unwrap().0 } else { folder };
            wanted.insert(format!("{folder}/{}", name.trim_start_matches("../").trim_start_matches("./")));
        }
    }
    assert!(seen.len() >= 12, "{seen:?}");
    assert!(bytes < 60 * 1024, "{bytes} bytes over the wire: {seen:?}");
    println!("the first view of a sale: {bytes} bytes in {} files", seen.len() + 1);
}

fn head(got: &Got) -> usize {
    got.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
