//! Pushes to buyers, to every gateway. Best effort: a buyer who asks gets the truth of the ledger.

use crate::domain::notice::Notice;
use crate::ports::Result;

pub trait NoticeStream: Send + 'static {
    /// A fault means: subscribe again.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Notice>>> + Send;
}

pub trait Notices: Send + Sync + 'static {
    type Stream: NoticeStream;

    fn tell(&self, notices: &[Notice]) -> impl Future<Output = Result<()>> + Send;

    fn notices(&self) -> impl Future<Output = Result<Self::Stream>> + Send;
}
