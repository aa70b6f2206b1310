//! The process kit: probes, configuration, the two stops.

use secrecy::{ExposeSecret, SecretString};
use std::io::Write;

use actix_web::{App, test as call};
use miaosha::kit::http::probes::{self, Readiness};
use miaosha::kit::http::problem;
use miaosha::kit::process::config::load_with;
use miaosha::kit::telemetry;
use miaosha::kit::work::lifecycle::Lifecycle;

#[actix_web::test]
async fn readiness_is_what_every_part_says() {
    let lifecycle = Lifecycle::new();
    let readiness = Readiness::new(lifecycle.soft.clone());
    let broker = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    readiness.watch({
        let broker = broker.clone();
        move || if broker.load(std::sync::atomic::Ordering::SeqCst) { vec![] } else { vec!["broker"] }
    });
    let metrics = telemetry::init_metrics();
    let app = call::init_service(
        App::new().configure(|cfg| probes::routes(cfg, readiness.clone(), metrics)).configure(problem::defaults),
    )
    .await;
    let get = async |path: &str| {
        let response = call::call_service(&app, call::TestRequest::get().uri(path).to_request()).await;
        (response.status().as_u16(), String::from_utf8(call::read_body(response).await.to_vec()).unwrap())
    };
    assert_eq!(get("/livez").await.0, 200);
    let (status, said) = get("/readyz").await;
    assert_eq!((status, said.contains("starting"), said.contains("broker")), (503, true, true));
    readiness.started();
    assert_eq!(get("/readyz").await, (503, r#"{"problems":["broker"],"ready":false}"#.to_owned()));
    broker.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(get("/readyz").await.0, 200);
    lifecycle.soft.cancel();
    assert!(get("/readyz").await.1.contains("stopping"));
    assert_eq!(get("/livez").await.0, 200);

    metrics::counter!("miaosha_kit_test_total").increment(1);
    metrics::histogram!("miaosha_kit_test_seconds").record(0.003);
    let (status, text) = get("/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("miaosha_kit_test_total 1"), "{text}");
    assert!(text.contains(r#"miaosha_kit_test_seconds_bucket{le="0.005"} 1"#), "{text}");
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    process: miaosha::kit::process::config::ProcessSettings,
    keys: SecretString,
    #[serde(default)]
    publisher: miaosha::faces::publisher::Settings,
}

#[test]
fn configuration_is_a_file_with_the_environment_over_it() {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    writeln!(file, "[process]\ndrain_ms_max = 5\n[publisher]\nbatch_max = 7").unwrap();
    let env = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let given =
        env(&[("MIAOSHA__KEYS", "secret"), ("MIAOSHA__PROCESS__DRAIN_MS_MAX", "6"), ("MIAOSHA_REDIS_URL", "x")]);
    let config: Config = load_with(Some(file.path()), given).unwrap();
    assert_eq!((config.process.drain_ms_max, config.publisher.batch_max), (6, 7));
    assert_eq!(config.keys.expose_secret(), "secret");
    assert!(!format!("{config:?}").contains("secret\""));

    let unknown = env(&[("MIAOSHA__KEYS", "k"), ("MIAOSHA__PROCESS__DRAIN", "6")]);
    assert!(load_with::<Config>(Some(file.path()), unknown).unwrap_err().to_string().contains("drain"));
    assert!(load_with::<Config>(Some(file.path()), env(&[])).unwrap_err().to_string().contains("keys"));
    let missing = std::path::Path::new("/nowhere/at-all.toml");
    assert!(load_with::<Config>(Some(missing), env(&[("MIAOSHA__KEYS", "k")])).is_err());
}

/// Every sample is read by the fleet's own configuration and says what the defaults are: a change of one is a change of both.
#[test]
fn the_samples_say_the_defaults() {
    let folder = crate::support::files::path("deploy/config");
    let described = |config: &miaosha::wire::config::Config| {
        let mut config = config.clone();
        (config.http.listen, config.process.inner_listen) = (([0; 4], 0).into(), ([0; 4], 0).into());
        format!("{config:#?}")
    };
    let defaults = described(&miaosha::wire::config::Config::default());
    for name in ["publisher", "consumer", "payment-consumer", "gateway"] {
        let file = folder.join(format!("{name}.toml"));
        let sample = load_with(Some(&file), []).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(described(&sample), defaults, "{name}");
        let text = std::fs::read_to_string(&file).unwrap();
        let secrets = ["token_keys", "receipt_keys", "secret_key", "webhook_secrets", "smtp_url", "replica_url"];
        let holds = |line: &str| secrets.iter().any(|secret| line.starts_with(secret)) || line.contains("password@");
        assert!(!text.lines().any(|line| !line.starts_with('#') && holds(line)), "{name}");
    }
}

#[tokio::test]
async fn a_drain_waits_for_what_was_begun() {
    let lifecycle = Lifecycle::new();
    let done = std::sync::Arc::new(tokio::sync::Notify::new());
    let waits = done.clone();
    lifecycle.supervise("x", async move { waits.notified().await });
    let drain = tokio::spawn({
        let lifecycle = lifecycle.clone();
        async move { lifecycle.drain().await }
    });
    lifecycle.soft.cancelled().await;
    assert!(!drain.is_finished());
    done.notify_one();
    assert!(drain.await.unwrap());
}

#[tokio::test]
async fn a_drain_that_takes_too_long_is_cut() {
    let lifecycle = Lifecycle::new();
    lifecycle.supervise("x", std::future::pending());
    tokio::select! {
        drained = lifecycle.drain() => assert!(!drained),
        never = lifecycle.cut_drain(1) => match never {},
    }
}
