//! What a process says of itself on standard error: JSON where no person looks, short lines where one does.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use miaosha::kit::telemetry::LogFilter;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// Not to become this process's controlling terminal.
const NOCTTY: i32 = 0o400;

struct Shop {
    process: Child,
    folder: TempDir,
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start(arguments: &[&str], environment: &[(&str, &str)], stderr: Stdio) -> Shop {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_miaosha"));
    command.args(["serve", "--no-demo", "--listen", "127.0.0.1:0", "--inner-listen", "127.0.0.1:0", "--state"]);
    command.arg(folder.path().join("state")).args(arguments);
    command.env_remove("RUST_LOG").env_remove("NO_COLOR").envs(environment.iter().copied());
    let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
    Shop { process, folder }
}

/// A terminal, and what is written on it.
fn terminal() -> (File, Receiver<String>) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let theirs = File::options().read(true).write(true).custom_flags(NOCTTY).open(name).unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let (mut ours, mut bytes) = (File::from(ours), [0; 4096]);
        while let Ok(count @ 1..) = ours.read(&mut bytes) {
            if tell.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_err() {
                return;
            }
        }
    });
    (theirs, told)
}

/// What stands on a terminal once the shop serves.
fn shown(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let (theirs, told) = terminal();
    let _shop = start(arguments, environment, theirs.into());
    let mut text = String::new();
    while !text.contains("serving") {
        text.push_str(&told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the shop does not serve: {text}")));
    }
    text
}

#[test]
fn without_a_terminal_every_line_is_json_and_the_first_says_what_runs() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    let _shop = start(&[], &[], File::create(&path).unwrap().into());
    let text = || std::fs::read_to_string(&path).unwrap();
    for _ in 0..600 {
        if text().contains("serving") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let text = text();
    let (whole, _) = text.rsplit_once('\n').unwrap();
    let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let first = &lines[0];
    assert_eq!((first["message"].as_str(), first["service"].as_str()), (Some("starting"), Some("miaosha")), "{first}");
    assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(first["revision"], option_env!("MIAOSHA_REVISION").unwrap_or("unknown"));
    assert!(first["compiler"].as_str().unwrap().starts_with("rustc 1."), "{first}");
    assert!(lines[1]["config"].as_str().unwrap().contains("drain_ms_max"), "{}", lines[1]);
}

/// Whatever RUST_LOG says of a level: 2,000 heads that are none are 2,000 in the figures, and not a line.
#[test]
fn strangers_write_no_log() {
    for environment in [&[][..], &[("RUST_LOG", "info")]] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log");
        let shop = start(&[], environment, File::create(&path).unwrap().into());
        let text = || std::fs::read_to_string(&path).unwrap();
        let facts = (0..600).find_map(|_| {
            std::thread::sleep(Duration::from_millis(100));
            std::fs::read(shop.folder.path().join("state/shop.json")).ok()
        });
        let facts: Value = serde_json::from_slice(&facts.unwrap()).unwrap();
        let address = |name: &str| facts[name].as_str().unwrap().trim_start_matches("http://").to_owned();
        let before = text();
        let ask = |address: &str, request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        for number in 0..2_000 {
            let answer = ask(&address("url"), &format!("HELLO {number}\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("/problems/invalid"), "{answer}");
        }
        let metrics = ask(&address("inner_url"), "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert!(metrics.contains("\nmiaosha_http_malformed_total 2000\n"), "{metrics}");
        let after = text();
        let said: Vec<&str> = after[before.len()..].lines().filter(|line| line.contains("actix_http")).collect();
        assert!(said.is_empty(), "{} lines: {}", said.len(), said[0]);
    }
}

#[test]
fn at_a_terminal_a_line_is_short_and_coloured() {
    let text = shown(&[], &[]);
    let first = text.lines().next().unwrap();
    let (time, rest) = first.strip_prefix("\x1b[2m").and_then(|line| line.split_once("\x1b[0m")).expect(first);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "00:00:00", "{first}");
    assert!(rest.starts_with("\x1b[32m INFO  \x1b[0mstarting"), "{first:?}");
    for said in ["version", env!("CARGO_PKG_VERSION"), "revision", "compiler"] {
        assert!(rest.contains(said), "{said}: {first}");
    }
    assert!(!text.contains("drain_ms_max") && !text.contains('{'), "{text}");
}

#[test]
fn who_asks_for_more_is_told_the_configuration() {
    let debug = shown(&["--log", "debug"], &[("RUST_LOG", "error")]);
    assert!(
        debug.contains("configured") && debug.contains("drain_ms_max"),
        "the flag goes over the environment: {debug}"
    );
    let plain = shown(&["--log=info"], &[("NO_COLOR", "1")]);
    assert!(!plain.contains('\x1b') && plain.contains(" INFO  starting"), "{plain}");
}

#[test]
fn a_filter_is_a_level_of_our_own_lines_or_as_rust_log_has_it() {
    let filter = |text: &str| text.parse::<LogFilter>();
    assert_eq!(filter("debug"), filter("info,miaosha=debug"));
    assert_eq!(filter("WARN"), filter("warn"));
    // What strangers do is in no log, unless it is asked for.
    assert_eq!(filter("info"), filter("info,actix_http=off"));
    assert_ne!(filter("info,actix_http=error"), filter("info"));
    assert!(filter("miaosha::wire=trace").is_ok() && filter("off").is_ok());
    for wrong in ["verbose", "", "miaosha=loud"] {
        assert!(filter(wrong).is_err(), "{wrong}");
    }
}
