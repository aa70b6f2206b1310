//! Between a session, which is pure, and its socket: a task that hands the session what came, and does what it says.
//!
//! It polls by hand: an idle task is this struct and nothing else.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::app::sale::subscribers::SocketSubscription;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::trace::Mark;
use crate::faces::live::close::Close;
use crate::faces::live::look::{Seen, look};
use crate::faces::live::mailbox::Mailbox;
use crate::faces::live::metric::Metric;
use crate::faces::live::session::{Effect, Input, Now, Pass, Session};
use crate::faces::live::topic::Message;
use crate::faces::live::turns::{Turn, in_turns};
use crate::faces::live::wheel::Wheel;
use crate::faces::live::{Live, Place};
use crate::faces::tokens::access::Principal;
use crate::kit::socket::{Incoming, Outgoing, Socket};
use crate::kit::telemetry::trace::{Kind, Span, carried, carry};

type Looking = Pin<Box<dyn Future<Output = Seen>>>;

pub struct Connection<S> {
    live: Live,
    wheel: Rc<Wheel>,
    socket: S,
    session: Session,
    mailbox: Arc<Mailbox>,
    seat: Option<SocketSubscription>,
    buyer: BuyerId,
    /// Whom its newest token names.
    principal: Option<Principal>,
    looking: Option<Looking>,
    /// Reads that wait for their turn.
    looks: Vec<(SaleId, bool)>,
    /// A traced notice of this sale is on its way to the client.
    traced: Option<Box<(SaleId, Span)>>,
    is_over: bool,
    why: &'static str,
    place: Place,
}

impl<S: Socket> Connection<S> {
    pub fn new(live: Live, place: Place, token: Option<String>, socket: S) -> Self {
        let wheel = Wheel::here(live.lifecycle());
        let now = Now { ms: wheel.now_ms(), at: live.clock().now() };
        let session = Session::new(live.rules(), now);
        metrics::counter!(Metric::SocketsOpened.name()).increment(1);
        metrics::gauge!(Metric::Sockets.name()).increment(1.0);
        let mut connection = Self {
            live,
            wheel,
            socket,
            session,
            mailbox: Arc::default(),
            seat: None,
            buyer: BuyerId(0),
            principal: None,
            looking: None,
            looks: Vec::new(),
            traced: None,
            is_over: false,
            why: "gone",
            place,
        };
        let mut acts = Vec::new();
        if let Some(token) = token {
            connection.session.present(token, &mut acts);
        }
        connection.act(acts);
        connection.beat();
        if connection.live.is_stopping() {
            connection.mailbox.stop();
        }
        connection
    }

    fn now(&self) -> Now {
        Now { ms: self.wheel.now_ms(), at: self.live.clock().now() }
    }

    fn tell(&mut self, needs: Input) {
        let (now, mut acts) = (self.now(), Vec::new());
        self.session.told(self.live.rules(), now, needs, &mut acts);
        self.act(acts);
    }

    fn beat(&mut self) {
        let (now, mut acts) = (self.now(), Vec::new());
        let due_ms = self.session.beat(self.live.rules(), now, &mut acts);
        self.act(acts);
        if !self.is_over {
            self.wheel.put(due_ms, self.mailbox.clone());
        }
    }

    fn open_mail(&mut self, cx: &mut Context<'_>) -> bool {
        let mail = self.mailbox.take(cx.waker());
        let mut is_news = mail.beat || mail.stop || mail.missed || mail.revoked;
        let is_out = |principal| self.live.admitted(principal).is_err();
        if mail.revoked && self.principal.is_some_and(is_out) {
            self.tell(Input::LoggedOut);
        }
        if mail.stop {
            let spread_ms = self.live.rules().drain_spread_ms;
            self.tell(Input::Stop { come_back_in_ms: fastrand::u64(0..=spread_ms) });
        }
        if mail.missed {
            self.tell(Input::Missed);
        }
        for message in mail.waiting.into_messages() {
            is_news = true;
            self.tell(match message {
                Message::Sale(word) => Input::Sale(word),
                Message::Status { sale, reservation, version } => Input::Notice { sale, reservation, version },
            });
        }
        if let Some(traced) = mail.traced {
            self.trace(*traced);
        }
        if mail.beat {
            self.beat();
        }
        is_news
    }

    /// From the notice until the truth is said; a notice of what is known already is nothing to look at.
    fn trace(&mut self, (sale, mark): (SaleId, Mark)) {
        let mut span = Span::of(Kind::Internal, || "tell socket".into(), &[mark]);
        span.set("network.protocol.name", "websocket");
        span.set("sale.id", sale.to_string());
        let will_look = self.looks.iter().any(|(waiting, _)| *waiting == sale);
        self.traced = will_look.then(|| Box::new((sale, span)));
    }

    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        let mut heard = Vec::new();
        if self.socket.poll_read(cx, &mut heard).is_pending() {
            return false;
        }
        for frame in heard {
            if frame == Incoming::Gone {
                self.is_over = true;
                break;
            }
            let (now, mut acts) = (self.now(), Vec::new());
            self.session.frame(self.live.rules(), now, frame, &mut acts);
            self.act(acts);
        }
        true
    }

    fn look(&mut self, cx: &mut Context<'_>) -> bool {
        if self.looking.is_none() {
            let Some((sale, first)) = self.looks.pop() else { return false };
            if self.looks.is_empty() {
                self.looks = Vec::new();
            }
            let look = look(self.live.clone(), sale, self.buyer, first);
            self.looking = Some(match &self.traced {
                Some(traced) if traced.0 == sale => Box::pin(carried(traced.1.hold(carry), look)),
                _ => Box::pin(look),
            });
        }
        let Some(looking) = &mut self.looking else { return false };
        let Poll::Ready((sale, truth, word)) = looking.as_mut().poll(cx) else { return false };
        self.looking = None;
        let traced = self.traced.take_if(|traced| traced.0 == sale);
        self.tell(Input::Truth { sale, truth });
        if let Some((reservation, version)) = self.session.knows(sale) {
            self.mailbox.told(sale, reservation, version);
        }
        drop(traced);
        if let Some(word) = word {
            self.tell(Input::Sale(word));
        }
        true
    }

    fn act(&mut self, acts: Vec<Effect>) {
        for act in acts {
            match act {
                Effect::Say(text) => {
                    metrics::counter!(Metric::SocketMessages.name()).increment(1);
                    self.socket.send(Outgoing::Text(text));
                }
                Effect::Ping => self.socket.send(Outgoing::Ping),
                Effect::Pong(bytes) => self.socket.send(Outgoing::Pong(bytes)),
                Effect::Enter(token) => {
                    let entered = self.enter(&token);
                    self.tell(Input::Entered(entered));
                }
                Effect::Watch(sale) => {
                    self.mailbox.watch(sale);
                    self.live.crowd().watch(sale, &self.mailbox);
                }
                Effect::Unwatch(sale) => {
                    self.mailbox.unwatch(sale);
                    self.live.crowd().unwatch(sale, &self.mailbox);
                }
                Effect::Look { sale, first } => self.looks.push((sale, first)),
                Effect::Close(close) => {
                    self.why = close.name();
                    self.leave();
                    self.socket.send(Outgoing::Close(close.code(), close.name()));
                    let linger_ms = self.live.rules().linger_ms_max;
                    self.wheel.put(self.wheel.now_ms() + linger_ms, self.mailbox.clone());
                }
                Effect::Drop => self.is_over = true,
            }
        }
    }

    /// The token's buyer takes a place in the register, before anything is read of him. Then it is asked whether he logged out:
    /// who does so from now on is told to the place.
    fn enter(&mut self, token: &str) -> Result<Pass, Close> {
        let verified = self.live.access().verify_until(token);
        let (principal, expires_at) = verified.map_err(|_| Close::Unauthorized)?;
        if self.live.clock().now() >= expires_at {
            return Err(Close::Expired);
        }
        if self.seat.is_none() {
            let seat = self.live.registry().seat(principal.buyer, &self.mailbox);
            self.seat = Some(seat.map_err(|_full| Close::TooManySockets)?);
            self.buyer = principal.buyer;
            self.mailbox.is_of(principal.buyer);
        }
        self.live.admitted(principal).map_err(|_| Close::Unauthorized)?;
        if principal.buyer == self.buyer {
            self.principal = Some(principal);
        }
        self.place.becomes_known();
        Ok(Pass { buyer: principal.buyer, expires_at })
    }

    /// Unsubscribes it: no sender reaches it any more.
    fn leave(&mut self) {
        for sale in self.mailbox.unwatch_all() {
            self.live.crowd().unwatch(sale, &self.mailbox);
        }
        self.seat = None;
        self.looking = None;
        self.looks = Vec::new();
    }
}

impl<S: Socket> Connection<S> {
    fn turn(&mut self, cx: &mut Context<'_>) -> Turn {
        let mut goes_on = self.open_mail(cx);
        goes_on |= self.read(cx);
        goes_on |= self.look(cx);
        let flushed = self.socket.poll_flush(cx);
        if self.live.rules().is_too_slow(self.socket.waiting_bytes()) && !self.session.is_leaving() {
            self.tell(Input::TooSlow);
        }
        match (self.is_over || matches!(flushed, Poll::Ready(Err(_))), goes_on) {
            (true, _) => Turn::IsOver,
            (_, true) => Turn::GoesOn,
            (_, false) => Turn::Waits,
        }
    }
}

impl<S: Socket> Future for Connection<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        in_turns(cx, |cx| this.turn(cx))
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        for sale in self.mailbox.unwatch_all() {
            self.live.crowd().unwatch(sale, &self.mailbox);
        }
        metrics::gauge!(Metric::Sockets.name()).decrement(1.0);
        metrics::counter!(Metric::SocketsClosed.name(), "why" => self.why).increment(1);
    }
}
