//! What goes of what is over, call by call: counted by a reader, or removed in one transaction.

use async_trait::async_trait;

use super::dialect::Store;
use super::{certificates, ended, fault, mail_log};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::audit::retention::{Certificate, Piece, Retention, SaleOver};

#[async_trait]
impl Retention for Store {
    async fn sales_over(&self, after: Option<SaleId>, before: Timestamp, max: u32) -> Result<Vec<SaleOver>> {
        certificates::over(&mut *self.reader().await?, after, before, max).await.map_err(fault)
    }

    async fn certify(&self, certificate: &Certificate) -> Result<bool> {
        let args = certificate.clone();
        self.write("certificates.certify", args, |c, args| Box::pin(certificates::certify(c, args))).await
    }

    async fn remove_turns(&self, certificate: &Certificate, now: Timestamp, piece: Piece) -> Result<u64> {
        if piece.dry_run {
            return certificates::count_turns(&mut *self.reader().await?, certificate, piece.max).await.map_err(fault);
        }
        let args = (certificate.clone(), now, piece);
        self.write("certificates.remove_turns", args, |c, args| Box::pin(certificates::remove_turns(c, args))).await
    }

    async fn turnstile_removed(&self, certificate: &Certificate, now: Timestamp) -> Result<()> {
        let args = (certificate.clone(), now);
        self.write("certificates.turnstile", args, |c, args| Box::pin(certificates::turnstile_removed(c, args))).await
    }

    async fn move_ended(&self, certificate: &Certificate, rows_kept: u32, now: Timestamp, piece: Piece) -> Result<u64> {
        if piece.dry_run {
            let mut reader = self.reader().await?;
            return ended::count_beyond(&mut reader, certificate.sale, rows_kept, piece.max).await.map_err(fault);
        }
        let args = (certificate.clone(), rows_kept, now, piece);
        self.write("ended.move", args, |c, args| Box::pin(ended::move_beyond(c, args))).await
    }

    async fn remove_ended(&self, before: Timestamp, piece: Piece) -> Result<u64> {
        if piece.dry_run {
            return ended::count_old(&mut *self.reader().await?, before, piece.max).await.map_err(fault);
        }
        self.write("ended.remove", (before, piece), |c, args| Box::pin(ended::remove_old(c, args))).await
    }

    async fn remove_letters(&self, before: Timestamp, piece: Piece) -> Result<u64> {
        if piece.dry_run {
            return mail_log::count_done(&mut *self.reader().await?, before, piece.max).await.map_err(fault);
        }
        self.write("letters.remove", (before, piece), |c, args| Box::pin(mail_log::remove_done(c, args))).await
    }
}
