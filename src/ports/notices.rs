//! Pushes to buyers, to every gateway. Best effort: a buyer who asks gets the truth of the ledger. What could not be told is not
//! forgotten in silence, though: it is said to be missed as soon as that can be said, and whoever watches looks again.

use crate::domain::id::SaleId;
use crate::domain::notice::{Missed, Notice};
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeItem {
    Notices(Vec<Notice>),
    /// Said by whoever could not tell, or found by whoever listens.
    Missed(Missed),
}

pub trait NoticeStream: Send + 'static {
    /// A fault means: subscribe again. Loses nothing when it is dropped while it waits.
    fn next(&mut self) -> impl Future<Output = Result<NoticeItem>> + Send;
}

pub trait Notices: Send + Sync + 'static {
    type Stream: NoticeStream;

    /// Where this fails, or is dropped before it returns, the sales are said to be missed later.
    fn tell(&self, notices: &[Notice]) -> impl Future<Output = Result<()>> + Send;

    /// Something happened in this sale of which nobody could make a notice.
    fn missed(&self, sale: SaleId);

    fn notices(&self) -> impl Future<Output = Result<Self::Stream>> + Send;
}
