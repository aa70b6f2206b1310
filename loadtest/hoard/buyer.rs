//! One buyer: asks to be admitted, works where that is asked for, presses, and looks what became of it. Honest ones pay for what
//! they hold; hoarders let it lapse and come again.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use serde_json::{Value, json};

use super::stage::Stage;
use super::tally::Side;
use super::work::solve;
use crate::client::Answer;
use crate::keys::TOKEN_MS;

const FIRST_HOARDER: u64 = 4_000_000_000_000;
const FIRST_HONEST: u64 = 5_000_000_000_000;
/// Asking, working, asking with the work; once more where that came too late.
const ASKS: u32 = 4;
/// Between looks while a decision or the end of a hold is due, and before a press that was shed comes again.
const SOON: Duration = Duration::from_millis(10);
const SHED: Duration = Duration::from_millis(250);

pub struct Buyer {
    stage: Arc<Stage>,
    side: Side,
    number: u64,
    admission: Option<Admission>,
}

struct Admission {
    token: String,
    until_ms: i64,
}

/// What comes after a turn.
pub enum Next {
    /// Another one, at once or after a while.
    Again,
    Later(Duration),
    /// Nothing is given to this account for so long.
    Waits(Duration),
    /// Nor ever.
    Out,
    Paid,
}

impl Buyer {
    pub fn new(stage: &Arc<Stage>, side: Side, number: u64) -> Self {
        Self { stage: stage.clone(), side, number, admission: None }
    }

    fn id(&self) -> u64 {
        match self.side {
            Side::Hoarder => FIRST_HOARDER + self.number,
            Side::Honest => FIRST_HONEST + self.number,
        }
    }

    /// Of the networks kept for benchmarks (RFC 2544): hoarders share some, each honest buyer has one.
    fn address(&self) -> Ipv4Addr {
        let networks = match self.side {
            Side::Hoarder => u64::from(self.stage.options.networks),
            Side::Honest => 256,
        };
        let (network, host) = (self.number % networks, 1 + self.number / networks % 254);
        Ipv4Addr::new(198, if self.side == Side::Hoarder { 18 } else { 19 }, network as u8, host as u8)
    }

    async fn call(&self, method: Method, path: &str, token: &str, body: String) -> Result<Answer, String> {
        self.stage.pool(self.side).call(self.address(), (method, path), token, body).await
    }

    /// As whoever has logged in: these accounts are signed by the shop's keys, and nobody signed up.
    async fn as_shopper(&self, method: Method, path: &str, body: String) -> Result<Answer, String> {
        let now = SystemClock::machine_now();
        let token = self.stage.keys.sign_access(BuyerId(self.id()), Role::Shopper, now, TOKEN_MS);
        self.call(method, path, &token, body).await
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/sales/{}/{what}", self.stage.sale)
    }

    /// Once through it.
    pub async fn turn(&mut self) -> Next {
        let now_ms = SystemClock::machine_now().0;
        self.admission = self.admission.take().filter(|admission| now_ms < admission.until_ms);
        if self.admission.is_none() {
            match self.ask().await {
                Ok(Some(admission)) => self.admission = Some(admission),
                Ok(None) => return self.follow(None).await,
                Err(next) => return next,
            }
        }
        if !self.stage.bell().await {
            return Next::Out;
        }
        match self.press().await {
            Ok(attempt) => self.follow(Some(&attempt)).await,
            Err(next) => next,
        }
    }

    /// Nothing where there is a reservation.
    async fn ask(&self) -> Result<Option<Admission>, Next> {
        let later = || Next::Later(self.stage.scale.tenth());
        let mut body = json!({});
        for _ in 0..ASKS {
            let answer = self.as_shopper(Method::POST, &self.path("admission"), body.to_string()).await;
            let answer = answer.map_err(|_| later())?;
            let said = answer.json();
            if answer.status == 200 {
                self.stage.tally().of(self.side).accounts.insert(self.id());
                let token = said["admission"].as_str().unwrap_or_default().to_owned();
                return Ok(Some(Admission { token, until_ms: said["until"].as_i64().unwrap_or_default() }));
            }
            let why = said["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned();
            self.stage.tally().of(self.side).turn_away(self.id(), &why);
            match why.as_str() {
                "has_reservation" => return Ok(None),
                "proof_needed" => body = self.worked(&said).await.ok_or_else(later)?,
                "cooling_off" => {
                    let ms = said["until"].as_i64().unwrap_or_default() - SystemClock::machine_now().0;
                    return Err(Next::Waits(Duration::from_millis(ms.max(0).unsigned_abs())));
                }
                "network_full" => return Err(Next::Waits(self.stage.scale.tenth())),
                "lapsed_out" => return Err(Next::Out),
                _ => return Err(later()),
            }
        }
        Err(later())
    }

    async fn worked(&self, asked: &Value) -> Option<Value> {
        let challenge = asked["challenge"].as_str()?.to_owned();
        let bits = u32::try_from(asked["bits"].as_u64()?).ok()?;
        let solved = solve(challenge.clone(), bits).await.ok()?;
        if self.side == Side::Hoarder {
            self.stage.tally().digests += solved.tried;
        }
        Some(json!({ "challenge": challenge, "solution": solved.solution }))
    }

    fn quantity(&self) -> u8 {
        let most = self.stage.options.quantity_max;
        match self.side {
            Side::Hoarder => most,
            Side::Honest => fastrand::Rng::with_seed(self.number).u8(1..=most),
        }
    }

    async fn press(&mut self) -> Result<String, Next> {
        let token = self.admission.as_ref().map(|admission| admission.token.clone()).unwrap_or_default();
        let body = json!({ "quantity": self.quantity() }).to_string();
        let answer = self.call(Method::POST, &self.path("attempts"), &token, body).await;
        let answer = answer.map_err(|_| Next::Later(SHED))?;
        match (answer.status, answer.json()["attempt_id"].as_str()) {
            (202, Some(attempt)) => Ok(attempt.to_owned()),
            (200, _) => Err(Next::Later(self.stage.scale.tenth())),
            (403, _) => {
                self.admission = None;
                Err(Next::Again)
            }
            // Not known everywhere yet, or not open yet, or shed.
            (404 | 409 | 429 | 503, _) => Err(Next::Later(SHED)),
            (status, _) => {
                self.stage.tally().surprise(format!("an attempt was answered {status}: {}", answer.json()));
                Err(Next::Later(SHED))
            }
        }
    }

    /// Until it is paid, has lapsed or came to nothing.
    async fn follow(&self, attempt: Option<&str>) -> Next {
        let path = self.path(&attempt.map_or_else(
            || "reservation?wait_ms=0".to_owned(),
            |attempt| format!("reservation?attempt={attempt}&wait_ms=0"),
        ));
        let (tenth, mut was_held) = (self.stage.scale.tenth(), false);
        loop {
            let said = match self.as_shopper(Method::GET, &path, String::new()).await {
                Ok(answer) => answer.json(),
                Err(_) => Value::Null,
            };
            let status = said["status"].as_str().unwrap_or_default();
            if !was_held && ["held", "paying", "confirmed", "lapsed"].contains(&status) {
                was_held = true;
                self.stage.tally().of(self.side).holds += 1;
            }
            let pause = match status {
                // Whoever has begun to pay goes on to the end.
                "held" if self.side == Side::Honest => {
                    if self.pay(&said).await {
                        return self.paid(&said);
                    }
                    tokio::time::sleep(SHED).await;
                    continue;
                }
                "held" | "paying" => {
                    let left = said["lapses_at"].as_i64().unwrap_or_default() - SystemClock::machine_now().0;
                    Duration::from_millis(left.max(0).unsigned_abs()).max(SOON)
                }
                "standby" => tenth,
                "pending" => SOON,
                "confirmed" => return self.paid(&said),
                "lapsed" => return Next::Again,
                // No answer is one that comes later.
                "" => SHED,
                _ => return Next::Later(tenth),
            };
            if !self.stage.rest(pause).await {
                return Next::Out;
            }
        }
    }

    /// Where it is not answered so, the next look tells.
    async fn pay(&self, held: &Value) -> bool {
        let checkout = held["checkout_token"].as_str().unwrap_or_default();
        let body = json!({ "checkout_token": checkout, "card": "ok" }).to_string();
        let answer = self.as_shopper(Method::POST, "/v1/checkouts", body).await;
        answer.is_ok_and(|answer| [200, 201].contains(&answer.status))
    }

    fn paid(&self, said: &Value) -> Next {
        let units = said["quantity"].as_u64().unwrap_or_default();
        let at = self.stage.periods();
        let mut tally = self.stage.tally();
        tally.of(self.side).units += units;
        tally.sold_at.extend((0..units).map(|_| at));
        Next::Paid
    }

    /// Whatever it has in the sale.
    pub async fn let_go(&self) -> Result<(), String> {
        self.as_shopper(Method::DELETE, &self.path("reservation"), String::new()).await.map(drop)
    }
}
