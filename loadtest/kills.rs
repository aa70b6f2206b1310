//! How a part of what is loaded is killed, paused or broken, and started again.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::try_join_all;
use miaosha::kit::process::TASK_FAILED;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{Part, Running, START_WAIT_MAX, Target, shop_facts, start_shop, stop_softly, text};
use crate::client::{Client, authority};

/// Before a part's name: it is asked to end by SIGTERM instead.
const SOFTLY: &str = "stop-";
/// Every Redis master comes back as it was a while before it was killed.
const STALE: &str = "redis-stale";
/// Every Redis master forgets everything, and goes on.
const FLUSHED: &str = "redis-flushed";
/// Behind a part's name: it is stopped by SIGSTOP and goes on by SIGCONT, with all its connections.
const PAUSED: &str = "-paused";
/// Behind a part's name: one of its long tasks panics, and it ends by itself.
const PANICS: &str = "-panics";
/// Behind all of that: for how many milliseconds it is away, if not for `--away-ms`.
const FOR: char = '@';
/// Between two parts: the second is killed while the first is away.
const MEANWHILE: char = '+';
/// The consumer that decides a sale from its memory.
const HOLDER: &str = "holder";
/// Which of them, by the part's kind: what it is there for.
const TASKS: [(&str, &str); 5] = [
    ("shop", "consumer"),
    ("consumer", "consumer"),
    ("payment-consumer", "payments.alarms"),
    ("gateway", "gateway"),
    ("publisher", "publisher.news"),
];

impl Target {
    /// What can be killed here, by the names `--kill` takes.
    pub fn check_kills(&self, kills: &[String]) -> Result<(), String> {
        let parts = kills.iter().map(|kill| split_off(kill).0).flat_map(|kill| kill.split(MEANWHILE));
        for kill in parts {
            let kill = kill.strip_prefix(SOFTLY).unwrap_or(kill);
            let kill = kill.strip_suffix(PAUSED).or(kill.strip_suffix(PANICS)).unwrap_or(kill);
            let known = match &self.world {
                Running::Embedded { .. } => kill == "shop",
                Running::Fleet { parts, .. } => {
                    [STALE, FLUSHED, HOLDER].contains(&kill)
                        || parts.iter().any(|part| part.kind == kill || part.name == kill)
                }
                Running::Elsewhere => false,
            };
            if !known {
                return Err(format!("--kill {kill}: there is no such part in this world"));
            }
        }
        Ok(())
    }

    /// Before the part is killed: what the kill needs of the past.
    pub async fn prepare_kill(&self, kill: &str) -> Result<(), String> {
        if split_off(kill).0 == STALE { self.tell_redis("SAVE").await } else { Ok(()) }
    }

    /// What `kill` does, as an operator would say it.
    pub fn deed(kill: &str) -> String {
        let kill = split_off(kill).0;
        match (kill.strip_suffix(PAUSED), kill.strip_prefix(SOFTLY)) {
            _ if kill == FLUSHED => "FLUSHALL to redis".to_owned(),
            _ if kill.ends_with(PANICS) => format!("a panic in {}", kill.trim_end_matches(PANICS)),
            (Some(part), _) => format!("SIGSTOP to {part}"),
            (_, Some(part)) => format!("SIGTERM to {part}"),
            _ => format!("kill -9 {kill}"),
        }
    }

    /// kill -9, SIGTERM, SIGSTOP or a panic, a moment without the part, and the same part again.
    pub async fn kill(&mut self, kill: &str, away: Duration) -> Result<(), String> {
        let (kill, own) = split_off(kill);
        let away = own.unwrap_or(away);
        let (kill, meanwhile) = kill.split_once(MEANWHILE).map_or((kill, None), |(kill, other)| (kill, Some(other)));
        if let Some(kill) = kill.strip_suffix(PANICS) {
            return self.break_a_task(kill, away).await;
        }
        if let Some(kill) = kill.strip_suffix(PAUSED) {
            return self.pause(kill, away).await;
        }
        let (softly, kill) = kill.strip_prefix(SOFTLY).map_or((false, kill), |kill| (true, kill));
        if let Running::Embedded { state, shop, lean, .. } = &mut self.world {
            let mut child = shop.take().ok_or("the shop is not running")?;
            if softly {
                stop_softly(&mut child).await;
            } else {
                child.kill().await.map_err(|error| error.to_string())?;
            }
            tokio::time::sleep(away).await;
            *shop = Some(start_shop(state, &self.publishers[0], lean.as_deref()).await?);
            return Ok(());
        }
        let Running::Fleet { state, .. } = &self.world else {
            return Err("only a world that this run knows can lose a part".to_owned());
        };
        if kill == FLUSHED {
            return self.tell_redis("FLUSHALL").await;
        }
        let is_redis = kill == "redis" || kill == STALE;
        let victims = self.victims(if is_redis { "redis" } else { kill });
        let verb = match kill {
            _ if softly => "stop",
            "redis" => "wipe",
            _ => "kill",
        };
        try_join_all(victims.iter().map(|part| part_script(part, verb, state))).await?;
        let before = self.decided().await?;
        match meanwhile {
            None => tokio::time::sleep(away).await,
            Some(other) => {
                tokio::time::sleep(away / 2).await;
                self.kill_meanwhile(other).await?;
                tokio::time::sleep(away / 2).await;
            }
        }
        if is_redis {
            // What a killed one had decided is not counted any more.
            let decided = self.decided().await?.saturating_sub(before);
            eprintln!("loadtest: {decided} attempts were decided while Redis was away");
        }
        try_join_all(victims.iter().map(|part| part_script(part, "start", state))).await?;
        Ok(())
    }

    /// Attempts that the consumers that run now have recorded.
    async fn decided(&self) -> Result<u64, String> {
        let Running::Fleet { parts, .. } = &self.world else { return Ok(0) };
        let mut decided = 0.0;
        for inner in parts.iter().filter(|part| part.kind == "consumer").filter_map(|part| part.inner.as_deref()) {
            // One that was killed has nothing to say.
            let Ok(answer) = Client::new(inner).get("/metrics", "").await else { continue };
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            let counts = text.lines().filter(|line| line.starts_with("miaosha_consumer_attempts_total{"));
            decided += counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>();
        }
        Ok(decided as u64)
    }

    /// One of its long tasks panics; it drains and ends by itself, and is started again as a fleet's supervisor would.
    async fn break_a_task(&mut self, kind: &str, away: Duration) -> Result<(), String> {
        match &mut self.world {
            Running::Embedded { state, shop, lean, .. } => {
                let mut child = shop.take().ok_or("the shop is not running")?;
                break_at(&authority(text(&shop_facts(state)?, "inner_url")?)?, kind).await?;
                let status = tokio::time::timeout(START_WAIT_MAX, child.wait()).await;
                let status = status.map_err(|_| "the shop goes on".to_owned())?.map_err(|error| error.to_string())?;
                if status.code() != Some(i32::from(TASK_FAILED)) {
                    return Err(format!("a task of the shop panicked, and it ended with {status}"));
                }
                tokio::time::sleep(away).await;
                *shop = Some(start_shop(state, &self.publishers[0], lean.as_deref()).await?);
                Ok(())
            }
            Running::Fleet { state, parts, .. } => {
                let part = parts.iter().find(|part| part.kind == kind).ok_or_else(|| format!("there is no {kind}"))?;
                break_at(part.inner.as_deref().ok_or("a service names its inner server")?, kind).await?;
                part_script(part, "await", state).await?;
                tokio::time::sleep(away).await;
                part_script(part, "start", state).await
            }
            Running::Elsewhere => Err("only a world that this run knows can lose a task".to_owned()),
        }
    }

    /// Silent for a while.
    pub async fn pause(&self, kind: &str, away: Duration) -> Result<(), String> {
        let Running::Fleet { state, .. } = &self.world else {
            return Err("only a part of a fleet is paused".to_owned());
        };
        let victims = self.victims(kind);
        if victims.is_empty() {
            return Err(format!("there is no {kind} to be paused"));
        }
        try_join_all(victims.iter().map(|part| part_script(part, "pause", state))).await?;
        tokio::time::sleep(away).await;
        try_join_all(victims.iter().map(|part| part_script(part, "resume", state))).await.map(drop)
    }

    /// kill -9 and started again at once.
    async fn kill_meanwhile(&self, kill: &str) -> Result<(), String> {
        let Running::Fleet { state, .. } = &self.world else { return Err("only a fleet loses two parts".to_owned()) };
        let part = match kill {
            HOLDER => self.holder().await?,
            kill => self.victims(kill).into_iter().next().ok_or_else(|| format!("there is no {kill}"))?,
        };
        eprintln!("loadtest: kill -9 {} meanwhile", part.name);
        part_script(&part, "kill", state).await?;
        part_script(&part, "start", state).await
    }

    async fn holder(&self) -> Result<Part, String> {
        for part in self.victims_of_kind("consumer") {
            let Some(inner) = part.inner.as_deref() else { continue };
            let said = Client::new(inner).get("/readyz", "").await?.json();
            if said["fallback_sales"].as_u64().is_some_and(|sales| sales > 0) {
                return Ok(part);
            }
        }
        Err("no consumer decides a sale from its memory".to_owned())
    }

    /// One part of this kind or name; of Redis all of them.
    fn victims(&self, kill: &str) -> Vec<Part> {
        match &self.world {
            Running::Fleet { .. } if kill == "redis" => self.victims_of_kind(kill),
            Running::Fleet { parts, .. } => {
                parts.iter().filter(|part| part.kind == *kill || part.name == *kill).take(1).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The names of the parts of these kinds, as a rolling deploy takes them: one of each kind at a time.
    pub fn steps(&self, kinds: &[String]) -> Vec<Vec<String>> {
        let Running::Fleet { parts, .. } = &self.world else { return Vec::new() };
        let names = |kind: &String| -> Vec<String> {
            parts.iter().filter(|part| part.kind == *kind).map(|part| part.name.clone()).collect()
        };
        let fleets: Vec<Vec<String>> = kinds.iter().map(names).collect();
        let longest = fleets.iter().map(Vec::len).max().unwrap_or_default();
        (0..longest).map(|step| fleets.iter().filter_map(|fleet| fleet.get(step).cloned()).collect()).collect()
    }

    /// SIGTERM, and started again once they have ended; returns when they are ready.
    pub async fn restart(&self, names: &[String]) -> Result<(), String> {
        let Running::Fleet { state, parts, .. } = &self.world else { return Err("only a fleet is rolled".to_owned()) };
        let restart = async |part: &Part| {
            part_script(part, "stop", state).await?;
            part_script(part, "start", state).await
        };
        let chosen = parts.iter().filter(|part| names.contains(&part.name));
        try_join_all(chosen.map(restart)).await.map(drop)
    }

    async fn tell_redis(&self, command: &str) -> Result<(), String> {
        for part in self.victims("redis") {
            redis_command(part.port.ok_or("a Redis part names its port")?, command).await?;
        }
        Ok(())
    }

    fn victims_of_kind(&self, kind: &str) -> Vec<Part> {
        match &self.world {
            Running::Fleet { parts, .. } => parts.iter().filter(|part| part.kind == kind).cloned().collect(),
            _ => Vec::new(),
        }
    }
}

/// What is killed, and for how long, where that is said.
fn split_off(kill: &str) -> (&str, Option<Duration>) {
    let away = kill.split_once(FOR).and_then(|(kill, ms)| Some((kill, Duration::from_millis(ms.parse().ok()?))));
    away.map_or((kill, None), |(kill, away)| (kill, Some(away)))
}

async fn break_at(inner: &str, kind: &str) -> Result<(), String> {
    let task = TASKS.iter().find(|(of, _)| *of == kind).ok_or_else(|| format!("no task of a {kind} can be broken"))?.1;
    match Client::new(inner).post(&format!("/faults/{task}"), "", "").await?.status {
        204 => Ok(()),
        status => Err(format!("{kind} answers {status} instead of breaking; is process.faults set?")),
    }
}

async fn part_script(part: &Part, verb: &str, state: &Path) -> Result<(), String> {
    // The start command is `bash …/part.sh start DIR PART`; the same script stops and kills.
    let mut words = part.start.clone();
    let at = words.iter().position(|word| word == "start").ok_or("the part does not say how it is started")?;
    words[at] = verb.to_owned();
    let log =
        std::fs::File::create(state.join(format!("kills-{}.log", part.name))).map_err(|error| error.to_string())?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let run = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).stdout(log).stderr(errors).status();
    let status = tokio::time::timeout(START_WAIT_MAX * 2, run)
        .await
        .map_err(|_| format!("{verb} {} took too long", part.name))?
        .map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{verb} {} failed: {status}", part.name)) }
}

/// One command to one Redis master, such as to write the dump that it comes back with when it is killed later.
async fn redis_command(port: u64, command: &str) -> Result<(), String> {
    let mut stream =
        tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.map_err(|error| error.to_string())?;
    stream.write_all(format!("{command}\r\n").as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = [0u8; 64];
    let length = stream.read(&mut answer).await.map_err(|error| error.to_string())?;
    if answer[..length].starts_with(b"+OK") { Ok(()) } else { Err(format!("Redis refused {command}")) }
}
