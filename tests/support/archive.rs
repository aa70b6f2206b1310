//! What every archive does.

use miaosha::ports::platform::archive::Archive;

async fn keys(archive: &impl Archive, prefix: &str, after: Option<&str>, max: u32) -> Vec<String> {
    archive.list(prefix, after, max).await.unwrap().into_iter().map(|kept| kept.key).collect()
}

pub async fn what_was_put_is_got(archive: impl Archive) {
    assert_eq!(archive.get("receipts/a-0.pdf").await.unwrap(), None);
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    archive.put("receipts/a-0.pdf", bytes.clone()).await.unwrap();
    assert_eq!(archive.get("receipts/a-0.pdf").await.unwrap(), Some(bytes));
    archive.put("receipts/a-0.pdf", b"other".to_vec()).await.unwrap();
    assert_eq!(archive.get("receipts/a-0.pdf").await.unwrap(), Some(b"other".to_vec()));
    archive.put("empty", Vec::new()).await.unwrap();
    assert_eq!(archive.get("empty").await.unwrap(), Some(Vec::new()));
}

pub async fn what_is_deleted_is_gone(archive: impl Archive) {
    archive.put("a/b", b"1".to_vec()).await.unwrap();
    archive.delete("a/b").await.unwrap();
    archive.delete("a/b").await.unwrap();
    assert_eq!(archive.get("a/b").await.unwrap(), None);
    assert_eq!(keys(&archive, "", None, 10).await, [""; 0]);
}

pub async fn a_list_comes_in_pages(archive: impl Archive) {
    for key in ["b/3", "a/2", "a/1", "a/10", "c", "a.d/4"] {
        archive.put(key, key.as_bytes().to_vec()).await.unwrap();
    }
    assert_eq!(keys(&archive, "", None, 10).await, ["a.d/4", "a/1", "a/10", "a/2", "b/3", "c"]);
    assert_eq!(keys(&archive, "a/", None, 10).await, ["a/1", "a/10", "a/2"]);
    assert_eq!(keys(&archive, "a/", None, 2).await, ["a/1", "a/10"]);
    assert_eq!(keys(&archive, "a/", Some("a/10"), 2).await, ["a/2"]);
    assert_eq!(keys(&archive, "a/", Some("a/2"), 2).await, [""; 0]);
    assert_eq!(keys(&archive, "", Some("a/2"), 1).await, ["b/3"]);
    let page = archive.list("a/10", None, 1).await.unwrap();
    assert_eq!(page[0].bytes, 4);
    // Some time of this millennium, and no later than now.
    assert!(page[0].kept_at.0 > 1_767_225_600_000 - 86_400_000 * 365, "{:?}", page[0].kept_at);
}

/// A reader sees the old bytes or the new ones, never a piece of either.
pub async fn a_reader_never_sees_half(archive: impl Archive) {
    let (old, new) = (vec![b'o'; 300_000], vec![b'n'; 300_000]);
    archive.put("k", old.clone()).await.unwrap();
    for round in 0..20 {
        let bytes = if round % 2 == 0 { new.clone() } else { old.clone() };
        let (put, got) = tokio::join!(archive.put("k", bytes), archive.get("k"));
        put.unwrap();
        let got = got.unwrap().unwrap();
        assert!(got == old || got == new, "{} bytes of both", got.len());
    }
}

/// All of these over one archive. What is made comes with whatever must live as long.
macro_rules! over {
    ($name:ident, $make:expr) => {
        $crate::support::archive::over!($name, $make;
            what_was_put_is_got
            what_is_deleted_is_gone
            a_list_comes_in_pages
            a_reader_never_sees_half);
    };
    ($name:ident, $make:expr; $($case:ident)*) => {
        mod $name {
            $(#[tokio::test]
            async fn $case() {
                let (archive, _keep) = $make.await;
                $crate::support::archive::$case(archive).await;
            })*
        }
    };
}
pub(crate) use over;
