//! One buyer's socket, pure: the client's messages, the process's inputs and the heartbeat go in, and what is to be done comes
//! out. Here is no socket, no waiting and no clock.
//!
//! A client says, as JSON texts:
//!
//! - `{"type":"hello","token":…,"sales":[…]}`: who it is and what it watches; `token` is left out where it came as the
//!   subprotocol `bearer.<token>`. Said again with a newer token, it lengthens the socket's life.
//! - `{"type":"watch","sale":…}`: said again, the truth is told again. `{"type":"unwatch","sale":…}`. `{"type":"ping"}`.
//!
//! It is told:
//!
//! - `status`: where it stands in a sale, what `GET …/reservation` answers; `"none"` without a reservation. The first thing told
//!   of a sale, and whenever it changes. Never an older version after a newer one.
//! - `sale`: the sale's counters. `time`: the ledger's time, at the beginning and with every heartbeat. `pong`.
//! - `refused`: a sale that cannot be watched, and why. `bye`: why the socket is closed, and what to do next; then the close.
//!
//! A notice only says "look": what is told was read from the ledger. Reads of one sale follow each other, so that what is read
//! later is not older; what is asked for meanwhile is one more look.

mod terms;
mod watch;
pub mod words;

use crate::domain::shared::id::{ReservationId, SaleId};
use crate::faces::front::settings::sockets::Settings;
use crate::faces::live::close::Close;
pub use crate::faces::live::session::terms::{Effect, Input, Now, Pass, SaleWord, Truth};
use crate::faces::live::session::watch::{Known, Watch};
use crate::faces::live::session::words::Asked;
use crate::kit::socket::{Broken, Incoming};

pub struct Session {
    stage: Stage,
    watches: Vec<Watch>,
    ping_at_ms: u64,
    /// A ping is out; 0 when none is.
    pong_by_ms: u64,
    /// Messages since the second began.
    messages: u32,
    second: u64,
}

enum Stage {
    Stranger {
        until_ms: u64,
    },
    /// The token is being looked at.
    Entering,
    Known(Pass),
    Leaving {
        until_ms: u64,
    },
}

impl Session {
    pub fn new(rules: &Settings, now: Now) -> Self {
        Self {
            stage: Stage::Stranger { until_ms: now.ms + rules.hello_ms_max },
            watches: Vec::new(),
            ping_at_ms: 0,
            pong_by_ms: 0,
            messages: 0,
            second: 0,
        }
    }

    /// A token that came with the handshake.
    pub fn present(&mut self, token: String, acts: &mut Vec<Effect>) {
        self.stage = Stage::Entering;
        acts.push(Effect::Enter(token));
    }

    pub fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Leaving { .. })
    }

    /// The last that was told of this sale.
    pub fn knows(&self, sale: SaleId) -> Option<(ReservationId, u64)> {
        let known = self.watches.iter().find(|watch| watch.sale == sale)?.known.as_ref()?;
        Some((known.reservation, known.version))
    }

    pub fn frame(&mut self, rules: &Settings, now: Now, frame: Incoming, acts: &mut Vec<Effect>) {
        self.pong_by_ms = 0;
        if let Stage::Leaving { .. } = self.stage {
            // Both sides have said it.
            if matches!(frame, Incoming::Close(_) | Incoming::Gone | Incoming::Broken(_)) {
                acts.push(Effect::Drop);
            }
            return;
        }
        if self.is_flood(rules, now, &frame) {
            return self.close(rules, now, Close::TooManyMessages, acts);
        }
        match frame {
            Incoming::Text(text) => match serde_json::from_str(&text) {
                Ok(asked) => self.asked(rules, now, asked, acts),
                Err(_) => self.close(rules, now, Close::BadMessage, acts),
            },
            Incoming::Binary(_) => self.close(rules, now, Close::NotText, acts),
            Incoming::Ping(bytes) => acts.push(Effect::Pong(bytes)),
            Incoming::Pong => {}
            Incoming::Close(_) => {
                self.close(rules, now, Close::Goodbye, acts);
                acts.push(Effect::Drop);
            }
            Incoming::Broken(broken) => {
                let close = match broken {
                    Broken::Protocol => Close::Protocol,
                    Broken::NotUtf8 => Close::NotUtf8,
                    Broken::TooLarge => Close::TooLarge,
                };
                self.close(rules, now, close, acts);
            }
            Incoming::Gone => acts.push(Effect::Drop),
        }
    }

    fn is_flood(&mut self, rules: &Settings, now: Now, frame: &Incoming) -> bool {
        if !matches!(frame, Incoming::Text(_) | Incoming::Ping(_) | Incoming::Pong) {
            return false;
        }
        if self.second != now.ms / 1_000 {
            (self.second, self.messages) = (now.ms / 1_000, 0);
        }
        self.messages += 1;
        self.messages > rules.messages_per_s_max
    }

    fn asked(&mut self, rules: &Settings, now: Now, asked: Asked, acts: &mut Vec<Effect>) {
        let is_stranger = matches!(self.stage, Stage::Stranger { .. });
        match asked {
            Asked::Hello { token, sales } => {
                // However long the list is, the answer is not: what is refused beyond that is not said.
                let mut refused = 0;
                for sale in sales {
                    refused += usize::from(!self.watch(rules, sale, acts));
                    if refused >= rules.watched_max {
                        break;
                    }
                }
                match token {
                    Some(token) => acts.push(Effect::Enter(token)),
                    None if is_stranger => self.close(rules, now, Close::Unauthorized, acts),
                    None => {}
                }
            }
            Asked::Ping {} => acts.push(Effect::Say(words::pong(now.at))),
            _ if is_stranger => self.close(rules, now, Close::Unauthorized, acts),
            Asked::Watch { sale } => {
                self.watch(rules, sale, acts);
            }
            Asked::Unwatch { sale } => {
                if let Some(place) = self.watches.iter().position(|watch| watch.sale == sale) {
                    self.watches.swap_remove(place);
                    acts.push(Effect::Unwatch(sale));
                }
            }
        }
    }

    /// Whether it is watched now; else that was said.
    fn watch(&mut self, rules: &Settings, sale: SaleId, acts: &mut Vec<Effect>) -> bool {
        let is_known = matches!(self.stage, Stage::Known(_));
        if let Some(watch) = self.watches.iter_mut().find(|watch| watch.sale == sale) {
            watch.retell = true;
            watch.look(is_known, acts);
            return true;
        }
        if self.watches.len() >= rules.watched_max {
            acts.push(Effect::Say(words::refused(sale, "too_many")));
            return false;
        }
        // The ledgers number with 63 bits.
        if i64::try_from(sale.0).is_err() {
            acts.push(Effect::Say(words::refused(sale, "no_such_sale")));
            return false;
        }
        self.watches.reserve_exact(1);
        self.watches.push(Watch {
            sale,
            known: None,
            word: 0,
            is_told: false,
            looks: false,
            again: false,
            retell: false,
        });
        if let (true, Some(watch)) = (is_known, self.watches.last_mut()) {
            acts.push(Effect::Watch(sale));
            watch.look(true, acts);
        }
        true
    }

    pub fn told(&mut self, rules: &Settings, now: Now, world: Input, acts: &mut Vec<Effect>) {
        if self.is_leaving() {
            return;
        }
        match world {
            Input::Entered(Err(close)) => self.close(rules, now, close, acts),
            Input::Entered(Ok(pass)) => self.entered(rules, now, pass, acts),
            Input::Truth { sale, truth } => self.learn(sale, truth, acts),
            Input::Notice { sale, reservation, version } => {
                let watch = self.watches.iter_mut().find(|watch| watch.sale == sale);
                if let Some(watch) = watch.filter(|watch| !watch.knows(reservation, version)) {
                    watch.look(true, acts);
                }
            }
            Input::Missed => self.watches.iter_mut().for_each(|watch| watch.look(true, acts)),
            Input::Sale(word) => {
                let watch = self.watches.iter_mut().find(|watch| watch.sale == word.sale);
                if let Some(watch) = watch.filter(|watch| watch.word < word.number) {
                    watch.word = word.number;
                    acts.push(Effect::Say(word.text.clone()));
                }
            }
            Input::TooSlow => self.close(rules, now, Close::TooSlow, acts),
            Input::LoggedOut => self.close(rules, now, Close::LoggedOut, acts),
            Input::Stop { come_back_in_ms } => self.close(rules, now, Close::Restart { come_back_in_ms }, acts),
        }
    }

    fn entered(&mut self, rules: &Settings, now: Now, pass: Pass, acts: &mut Vec<Effect>) {
        match &mut self.stage {
            Stage::Known(known) if known.buyer == pass.buyer => {
                known.expires_at = known.expires_at.max(pass.expires_at);
                return;
            }
            Stage::Known(_) => return self.close(rules, now, Close::OtherBuyer, acts),
            _ => self.stage = Stage::Known(pass),
        }
        self.ping_at_ms = now.ms + rules.ping_ms;
        acts.push(Effect::Say(words::time(now.at)));
        for watch in &mut self.watches {
            acts.push(Effect::Watch(watch.sale));
            watch.look(true, acts);
        }
    }

    fn learn(&mut self, sale: SaleId, truth: Truth, acts: &mut Vec<Effect>) {
        let Some(place) = self.watches.iter().position(|watch| watch.sale == sale) else { return };
        let watch = &mut self.watches[place];
        watch.looks = false;
        let retell = std::mem::take(&mut watch.retell);
        match truth {
            Truth::NoSuchSale => {
                self.watches.swap_remove(place);
                acts.extend([Effect::Unwatch(sale), Effect::Say(words::refused(sale, "no_such_sale"))]);
                return;
            }
            Truth::Nothing => {
                // A reservation does not stop having been.
                if watch.known.is_none() && (retell || !watch.is_told) {
                    watch.is_told = true;
                    acts.push(Effect::Say(words::nothing(sale)));
                }
            }
            Truth::Row { born_at, reservation, version, text } => {
                let order = watch.compare(born_at, reservation, version);
                if order.is_gt() || (retell && order.is_eq()) {
                    watch.known = Some(Known { born_at, reservation, version });
                    watch.is_told = true;
                    acts.push(Effect::Say(text));
                }
            }
        }
        if std::mem::take(&mut watch.again) {
            watch.look(true, acts);
        }
    }

    /// The heartbeat; says when the next one is due at the latest.
    pub fn beat(&mut self, rules: &Settings, now: Now, acts: &mut Vec<Effect>) -> u64 {
        match self.stage {
            Stage::Stranger { until_ms } if now.ms >= until_ms => self.close(rules, now, Close::HelloLate, acts),
            Stage::Known(pass) if now.at >= pass.expires_at => self.close(rules, now, Close::Expired, acts),
            Stage::Known(_) if self.pong_by_ms != 0 && now.ms >= self.pong_by_ms => {
                self.close(rules, now, Close::Silent, acts);
            }
            Stage::Known(_) if now.ms >= self.ping_at_ms => {
                self.ping_at_ms = now.ms + rules.ping_ms;
                if self.pong_by_ms == 0 {
                    self.pong_by_ms = now.ms + rules.pong_ms_max;
                }
                acts.extend([Effect::Ping, Effect::Say(words::time(now.at))]);
            }
            Stage::Leaving { until_ms } if now.ms >= until_ms => acts.push(Effect::Drop),
            _ => {}
        }
        match self.stage {
            Stage::Stranger { until_ms } | Stage::Leaving { until_ms } => until_ms,
            Stage::Entering => now.ms + rules.hello_ms_max,
            Stage::Known(pass) => {
                let left_ms = u64::try_from(pass.expires_at.since_ms(now.at)).unwrap_or(0);
                let pong = if self.pong_by_ms == 0 { u64::MAX } else { self.pong_by_ms };
                pong.min(self.ping_at_ms).min(now.ms.saturating_add(left_ms))
            }
        }
    }

    fn close(&mut self, rules: &Settings, now: Now, close: Close, acts: &mut Vec<Effect>) {
        self.stage = Stage::Leaving { until_ms: now.ms + rules.linger_ms_max };
        self.watches = Vec::new();
        if close.is_said() {
            acts.push(Effect::Say(words::bye(close)));
        }
        acts.push(Effect::Close(close));
    }
}
