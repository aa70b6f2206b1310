//! Kinds of problems, and rules of fields: what any server may say. Subjects declare their own beside what says them.

use actix_web::http::StatusCode;

/// Why a request was not met. The name is the last segment of the problem's `type`. Small, because every problem has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind(&'static Declared);

/// What [`crate::problem_kinds`] makes a kind of.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Declared {
    pub type_uri: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
}

const TYPE_PREFIX: &str = "/problems/";

impl Kind {
    /// For [`crate::problem_kinds`].
    pub const fn declared(declared: &'static Declared) -> Self {
        Self(declared)
    }

    pub fn name(self) -> &'static str {
        self.0.type_uri.trim_start_matches(TYPE_PREFIX)
    }

    pub fn status(self) -> StatusCode {
        self.0.status
    }

    pub fn title(self) -> &'static str {
        self.0.title
    }

    pub fn type_uri(self) -> &'static str {
        self.0.type_uri
    }
}

/// `problem_kinds! { NAME = "name", STATUS, "Title"; }` makes a constant of each kind, and `KINDS` of all of them.
#[macro_export]
macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $status:ident, $title:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $kind: $crate::kit::http::kind::Kind =
                $crate::kit::http::kind::Kind::declared(&$crate::kit::http::kind::Declared {
                    type_uri: concat!("/problems/", $name),
                    status: actix_web::http::StatusCode::$status,
                    title: $title,
                });
        )*
        pub const KINDS: &[$crate::kit::http::kind::Kind] = &[$($kind),*];
    };
}

/// [`crate::problem_kinds`] for the kinds of [`Kind`] itself.
macro_rules! general_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $status:ident, $title:literal;)*) => {
        impl Kind {
            $(
                $(#[$doc])*
                pub const $kind: Kind = Kind::declared(&Declared {
                    type_uri: concat!("/problems/", $name),
                    status: StatusCode::$status,
                    title: $title,
                });
            )*
            pub const GENERAL: &'static [Kind] = &[$(Kind::$kind),*];
        }
    };
}

general_kinds! {
    INVALID = "invalid", BAD_REQUEST, "The request is not valid";
    UNAUTHORIZED = "unauthorized", UNAUTHORIZED, "A valid token is needed";
    FORBIDDEN = "forbidden", FORBIDDEN, "This is not yours to do";
    NOT_FOUND = "not_found", NOT_FOUND, "There is no such thing";
    METHOD_NOT_ALLOWED = "method_not_allowed", METHOD_NOT_ALLOWED, "This cannot be done here";
    PAYLOAD_TOO_LARGE = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    HEAD_TOO_LARGE = "head_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of the request is too large";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON";
    /// The head or the body never came, or came too slowly.
    REQUEST_TIMEOUT = "request_timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    /// What was asked does not fit what is there, and no narrower kind says so.
    CONFLICT = "conflict", CONFLICT, "This does not fit the present state";
    TOO_MANY_REQUESTS = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests";
    /// More is asked than can be taken in now.
    BUSY = "busy", SERVICE_UNAVAILABLE, "Too busy; come again shortly";
    /// A server that this needs is away.
    UNAVAILABLE = "unavailable", SERVICE_UNAVAILABLE, "Not available; come again shortly";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
}

/// What is wrong with a field, for a page that says it in its reader's language; `min` and `max` stand beside it where it has
/// bounds. A subject whose fields keep to rules of their own declares them by [`Rule::declared`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule(&'static str);

impl Rule {
    pub const MISSING: Rule = Rule("missing");
    pub const UNKNOWN: Rule = Rule("unknown");
    /// Of another type, such as a text where a number is wanted.
    pub const TYPE: Rule = Rule("type");
    pub const EMPTY: Rule = Rule("empty");
    /// Characters.
    pub const LENGTH: Rule = Rule("length");
    /// Parts of a list.
    pub const COUNT: Rule = Rule("count");
    pub const RANGE: Rule = Rule("range");
    pub const CONTROL: Rule = Rule("control_characters");
    /// Not later than what must come before it.
    pub const ORDER: Rule = Rule("order");
    pub const REPEATED: Rule = Rule("repeated");
    /// It names something that is not there.
    pub const NO_SUCH: Rule = Rule("no_such");
    /// It was done before.
    pub const DONE: Rule = Rule("done");

    pub const GENERAL: &'static [Rule] = &[
        Rule::MISSING,
        Rule::UNKNOWN,
        Rule::TYPE,
        Rule::EMPTY,
        Rule::LENGTH,
        Rule::COUNT,
        Rule::RANGE,
        Rule::CONTROL,
        Rule::ORDER,
        Rule::REPEATED,
        Rule::NO_SUCH,
        Rule::DONE,
    ];

    pub const fn declared(name: &'static str) -> Self {
        Self(name)
    }

    pub fn name(self) -> &'static str {
        self.0
    }
}
