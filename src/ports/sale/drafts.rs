//! Sales that operators still work at: unseen until they are published, and corrected as long as that may be. What changes one takes who
//! answers for it, and is in the journal with its effect.

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::sale::Sale;
use crate::domain::sale::edit::Fixed;
use crate::domain::shared::id::{RequestId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::sale::catalogue::{Changed, NewSale};
use crate::ports::sale::showcase::ListedSale;

/// All that is shown of one. Units of it may be out of sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub listed: ListedSale,
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// As it is now; unchanged where nothing differed.
    Sale(Sale),
    /// There is no such sale.
    Missing,
    /// It was changed since it was read, and has this version.
    Stale {
        version: u64,
    },
    Fixed(Fixed),
}

#[async_trait]
pub trait Drafts: Send + Sync + 'static {
    /// As [`Catalogue::create_sale_once`](crate::ports::sale::catalogue::Catalogue::create_sale_once), and in no list.
    async fn create_draft_once(
        &self,
        sale: &NewSale,
        request: Option<RequestId>,
        by: Option<&Author>,
    ) -> Result<Option<Sale>>;

    /// Those that are not closed, newest first, behind this one.
    async fn drafts_after(&self, after: Option<SaleId>, max: u32) -> Result<Vec<Draft>>;

    /// Once: one that is published stays as it is.
    async fn publish(&self, id: SaleId, by: Option<&Author>) -> Result<Changed>;

    /// `to_be` is the sale as it was read, with its version, and what is to be otherwise; its item's text, where that is given. State,
    /// generation and key stay whatever it says. Texts are never written over: another text is another item.
    async fn edit(
        &self,
        to_be: &Sale,
        description: Option<&str>,
        now: Timestamp,
        by: Option<&Author>,
    ) -> Result<Edited>;
}
