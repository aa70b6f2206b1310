//! What other people made is named by what it is: images by their digests, Python's packages by the hashes of their files.

use std::collections::BTreeSet;
use std::process::Command;

use super::{files, root, text};

/// Images that are named by a version alone, since no registry could be asked for their digests where they were named. The list
/// only gets shorter: `deploy/release/pin.sh` writes the digests, where a registry can be asked, and then the row goes.
const BY_VERSION: [&str; 13] = [
    "debian:12-slim",
    "grafana/grafana:11.2.0",
    "jaegertracing/all-in-one:1.60",
    "mysql:8.0",
    "nginxinc/nginx-unprivileged:1.26",
    "oliver006/redis_exporter:v1.62.0",
    "phpmyadmin:5.2",
    "prom/mysqld-exporter:v0.15.1",
    "prom/prometheus:v2.53.2",
    "rabbitmq:3.13-management",
    "redis:7.2",
    "rust:1.95-bookworm",
    "rust:1.95-slim-bookworm",
];

/// Every image that a file names, but those that we build.
fn images(text: &str) -> Vec<String> {
    let words = ["image: ", "FROM ", "container: "];
    let named = text.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("- ");
        let rest = words.iter().find_map(|word| line.strip_prefix(word))?;
        Some(rest.split_whitespace().next()?.trim_matches('"').to_owned())
    });
    // A stage of the same file has no version.
    named.filter(|image| image.contains(':') && !image.starts_with("miaosha/")).collect()
}

fn complaints(text: &str, by_version: &[&str]) -> Vec<String> {
    let wrong = images(text).into_iter().filter(|image| {
        let (version, digest) = image.split_once('@').unwrap_or((image.as_str(), ""));
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        let is_digest =
            hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        version.ends_with(":latest") || !(is_digest || digest.is_empty() && by_version.contains(&version))
    });
    wrong.map(|image| format!("{image} is not named by its digest")).collect()
}

fn places() -> Vec<String> {
    let workflows = files(&[".github/workflows"]).into_iter();
    let workflows = workflows.map(|path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
    workflows.chain(["docker-compose.yml", "docker-compose.tls.yml", "deploy/Dockerfile"].map(str::to_owned)).collect()
}

#[test]
fn a_new_image_is_named_by_its_digest() {
    let mut unpinned = BTreeSet::new();
    for place in places() {
        assert_eq!(complaints(&text(&place), &BY_VERSION), [""; 0], "{place}");
        unpinned.extend(images(&text(&place)).into_iter().filter(|image| !image.contains('@')));
    }
    assert_eq!(
        unpinned.iter().map(String::as_str).collect::<Vec<_>>(),
        BY_VERSION,
        "a row whose image has a digest, or is gone"
    );
}

#[test]
fn an_image_without_a_digest_is_seen() {
    let good =
        format!("image: a/b:1@sha256:{}\nFROM c:2 AS d\nFROM d\nimage: \"miaosha/x:${{V:-dev}}\"", "0a".repeat(32));
    assert_eq!(complaints(&good, &["c:2"]), [""; 0]);
    for bad in [
        "image: a/b:1",
        "FROM c:3",
        "container: rust:1",
        "  image: d:latest",
        "image: a:1@sha256:12",
        "image: c:2@md5:1",
    ] {
        assert_eq!(complaints(bad, &["c:2"]).len(), 1, "{bad}");
    }
}

/// The script asks for each image that has none, once, and touches nothing else.
#[test]
fn digests_are_written_behind_versions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let docker = folder.path().join("docker");
    let digest = format!("sha256:{}", "0a".repeat(32));
    std::fs::write(&docker, format!("#!/bin/sh\necho \"$@\" >>\"$0.asked\"\necho {digest}\n")).unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let file = folder.path().join("file");
    let pinned = format!("image: redis:7.2@{digest}");
    let before = format!(
        "image: redis:7.2\n    image: a/b.c:1\nFROM a/b.c:1 AS x\nFROM x\nimage: a/bxc:1-2\n{pinned}\nimage: \"miaosha/x:dev\"\n"
    );
    std::fs::write(&file, &before).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let run = || {
        let output =
            Command::new("bash").arg(root().join("deploy/release/pin.sh")).arg(&file).env("PATH", &path).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(&file).unwrap()
    };
    let after = format!(
        "image: redis:7.2@{digest}\n    image: a/b.c:1@{digest}\nFROM a/b.c:1@{digest} AS x\nFROM x\nimage: a/bxc:1-2@{digest}\n{pinned}\n\
         image: \"miaosha/x:dev\"\n"
    );
    assert_eq!(run(), after);
    assert_eq!(run(), after, "and is left alone then");
    let asked = std::fs::read_to_string(folder.path().join("docker.asked")).unwrap();
    assert_eq!(asked.lines().count(), 3, "{asked}");
}

/// The lists of Python's packages: what is wanted, and of that and all it needs each file that may be installed.
const LISTS: [&str; 4] = ["requirements", "requirements-build", "requirements-deny", "requirements-terraform"];

fn unlocked(list: &str, locked: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let entries: Vec<&str> = locked.split('\n').filter(|line| line.contains("==")).collect();
    for wanted in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, version) = wanted.split_once("==").unwrap_or((wanted, ""));
        let name = format!("{}==", name.split('[').next().unwrap_or_default());
        let is_there = entries
            .iter()
            .any(|entry| entry.strip_prefix(&name).is_some_and(|rest| rest.split(' ').next() == Some(version)));
        complaints.extend((!is_there).then(|| format!("{wanted} is not what was locked")));
    }
    let lines: Vec<&str> = locked.lines().filter(|line| !line.starts_with('#')).collect();
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("==")) {
        let next = lines.get(number + 1).copied().unwrap_or_default();
        complaints.extend((!next.starts_with("    --hash=sha256:")).then(|| format!("{line} has no hash")));
    }
    complaints
}

#[test]
fn packages_of_python_are_locked_with_their_hashes() {
    for name in LISTS {
        let (list, locked) = (text(&format!("deploy/local/{name}.in")), text(&format!("deploy/local/{name}.txt")));
        assert_eq!(unlocked(&list, &locked), [""; 0], "{name}");
    }
    // Whoever installs any, asks for the hashes.
    for path in files(&["deploy", ".github", "Makefile"]) {
        let Ok(script) = std::fs::read_to_string(&path) else { continue };
        for line in script.lines().filter(|line| line.contains("pip\" install") || line.contains("pip install")) {
            assert!(line.contains("--require-hashes"), "{}: {line}", path.display());
        }
    }
    assert!(text("deploy/local/emulators.sh").contains("pip\" install"), "the scripts were read");
}

#[test]
fn a_package_without_a_hash_is_seen() {
    let hash = "    --hash=sha256:aa";
    assert_eq!(
        unlocked("# why\na[x]==1\n", &format!("# made\na==1 \\\n{hash} \\\n{hash}\nb==2 ; x \\\n{hash}\n")),
        [""; 0]
    );
    assert_eq!(unlocked("a==2\n", &format!("a==1 \\\n{hash}\n")).len(), 1, "another version");
    assert_eq!(unlocked("a==1\n", "a==1\n").len(), 1, "no hash");
}
