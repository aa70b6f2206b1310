//! Workflows are pinned, may do little, and keep secrets to themselves.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{binaries, files, root, text, yaml};

fn workflows() -> Vec<(String, String, Value)> {
    let files: Vec<PathBuf> = files(&[".github/workflows"]);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let text = text(&name);
        let value = yaml(&text);
        (name, text, value)
    };
    files.into_iter().map(read).collect()
}

/// What is wrong with one.
fn complaints(text: &str, workflow: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    if !workflow["permissions"].is_object() {
        complaints.push("the workflow does not say what it may".to_owned());
    }
    if !workflow["concurrency"]["group"].is_string() {
        complaints.push("two runs may meet".to_owned());
    }
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let allowed = ["contents", "id-token"];
        match job["permissions"].as_object() {
            None => complaints.push(format!("{name} does not say what it may")),
            Some(rights) => {
                let too_much = rights
                    .iter()
                    .any(|(right, how)| !allowed.contains(&right.as_str()) || (right == "contents" && how != "read"));
                complaints.extend(too_much.then(|| format!("{name} may too much: {rights:?}")));
            }
        }
        if job["uses"].is_null() && !job["timeout-minutes"].is_u64() {
            complaints.push(format!("{name} may run for ever"));
        }
        for step in job["steps"].as_array().into_iter().flatten() {
            let uses = step["uses"].as_str().unwrap_or_default();
            let pin = uses.split_once('@').map_or("", |(_, pin)| pin);
            let pinned =
                pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            let is_good = uses.is_empty() || pinned && text.contains(&format!("{uses} # v"));
            if !is_good {
                complaints.push(format!("{name}: {uses} is not pinned by its commit, with its version beside it"));
            }
            if uses.starts_with("actions/checkout@") && step["with"]["persist-credentials"] != false {
                complaints.push(format!("{name} leaves its token in the folder"));
            }
            // What comes from outside goes into commands through the environment, where it is text and never a command.
            if step["run"].as_str().is_some_and(|run| run.contains("${{")) {
                complaints.push(format!("{name}: an expression stands in a command"));
            }
        }
    }
    if text.contains("secrets.") || text.contains("secrets: inherit") {
        complaints.push("there are no secrets to be had".to_owned());
    }
    complaints
}

#[test]
fn workflows_are_pinned_and_may_do_little() {
    let workflows = workflows();
    assert_eq!(workflows.len(), 3);
    for (name, text, workflow) in workflows {
        assert_eq!(complaints(&text, &workflow), [""; 0], "{name}");
    }
}

#[test]
fn a_careless_workflow_is_seen() {
    let careless = "on: push\njobs:\n  a:\n    permissions: {contents: write}\n    steps:\n      - uses: actions/checkout@v5\n      \
                    - uses: x/y@08c6903cd8c0fde910a37f88322edcfb5dd907a8\n      - run: echo ${{ secrets.KEY }}\n  b:\n    uses: ./x\n";
    assert_eq!(complaints(careless, &yaml(careless)).len(), 10, "{:?}", complaints(careless, &yaml(careless)));
}

#[test]
fn tests_run_on_every_push_and_before_every_release() {
    let test = yaml(&text(".github/workflows/test.yml"));
    assert_eq!(test["on"]["push"]["branches"], serde_json::json!(["**"]));
    let runs = |job: &str| {
        test["jobs"][job]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .any(|step| step["run"].as_str().is_some_and(|run| run == "make test" || run == "make test-terraform"))
    };
    assert!(runs("test") && runs("terraform"));
    // What needs no server passes where there is none.
    assert!(test["jobs"]["plain"]["steps"].as_array().unwrap().iter().any(|step| step["run"] == "cargo test --locked"));
    let release = yaml(&text(".github/workflows/release.yml"));
    let jobs = &release["jobs"];
    assert_eq!(jobs["test"]["uses"], "./.github/workflows/test.yml");
    // One after the other, so that nothing runs whose tests, images or migrations are not there.
    for (job, needs) in [("build", "test"), ("migrate", "build"), ("functions", "migrate"), ("refresh", "functions")] {
        assert_eq!(jobs[job]["needs"], needs, "{job}");
    }
    let built = jobs["build"]["strategy"]["matrix"]["bin"].as_array().unwrap();
    for name in binaries() {
        assert!(built.contains(&name.as_str().into()), "{name} is not released");
    }
    let order: Vec<&str> = jobs["refresh"]["strategy"]["matrix"]["include"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["group"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["consumer", "payment-consumer", "gateway", "sockets", "publisher"]);
    assert_eq!(jobs["refresh"]["strategy"]["max-parallel"], 1);
}

/// The answer changes without us, and is no part of what a release waits for.
#[test]
fn weaknesses_are_asked_for_every_day() {
    let workflow = yaml(&text(".github/workflows/advisories.yml"));
    let cron: Vec<&str> = workflow["on"]["schedule"][0]["cron"].as_str().unwrap().split(' ').collect();
    assert_eq!(&cron[2..], ["*", "*", "*"], "every day");
    assert_eq!(workflow["on"]["push"]["branches"], serde_json::json!(["**"]));
    let steps = workflow["jobs"]["advisories"]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["run"] == "bash deploy/local/deny.sh advisories"));
    assert!(text("deploy/local/deny.sh").contains("check advisories ;;"));
    assert!(!text(".github/workflows/test.yml").contains("advisories"));
}

/// User data as terraform makes them, with another image put in, and back.
#[test]
#[cfg_attr(not(feature = "servers"), ignore = "asks Python")]
fn another_image_is_put_into_user_data() {
    let script = r##"
import base64, gzip, subprocess, sys
pack = lambda data: base64.b64encode(gzip.compress(data)).decode()
unit = b"[Service]\nExecStart=docker run 1.dkr.example/shop/gateway:v1.2.3\n"
before = pack(("#cloud-config\nwrite_files:\n  - path: /a\n    content: %s\n  - path: /b\n    content: %s\n"
               % (pack(unit), pack(b"nothing of it"))).encode())
run = lambda data, repository, image: subprocess.run(
    [sys.executable, sys.argv[1], repository, image], input=data.encode(), capture_output=True)
next = run(before, "1.dkr.example/shop/gateway", "1.dkr.example/shop/gateway:v1.3.0")
cloud_init = gzip.decompress(base64.b64decode(next.stdout))
files = [gzip.decompress(base64.b64decode(line.split(b": ")[1])) for line in cloud_init.splitlines() if b"content: " in line]
assert files == [unit.replace(b"v1.2.3", b"v1.3.0"), b"nothing of it"], files
digest = run(next.stdout.decode(), "1.dkr.example/shop/gateway", "1.dkr.example/shop/gateway@sha256:" + "a" * 64)
assert digest.returncode == 0
assert run(before, "1.dkr.example/shop/publisher", "x:y").returncode != 0
"##;
    let program = root().join("deploy/release/user-data.py");
    let output = Command::new("python3").args(["-c", script]).arg(program).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
