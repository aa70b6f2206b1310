//! The gateway over the Embedded parts: its routes as people call them, and each checkout stopped between any two effects.

mod account;
mod admissions;
mod blocks;
mod box_office;
mod buying;
mod cancelling;
mod catalogue;
mod check_ins;
mod codes;
mod document;
mod drafts;
mod edges;
mod exports;
mod failing_refunds;
pub mod fixture;
mod free;
mod holders;
mod input;
mod journal;
mod limits;
mod once;
mod operators;
mod own_accounts;
mod paging;
mod parts;
mod payable;
mod people;
mod plans;
mod races;
mod receipts;
mod refunding;
mod roles;
mod rotating;
mod running;
mod searching;
mod second_factor;
mod sessions;
mod stopped;
mod till;
mod undoing;
mod waiting;
mod webhooks;
pub mod worlds;

/// Each story once over each ledger.
macro_rules! over_both {
    ($($story:ident)*) => {
        mod over_sqlite {
            $(#[actix_web::test]
            async fn $story() {
                super::$story(crate::gateway::fixture::Fixture::new().await).await;
            })*
        }

        #[cfg(feature = "servers")]
        mod over_mysql {
            $(#[actix_web::test]
            async fn $story() {
                super::$story(crate::gateway::fixture::Fixture::on_mysql().await).await;
            })*
        }
    };
}
use over_both;
