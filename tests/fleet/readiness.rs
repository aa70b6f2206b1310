//! Each binary says that it is not ready, and names the part, while a part that it needs is away; and stays ready while others
//! miss theirs.

use std::time::Duration;

use crate::support::fleet::{self, CONSUMER, GATEWAY, PAYMENT_CONSUMER, PUBLISHER, Part, SOCKETS_ONLY, TOKEN_KEYS};
use crate::support::proxy::by_proxy;
use crate::support::redis::Server as Redis;
use crate::support::servers::{rabbit_url, redis_url, unique_name};

const PATIENCE: Duration = Duration::from_secs(60);

async fn all_are_ready(parts: &[Part]) {
    for part in parts {
        part.comes_to_be_ready().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_binary_misses_what_it_needs_and_nothing_else() {
    let mut redis = Redis::start().await;
    let (rabbit, broker) = by_proxy(&rabbit_url()).await;
    let (mysql, ledger) = by_proxy(&fleet::database().await.0).await;
    let folder = tempfile::tempdir().unwrap();
    let (mut environment, _) = fleet::environment(&unique_name(), folder.path());
    environment.extend([
        ("MIAOSHA__REDIS__URL", redis.url()),
        ("MIAOSHA__RABBIT__URL", rabbit),
        ("MIAOSHA__MYSQL__URL", mysql),
    ]);
    let parts = [PUBLISHER, GATEWAY, CONSUMER, PAYMENT_CONSUMER].map(|program| Part::start(program, &environment));
    all_are_ready(&parts).await;
    let [publisher, gateway, consumer, payments] = &parts;

    redis.kill();
    for part in [consumer, payments] {
        part.comes_to_miss("turnstile").await;
    }
    assert!(gateway.is_ready().await && publisher.is_ready().await, "neither asks the turnstile");
    redis.start_again().await;
    all_are_ready(&parts).await;

    broker.close();
    for part in [publisher, consumer, payments] {
        part.comes_to_miss("broker").await;
    }
    assert!(gateway.is_ready().await, "people still log in, look and pay");
    broker.open();
    all_are_ready(&parts).await;

    ledger.close();
    for part in [gateway, consumer, payments] {
        part.comes_to_miss("ledger").await;
    }
    ledger.open();
    all_are_ready(&parts).await;
}

/// Who takes money does not begin without being told by whom it is taken; probes and metrics say it. Who takes none is not asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_money_is_told_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let (mut environment, _) = fleet::environment(&unique_name(), folder.path());
    environment.extend([
        ("MIAOSHA__REDIS__URL", redis_url()),
        ("MIAOSHA__RABBIT__URL", rabbit_url()),
        ("MIAOSHA__MYSQL__URL", fleet::database().await.0),
    ]);
    let mut untold = environment.clone();
    untold.retain(|(name, _)| *name != SANDBOX);
    let mut both = environment.clone();
    both.push(("MIAOSHA__STRIPE__SECRET_KEY", "sk_test_x".to_owned()));
    for program in [GATEWAY, PAYMENT_CONSUMER] {
        for environment in [&untold, &both] {
            let (code, words) = ended(program, environment).await;
            assert!(code != Some(0), "{program}: {words}");
            assert!(words.contains("stripe.secret_key") && words.contains("payments.sandbox"), "{program}: {words}");
        }
    }
    let mut sockets_only = [untold.clone(), vec![(SOCKETS_ONLY, "true".to_owned())]].concat();
    sockets_only.retain(|(name, _)| *name != "MIAOSHA__RECEIPT_KEYS");
    let parts = [
        Part::start(CONSUMER, &untold),
        Part::start(GATEWAY, &sockets_only),
        Part::start(GATEWAY, &environment),
        Part::start(PAYMENT_CONSUMER, &environment),
    ];
    all_are_ready(&parts).await;
    for (part, told) in parts.iter().zip([false, false, true, true]) {
        assert_eq!(part.inner("/readyz").await.contains(r#""payments":"sandbox""#), told, "{}", part.program);
        let counted = part.inner("/metrics").await.contains(r#"miaosha_payments_provider{provider="sandbox"} 1"#);
        assert_eq!(counted, told, "{}", part.program);
    }
}

/// Given a seed it does not begin, and says which key it is that it should not have; nor does a gateway that was given no seed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_of_sockets_refuses_whatever_signs() {
    let folder = tempfile::tempdir().unwrap();
    let (environment, keys) = fleet::environment(&unique_name(), folder.path());
    let public = keys.access().listed();
    let [seed, secret] = [format!("access:a1:{}", "a".repeat(64)), format!("checkout:c1:{}", "c".repeat(64))];
    for (only, keys, key, kind) in [
        ("true", seed.clone(), 1, "access"),
        ("true", format!("{public},{secret}"), 2, "checkout"),
        ("false", format!("{secret},{public}"), 2, "access-public"),
    ] {
        let mut told = environment.clone();
        told.retain(|(name, _)| *name != TOKEN_KEYS);
        told.extend([(TOKEN_KEYS, keys), (SOCKETS_ONLY, only.to_owned())]);
        let (code, words) = ended(GATEWAY, &told).await;
        assert!(code != Some(0), "{words}");
        assert!(words.contains(&format!("key {key} of the list is of the kind `{kind}`")), "{words}");
        assert!(!words.contains("aaaaaaaa") && !words.contains("cccccccc"), "{words}");
    }
}

const SANDBOX: &str = "MIAOSHA__PAYMENTS__SANDBOX";

/// With which code a process ended that must not begin, and what it said.
async fn ended(program: &'static str, environment: &[(&'static str, String)]) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::new(program);
    command.env("RUST_LOG", "error").envs(fleet::told(program, environment)).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}
