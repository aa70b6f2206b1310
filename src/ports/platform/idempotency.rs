//! Requests that cost something, by the key that their caller gave them: each is carried out once, and answered the same again.
//!
//! A request is claimed before its effect and kept with its answer after it. A process that crashes in between leaves a claim that
//! ends by itself; the next caller carries the request out again, under the same [`RequestId`], and every effect is idempotent
//! under that. A claim that was taken over keeps nothing any more.

use async_trait::async_trait;

use crate::domain::shared::id::RequestId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Who asked under which key, and nothing of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

#[derive(Debug, Clone)]
pub struct Asked {
    pub key: Key,
    /// By each of the secrets that are good now. The first is written down, all are compared: a secret can be changed.
    pub fingerprints: Vec<Fingerprint>,
    /// The effect's id, when this is the first to ask.
    pub request: RequestId,
    pub now: Timestamp,
    pub leased_until: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    Yours(Lease),
    /// Another caller carries it out.
    InFlight,
    /// The key was used for something else.
    OtherPayload,
    Done {
        lease: Lease,
        answer: Answer,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The same for everybody who carries this request out.
    pub request: RequestId,
    /// Counts the callers that carried it out; a later one's claim ends the earlier ones'.
    pub attempt: u64,
}

impl Lease {
    /// An earlier try began, and it is not known how far it came.
    pub fn is_again(self) -> bool {
        self.attempt > 1
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Kept {
        status: u16,
        content_type: String,
        body: Vec<u8>,
    },
    /// It holds a secret, or is too long: it is not kept, and the request is carried out again when it is asked again.
    Anew,
}

#[async_trait]
pub trait Idempotency: Send + Sync + 'static {
    /// One conditional write decides among all that ask under one key. What has expired counts as never asked.
    async fn claim(&self, asked: &Asked) -> Result<Claim>;

    /// Says whether the lease still held.
    async fn keep(&self, key: Key, lease: Lease, answer: &Answer) -> Result<bool>;

    /// Nothing definite came of it: the next caller need not wait for the lease to end.
    async fn let_go(&self, key: Key, lease: Lease) -> Result<()>;

    /// It was refused, and nothing was done: as if it had never been asked. Where others have claimed it since, it is theirs.
    async fn withdraw(&self, key: Key, lease: Lease) -> Result<()>;

    /// Removes some of what has expired, and says how many.
    async fn forget(&self, now: Timestamp, max: u32) -> Result<u64>;
}
