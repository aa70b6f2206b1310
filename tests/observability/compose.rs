//! docker-compose.yml is one that Compose accepts, and agrees with the code: images, ports, names, samples.

use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use miaosha::kit::process::config::load_with;
use miaosha::wire::config::Config;
use serde_json::{Map, Value};

use super::{binaries, root, text, yaml};

/// Docker's plugin where there is one, else the older program of the same name.
fn compose() -> Command {
    let plugin =
        Command::new("docker").args(["compose", "version"]).output().is_ok_and(|output| output.status.success());
    let mut command = Command::new(if plugin { "docker" } else { "docker-compose" });
    command.args(plugin.then_some("compose"));
    command.current_dir(root());
    for name in ["COMPOSE_FILE", "COMPOSE_PROFILES", "DOCKER_HOST"] {
        command.env_remove(name);
    }
    command
}

/// As Compose reads it, with these secrets.
fn configured(secrets: &Path) -> std::process::Output {
    configured_from(&["docker-compose.yml"], secrets)
}

fn configured_from(files: &[&str], secrets: &Path) -> std::process::Output {
    let profiles = ["infra", "fleet", "observe"].map(|profile| format!("--profile={profile}"));
    let files = files.iter().flat_map(|file| ["-f", *file]);
    compose().args(files).arg("--env-file").arg(secrets).args(profiles).arg("config").output().unwrap()
}

fn made_secrets() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("bash").arg(root().join("deploy/compose/env.sh")).arg(folder.path().join("env")).output();
    assert!(made.unwrap().status.success());
    folder
}

fn raw() -> Value {
    yaml(&text("docker-compose.yml"))
}

fn services(of: &Value) -> Map<String, Value> {
    of["services"].as_object().unwrap().clone()
}

/// With secrets in their places.
fn filled() -> Value {
    let folder = made_secrets();
    let read = configured(&folder.path().join("env"));
    yaml(&String::from_utf8(read.stdout).unwrap())
}

fn of_profile(profile: &str) -> Map<String, Value> {
    let is_in = |service: &Value| service["profiles"].as_array().unwrap().contains(&profile.into());
    services(&raw()).into_iter().filter(|(_, service)| is_in(service)).collect()
}

/// What it would be started with.
fn environment(service: &Value) -> Vec<(String, String)> {
    let pairs = service["environment"].as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn config(service: &Value) -> Config {
    let of_ours = environment(service).into_iter().filter(|(name, _)| name.starts_with("MIAOSHA__"));
    load_with(None, of_ours).unwrap()
}

#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks Compose")]
fn compose_accepts_it_with_secrets_and_only_with_them() {
    let folder = made_secrets();
    let with = configured(&folder.path().join("env"));
    assert!(with.status.success(), "{}", String::from_utf8_lossy(&with.stderr));
    let read = yaml(&String::from_utf8(with.stdout).unwrap());
    assert_eq!(services(&read).keys().collect::<Vec<_>>().len(), services(&raw()).len());

    std::fs::write(folder.path().join("nothing"), "").unwrap();
    let without = configured(&folder.path().join("nothing"));
    assert!(!without.status.success());
    assert!(String::from_utf8_lossy(&without.stderr).contains("deploy/compose/env.sh"));
}

#[test]
fn secrets_are_made_once_for_their_owner_and_each_is_needed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = made_secrets();
    let file = folder.path().join("env");
    let secrets = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = Command::new("bash").arg(root().join("deploy/compose/env.sh")).arg(&file).output().unwrap();
    assert!(!again.status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), secrets);
    assert!(text(".gitignore").lines().any(|line| line == "/.env"));
    // Without any one of them it is refused, so none has a default.
    for missing in secrets.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name) {
        let rest: Vec<&str> = secrets.lines().filter(|line| !line.starts_with(&format!("{missing}="))).collect();
        assert!(text("docker-compose.yml").contains(&format!("${{{missing}:?")), "{missing} is asked for nowhere");
        assert_eq!(rest.len() + 1, secrets.lines().count());
    }
}

#[test]
fn no_secret_has_a_default_or_stands_there() {
    for (name, service) in services(&raw()) {
        for (variable, value) in environment(&service) {
            let secret = ["PASSWORD", "PASS", "KEYS", "SECRET"].iter().any(|end| variable.ends_with(end));
            if secret || value.contains("://") && value.contains('@') {
                assert!(value.contains(":?"), "{name}: {variable}");
            }
        }
    }
}

#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks Compose")]
fn every_service_of_ours_is_told_what_it_knows() {
    let read = filled();
    let (mut seen, mut public) = (0, Vec::new());
    for name in of_profile("fleet").keys().filter(|name| *name != "nginx") {
        // With the secrets in their places, read by the code that reads them.
        let config = config(&services(&read)[name]);
        assert!(config.rabbit.url.expose_secret().starts_with("amqp://miaosha:"), "{name}");
        if name != "publisher" && name != "migrate" {
            assert!(config.mysql.url.expose_secret().starts_with("mysql://miaosha:"), "{name}");
            assert!(config.redis.url.expose_secret().starts_with("redis-cluster://default:"), "{name}");
        }
        if name == "gateway" {
            let keys = miaosha::faces::tokens::TokenKeys::parse(config.token_keys.expose_secret()).unwrap();
            public.push(keys.access().listed());
        }
        if name == "sockets" {
            let keys = config.token_keys.expose_secret();
            public.push(miaosha::faces::tokens::access::AccessKeys::parse(keys).unwrap().listed());
        }
        if name == "publisher" {
            miaosha::faces::tokens::admission::AdmissionKeys::parse(config.token_keys.expose_secret()).unwrap();
        }
        if ["gateway", "payment-consumer"].contains(&name.as_str()) {
            miaosha::app::receipts::keys::ReceiptKeys::parse(config.receipt_keys.expose_secret()).unwrap();
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
    assert!(
        public.len() == 2 && public[0] == public[1],
        "sockets have the other half of the gateways' key: {public:?}"
    );
    let sockets = environment(&services(&read)["sockets"]);
    assert!(!sockets.iter().any(|(name, _)| name.contains("RECEIPT_KEYS")), "it makes no receipts");
    let publisher = environment(&services(&read)["publisher"]);
    assert!(!publisher.iter().any(|(name, _)| name.contains("MYSQL") || name.contains("REDIS")), "it needs neither");
}

#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks Compose")]
fn ports_are_those_of_the_samples_and_of_the_scrapes() {
    let sample =
        |name: &str| -> Config { load_with(Some(&root().join(format!("deploy/config/{name}.toml"))), []).unwrap() };
    let scrapes = yaml(&text("deploy/prometheus/prometheus.yml"));
    let ec2 = yaml(&text("deploy/prometheus/prometheus.ec2.yml"));
    let scraped = |file: &Value, job: &str| {
        let jobs = file["scrape_configs"].as_array().unwrap();
        let job = jobs.iter().find(|config| config["job_name"] == job).unwrap();
        let by_name = &job["dns_sd_configs"][0]["port"];
        by_name.as_u64().or(job["ec2_sd_configs"][0]["port"].as_u64()).unwrap()
    };
    let read = filled();
    for (name, service) in of_profile("fleet") {
        if name == "nginx" || name == "migrate" {
            continue;
        }
        let config = config(&services(&read)[&name]);
        let inner = u64::from(config.process.inner_listen.port());
        assert_eq!((scraped(&scrapes, &name), scraped(&ec2, &name)), (inner, inner), "{name}");
        if name == "sockets" {
            assert!(config.gateway.sockets.only);
            let lean = service["environment"]["MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN"].as_str().unwrap();
            let port = lean.rsplit(':').next().unwrap();
            assert!(text("deploy/config/gateway.toml").contains(&format!("127.0.0.1:{port}")), "{lean}");
        } else {
            assert_eq!(inner, u64::from(sample(&name).process.inner_listen.port()), "{name}");
        }
        if name == "publisher" || name == "gateway" {
            assert_eq!(config.http.listen.port(), sample(&name).http.listen.port(), "{name}");
            assert!(config.http.unready_ms > 0, "{name}: nginx is to look elsewhere first");
        }
        // A drain is never cut off by the container's end.
        let grace: u64 = service["stop_grace_period"].as_str().unwrap().trim_end_matches('s').parse().unwrap();
        assert!(grace * 1_000 > config.process.drain_ms_max + config.http.unready_ms, "{name}");
    }
}

#[test]
fn images_are_named_by_version_and_ours_are_built_from_binaries() {
    let dockerfile = text("deploy/Dockerfile");
    let stages: BTreeSet<String> =
        dockerfile.split(" AS for-").skip(1).filter_map(|rest| rest.lines().next()).map(str::to_owned).collect();
    let missing: Vec<String> = binaries().into_iter().filter(|name| !stages.contains(name)).collect();
    assert!(missing.is_empty(), "the Dockerfile has no stage for {missing:?}");
    for (name, service) in services(&raw()) {
        let image = service["image"].as_str().unwrap();
        let (repository, version) = image.split_once(':').unwrap_or_else(|| panic!("{name}: {image} has no version"));
        assert!(version != "latest" && !repository.split('/').next().unwrap().contains('.'), "{name}: {image}");
        if let Some(of) = repository.strip_prefix("miaosha/") {
            assert!(binaries().iter().any(|binary| binary == of), "{name}: there is no binary {of}");
            let built = &service["build"]["args"]["BIN"];
            assert!(built == of || name == "sockets", "{name}: {built}");
        }
    }
}

/// A process that ended is started again, whatever its exit code, and however often.
#[test]
fn a_process_that_ends_is_started_again() {
    for (name, service) in of_profile("fleet") {
        let wanted = if name == "migrate" { "on-failure" } else { "unless-stopped" };
        assert_eq!(service["restart"], wanted, "{name}");
    }
    let unit = text("terraform/modules/service/boot/miaosha.service");
    let has = |line: &str| unit.lines().any(|known| known == line);
    assert!(has("Restart=always") && has("StartLimitIntervalSec=0"), "{unit}");
    assert!(!unit.contains("ExitStatus"), "an exit code would be an end for good: {unit}");
}

#[test]
fn containers_may_do_little() {
    let raw = raw();
    for (name, service) in services(&raw) {
        assert_eq!(service["security_opt"][0], "no-new-privileges:true", "{name}");
        assert_eq!(service["cap_drop"][0], "ALL", "{name}");
        assert!(service["mem_limit"].is_string() && service["pids_limit"].is_u64(), "{name} has no limits");
        assert_eq!(service["profiles"].as_array().unwrap().len(), 1, "{name}");
        // What is left: a server that writes its own configuration, and a page for people at their desks.
        let writes = ["rabbitmq", "phpmyadmin"].contains(&name.as_str());
        assert_eq!(service["read_only"].as_bool().unwrap_or_default(), !writes, "{name}");
        let foreign = !service["image"].as_str().unwrap().starts_with("miaosha/");
        let unprivileged = service["user"].is_string() || ["nginx", "phpmyadmin"].contains(&name.as_str());
        assert!(!foreign || unprivileged, "{name} runs as root");
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name} is open to others: {port}");
        }
    }
    assert!(text("deploy/Dockerfile").contains("\nUSER 10001:10001\n"));
}

/// What is open to others speaks TLS, or sends on to it.
#[test]
fn others_come_by_tls() {
    let more = yaml(&text("docker-compose.tls.yml"));
    assert_eq!(services(&more).keys().collect::<Vec<_>>(), ["nginx"]);
    let nginx = &more["services"]["nginx"];
    let doors = text("nginx/listen-tls.conf");
    let (tls, clear) = doors.split_once("\nserver {").unwrap().1.split_once("\nserver {").unwrap();
    assert!(tls.contains("\n    listen 8443 ssl ") && tls.contains("\n    include shop.conf;"), "{tls}");
    assert!(
        clear.contains("\n    listen 8080 ") && !clear.contains("shop.conf") && !clear.contains("proxy_"),
        "{clear}"
    );
    let ports: Vec<&str> = nginx["ports"].as_array().unwrap().iter().map(|port| port.as_str().unwrap()).collect();
    assert_eq!(ports, ["${MIAOSHA_HTTPS_PORT:-443}:8443", "${MIAOSHA_HTTP_PORT:-80}:8080"]);
    // In the place of what listens in clear, which place.conf includes.
    assert_eq!(nginx["volumes"][0], "./nginx/listen-tls.conf:/etc/nginx/miaosha/listen.conf:ro");
    assert!(text("nginx/place.conf").contains("\ninclude listen.conf;"));
    // A key is never checked in.
    let ignored = text("nginx/tls/.gitignore");
    assert!(ignored.lines().any(|line| line == "*"), "{ignored}");
}

#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks Compose")]
fn compose_accepts_both_files_together() {
    let folder = made_secrets();
    let with = configured_from(&["docker-compose.yml", "docker-compose.tls.yml"], &folder.path().join("env"));
    assert!(with.status.success(), "{}", String::from_utf8_lossy(&with.stderr));
    let read = yaml(&String::from_utf8(with.stdout).unwrap());
    let nginx = &read["services"]["nginx"];
    let volumes = nginx["volumes"].as_array().unwrap();
    // The plugin says it in parts, the older program in one line.
    let is_mounted = |target: &str| {
        volumes.iter().any(|volume| {
            let line = volume.as_str().unwrap_or_default();
            volume["target"] == target || line.split(':').nth(1) == Some(target)
        })
    };
    assert!(is_mounted("/etc/nginx/miaosha/listen.conf"), "{volumes:?}");
    assert!(is_mounted("/etc/nginx/miaosha"), "the others are there too: {volumes:?}");
}

#[test]
fn whoever_is_waited_for_says_when_it_is_ready() {
    let services = services(&raw());
    for (name, service) in &services {
        for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
            let other = &services[other];
            match how["condition"].as_str().unwrap() {
                "service_completed_successfully" => assert_eq!(other["restart"], "on-failure", "{name}"),
                "service_healthy" => {
                    let ours = other["image"].as_str().unwrap().starts_with("miaosha/");
                    assert!(ours || other["healthcheck"]["test"].is_array(), "{name} waits for what says nothing");
                }
                condition => panic!("{name}: {condition}"),
            }
        }
    }
    assert!(text("deploy/Dockerfile").contains("HEALTHCHECK "));
}

#[test]
fn what_is_mounted_is_there() {
    let raw = raw();
    for (name, service) in services(&raw) {
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            let there = match source.strip_prefix("./") {
                Some(path) => root().join(path).exists(),
                None => raw["volumes"].as_object().unwrap().contains_key(source),
            };
            assert!(there, "{name}: {source}");
        }
    }
}
