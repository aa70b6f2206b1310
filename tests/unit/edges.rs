//! Limits that no request's form has: keys, plans, signatures, what waits. Each at its limit and one above.

use std::task::Waker;

use miaosha::adapters::folder::FolderArchive;
use miaosha::adapters::system::SystemClock;
use miaosha::app::receipts::keys::{KeysError, ReceiptKeys};
use miaosha::app::sale::subscribers::{Registry, Subscriber};
use miaosha::domain::sale::notice::Notice;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::faces::live::mailbox::Mailbox;
use miaosha::faces::tokens::TokenKeys;
use miaosha::kit::http::auth::TOKEN_BYTES_MAX;
use miaosha::ports::platform::archive::Archive;
use miaosha::ports::platform::clock::Clock;
use miaosha::workers::warmer::Settings;
use miaosha::workers::warmer::plan::Plan;
use serde_json::{Value, json};

use crate::support::clock::START;
use crate::support::files::plan as sample;

#[test]
fn a_warm_up_plan_has_room_for_so_much() {
    let settings = Settings::default();
    let groups =
        |count: usize| json!((0..count).map(|at| json!({"name": format!("g{at}"), "capacity": 1})).collect::<Vec<_>>());
    let tags = |count: usize| json!(vec![json!({"tag": "Role", "value": "x"}); count]);
    let functions = |count: usize| {
        let one = |at: usize| json!({"name": format!("f{at}"), "qualifier": "live", "provisioned": 1});
        json!((0..count).map(one).collect::<Vec<_>>())
    };
    let arn = |at: usize| format!("arn:aws:elasticloadbalancing:x:1:targetgroup/t{at}/1");
    let targets = |count: usize| json!((0..count).map(arn).collect::<Vec<_>>());
    let text = |length: usize| json!("x".repeat(length));
    let edges: [(&str, Value, Value); 13] = [
        ("/event", text(40), text(41)),
        ("/wait_s_max", json!(settings.wait_s_max), json!(settings.wait_s_max + 1)),
        ("/groups", groups(settings.groups_max), groups(settings.groups_max + 1)),
        ("/groups/0/name", text(255), text(256)),
        ("/groups/0/capacity", json!(settings.capacity_max), json!(settings.capacity_max + 1)),
        ("/instances", tags(settings.tags_max), tags(settings.tags_max + 1)),
        ("/instances/0/tag", text(128), text(129)),
        ("/instances/0/value", text(255), text(256)),
        ("/functions", functions(settings.functions_max), functions(settings.functions_max + 1)),
        ("/functions/0/name", text(64), text(65)),
        ("/functions/0/qualifier", text(64), text(65)),
        ("/functions/0/provisioned", json!(settings.provisioned_max), json!(settings.provisioned_max + 1)),
        ("/target_groups", targets(settings.target_groups_max), targets(settings.target_groups_max + 1)),
    ];
    for (pointer, at, above) in edges {
        let read = |value: &Value| {
            let mut plan = sample();
            *plan.pointer_mut(pointer).unwrap() = value.clone();
            Plan::read(&plan, &settings)
        };
        read(&at).unwrap_or_else(|error| panic!("{pointer} at its limit: {error}"));
        let field = read(&above).unwrap_err().field;
        assert_eq!(format!("/{}", field.replace('[', "/").replace("].", "/")), pointer);
    }
}

#[test]
fn so_many_receipt_keys_are_published() {
    let keys = |count: usize| {
        let key = |at: usize| format!("k{at}:{:064x}", at + 1);
        ReceiptKeys::parse(&(0..count).map(key).collect::<Vec<_>>().join(","))
    };
    assert!(keys(32).is_ok());
    assert_eq!(keys(33).err(), Some(KeysError::Count));
}

/// What is too long is not even looked at; what is as long as it may be is refused for what it is.
#[test]
fn a_token_is_read_up_to_its_length() {
    let [a, c, d] = ["1", "2", "3"].map(|digit| digit.repeat(64));
    let keys = TokenKeys::parse(&format!("access:a1:{a},checkout:c1:{c},admission:d1:{d}")).unwrap();
    let says = |bytes: usize| keys.access().verify(&"x".repeat(bytes), START).unwrap_err().detail.into_owned();
    assert_eq!(TOKEN_BYTES_MAX, 2_048);
    assert!(!says(2_048).contains("too long"), "{}", says(2_048));
    assert!(says(2_049).contains("too long"), "{}", says(2_049));
}

#[test]
fn a_kid_is_read_up_to_its_length() {
    let [a, c, d] = ["1", "2", "3"].map(|digit| digit.repeat(64));
    let parsed =
        |bytes: usize| TokenKeys::parse(&format!("access:{}:{a},checkout:c1:{c},admission:d1:{d}", "k".repeat(bytes)));
    assert!(parsed(32).is_ok());
    assert_eq!(parsed(33).err(), Some(miaosha::kit::http::keys::KeysError::Kid(1)));
}

#[tokio::test]
async fn an_archive_takes_keys_up_to_their_length() {
    let folder = tempfile::tempdir().unwrap();
    let archive = FolderArchive::new(folder.path());
    let put = async |bytes: usize| archive.put(&"k".repeat(bytes), vec![1]).await;
    put(200).await.unwrap();
    assert!(put(201).await.unwrap_err().to_string().contains("is no key of an archive"));
}

fn notice(reservation: u128) -> Notice {
    Notice {
        sale: SaleId(1),
        buyer: BuyerId(7),
        reservation: ReservationId(reservation),
        state: Kind::Standby,
        version: 1,
        lapses_at: None,
        trace: None,
    }
}

/// A slow socket keeps so many notices; with one more it looks at everything instead.
#[test]
fn a_mailbox_keeps_so_many_notices() {
    let mailbox = Mailbox::default();
    let fill = |count: u128| {
        (0..count).for_each(|reservation| mailbox.notice(&notice(reservation)));
        let mail = mailbox.take(Waker::noop());
        (mail.waiting.into_messages().len(), mail.missed)
    };
    assert_eq!(fill(32), (32, false));
    assert_eq!(fill(33), (0, true));
    // The same one again takes no more room.
    (0..32).chain(0..32).for_each(|reservation| mailbox.notice(&notice(reservation)));
    assert!(!mailbox.take(Waker::noop()).missed);
}

/// Of so many reservations; of one more, the one made first is forgotten.
#[tokio::test]
async fn a_registration_remembers_so_many_reservations() {
    for (count, first) in [(64, 0), (65, 1)] {
        let registry = Registry::new(1, 1);
        let mine = registry.register(BuyerId(7), SaleId(1)).unwrap();
        (0..count).for_each(|reservation| registry.tell(&notice(reservation)));
        let mut heard = Vec::new();
        while let std::task::Poll::Ready(notice) = futures_util::poll!(std::pin::pin!(mine.next())) {
            heard.push(notice.reservation.0);
        }
        heard.sort_unstable();
        assert_eq!(heard, (first..count).collect::<Vec<_>>());
    }
}

/// A measurement that jumps by more makes the clock unsure, until the next one agrees with it.
#[test]
fn a_clock_that_jumps_is_not_sure() {
    let clock = SystemClock::unmeasured();
    for (offset_ms, is_sure) in [(1_000, true), (1_500, true), (999, false), (999, true), (1_499, true)] {
        clock.measured(offset_ms);
        assert_eq!(clock.is_sure(), is_sure, "{offset_ms}");
    }
}
