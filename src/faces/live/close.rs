//! Why a socket is closed: the code and the word that travel in the close frame, and whether its client should come back.

use serde::Serialize;

use crate::kit::socket::Broken;

/// Codes below 4000 are RFC 6455's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The client said goodbye first.
    Goodbye,
    /// Not what RFC 6455 allows.
    Protocol,
    /// Messages here are texts.
    NotText,
    NotUtf8,
    /// One message is longer than a message may be.
    TooLarge,
    /// This process stops; another is there. Milliseconds to wait, different for each socket.
    Restart {
        come_back_in_ms: u64,
    },
    /// A message that cannot be parsed.
    BadMessage,
    /// The token is none, or not for this.
    Unauthorized,
    /// The token's time is over: log in again, then come back.
    Expired,
    /// The token was good when it came; its account has logged out everywhere since, or was erased.
    LoggedOut,
    /// Another buyer's token on a socket that has its buyer.
    OtherBuyer,
    /// No token came in time.
    HelloLate,
    /// The client has been silent for too long.
    Silent,
    /// What is told is not read.
    TooSlow,
    TooManyMessages,
    /// Of this buyer.
    TooManySockets,
}

/// What a client does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Come back by itself, after a while.
    ComeBack,
    /// Only with another token.
    LogIn,
    /// Something here must be changed first; coming back as it is would end the same way.
    Stay,
}

impl Close {
    pub fn code(self) -> u16 {
        match self {
            Close::Goodbye => 1000,
            Close::Protocol => Broken::Protocol.code(),
            Close::NotText => 1003,
            Close::NotUtf8 => Broken::NotUtf8.code(),
            Close::TooLarge => Broken::TooLarge.code(),
            Close::Restart { .. } => 1012,
            Close::BadMessage => 4400,
            Close::Unauthorized => 4401,
            Close::Expired => 4402,
            Close::OtherBuyer => 4403,
            Close::LoggedOut => 4404,
            Close::HelloLate => 4408,
            Close::Silent => 4409,
            Close::TooSlow => 4413,
            Close::TooManyMessages => 4429,
            Close::TooManySockets => 4430,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Close::Goodbye => "goodbye",
            Close::Protocol => "protocol",
            Close::NotText => "not_text",
            Close::NotUtf8 => "not_utf8",
            Close::TooLarge => "too_large",
            Close::Restart { .. } => "restart",
            Close::BadMessage => "bad_message",
            Close::Unauthorized => "unauthorized",
            Close::Expired => "expired",
            Close::OtherBuyer => "other_buyer",
            Close::LoggedOut => "logged_out",
            Close::HelloLate => "hello_late",
            Close::Silent => "silent",
            Close::TooSlow => "too_slow",
            Close::TooManyMessages => "too_many_messages",
            Close::TooManySockets => "too_many_sockets",
        }
    }

    pub fn next(self) -> Next {
        match self {
            Close::Restart { .. } | Close::Silent | Close::TooSlow | Close::HelloLate => Next::ComeBack,
            Close::Unauthorized | Close::Expired | Close::LoggedOut | Close::OtherBuyer => Next::LogIn,
            _ => Next::Stay,
        }
    }

    /// 0 when nothing is known better than the client's own patience.
    pub fn come_back_in_ms(self) -> u64 {
        match self {
            Close::Restart { come_back_in_ms } => come_back_in_ms,
            _ => 0,
        }
    }

    /// Whether a `bye` goes before the close frame: not to who speaks no WebSocket, or went by himself.
    pub fn is_said(self) -> bool {
        !matches!(self, Close::Goodbye | Close::Protocol | Close::NotUtf8 | Close::TooLarge)
    }
}
