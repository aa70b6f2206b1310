//! A fleet that is changed under its buyers: parts are stopped by SIGTERM and started again as a rolling deploy does it, one of
//! each kind at a time, and the keys of tokens are rotated by such rolls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use miaosha::faces::tokens::TokenKeys;
use serde_json::json;

use crate::client::Client;
use crate::keys::{TOKEN_KEYS, chance, new_keys};
use crate::plan::Options;
use crate::target::Target;

/// What reads the keys of tokens.
const KEY_KINDS: [&str; 3] = ["publisher", "gateway", "socket-gateway"];
/// A balancer that looks ten times a second has seen by now what is ready again.
const SEEN: Duration = Duration::from_millis(500);

/// Each at its own moment of the rush.
pub async fn kill_parts(options: &Options, target: &mut Target, start: Instant) -> Result<(), String> {
    let whole = Duration::from_secs_f64(options.buyers as f64 / options.rate as f64);
    for (number, kill) in options.kill.iter().enumerate() {
        let at = start + whole.mul_f64((number + 1) as f64 / (options.kill.len() + 1) as f64);
        tokio::time::sleep_until((at - whole.mul_f64(0.25 / (options.kill.len() + 1) as f64)).into()).await;
        target.prepare_kill(kill).await?;
        tokio::time::sleep_until(at.into()).await;
        eprintln!("loadtest: {}, {} ms into the rush", Target::deed(kill), start.elapsed().as_millis());
        target.kill(kill, Duration::from_millis(options.away_ms)).await?;
        eprintln!("loadtest: {kill} is back, {} ms into the rush", start.elapsed().as_millis());
    }
    Ok(())
}

/// One of each kind at a time; the next when those are ready again.
pub async fn roll(target: &Target, kinds: &[String]) -> Result<(), String> {
    for step in target.steps(kinds) {
        eprintln!("loadtest: SIGTERM to {}", step.join(", "));
        target.restart(&step).await?;
        tokio::time::sleep(SEEN).await;
    }
    Ok(())
}

const PASSWORD: &str = "a rotation under way";

/// A rotation under way: the keys before, the keys to come, and a buyer with an account, who logged in before it began.
pub struct Rotation {
    before: String,
    new: String,
    pub new_keys: Arc<TokenKeys>,
    email: String,
    tokens: Vec<String>,
}

impl Rotation {
    pub async fn begin(target: &Target) -> Result<Self, String> {
        let kid = format!("{:016x}", chance()?);
        let (new, new_keys) = new_keys(&kid)?;
        let new_keys = Arc::new(new_keys);
        let before = target.setting(TOKEN_KEYS).ok_or("the fleet's environment names no token keys")?;
        let email = format!("{kid}@loadtest.example");
        let mut rotation = Self { before, new, new_keys, email, tokens: Vec::new() };
        target.account(&rotation.email, PASSWORD).await?;
        rotation.enter(target).await?;
        Ok(rotation)
    }

    /// The new keys verify everywhere before one of them signs anywhere.
    pub async fn publish(&mut self, target: &mut Target) -> Result<(), String> {
        self.deploy(target, format!("{},{}", self.before, self.new), "the new keys verify").await?;
        self.everybody_is_in(target).await
    }

    /// The new ones sign; what the old ones signed is good for as long as it lives.
    pub async fn sign(&mut self, target: &mut Target) -> Result<(), String> {
        self.deploy(target, format!("{},{}", self.new, self.before), "the new keys sign").await?;
        self.enter(target).await?;
        self.everybody_is_in(target).await
    }

    /// After the life of the longest token: no token of the old keys is good any more.
    pub async fn drop_old(&mut self, target: &mut Target) -> Result<(), String> {
        self.deploy(target, self.new.clone(), "the old keys are gone").await?;
        let old = self.tokens.remove(0);
        for (gateway, status) in statuses(target, &old).await? {
            if status != 401 {
                return Err(format!("{gateway} answers {status} to a token of a key that is gone"));
            }
        }
        self.everybody_is_in(target).await
    }

    async fn deploy(&self, target: &mut Target, keys: String, what: &str) -> Result<(), String> {
        eprintln!("loadtest: {what}");
        target.set(TOKEN_KEYS, &keys)?;
        roll(target, &KEY_KINDS.map(str::to_owned)).await
    }

    async fn enter(&mut self, target: &Target) -> Result<(), String> {
        let login = json!({ "email": self.email, "password": PASSWORD });
        let answer = Client::new(&target.gateways[0]).post("/v1/sessions", "", login.to_string()).await?;
        match (answer.status, answer.json()["access_token"].as_str()) {
            (201, Some(token)) => self.tokens.push(token.to_owned()),
            (status, _) => return Err(format!("a log-in was answered {status}")),
        }
        Ok(())
    }

    /// No client was logged out.
    async fn everybody_is_in(&self, target: &Target) -> Result<(), String> {
        for token in &self.tokens {
            for (gateway, status) in statuses(target, token).await? {
                if status != 200 {
                    return Err(format!("{gateway} answers {status} to a client that is logged in"));
                }
            }
        }
        Ok(())
    }
}

/// What each gateway says to the bearer of a token.
async fn statuses(target: &Target, token: &str) -> Result<Vec<(String, u16)>, String> {
    let mut statuses = Vec::new();
    for gateway in &target.gateways {
        statuses.push((gateway.clone(), Client::new(gateway).get("/v1/me", token).await?.status));
    }
    Ok(statuses)
}
