//! Pushes to buyers, to every gateway. Best effort: a buyer who asks gets the truth of the ledger. A push that could not be sent
//! is reported as missed as soon as possible, and its subscribers read the ledger again.

use async_trait::async_trait;

use crate::domain::sale::notice::{Missed, Notice};
use crate::domain::shared::id::SaleId;
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeItem {
    Notices(Vec<Notice>),
    /// Sent by a process that could not push, or found by a subscriber.
    Missed(Missed),
}

#[async_trait]
pub trait NoticeStream: Send + 'static {
    /// A fault means: subscribe again. Loses nothing when it is dropped while it waits.
    async fn next(&mut self) -> Result<NoticeItem>;
}

#[async_trait]
pub trait Notices: Send + Sync + 'static {
    /// Where this fails, or is dropped before it returns, the sales are said to be missed later.
    async fn tell(&self, notices: &[Notice]) -> Result<()>;

    /// Something happened in this sale that no notice could be made of.
    fn missed(&self, sale: SaleId);

    async fn notices(&self) -> Result<Box<dyn NoticeStream>>;
}
