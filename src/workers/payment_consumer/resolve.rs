//! An unfinished payment is settled, its buyer is told, and what came free goes to the next in line.

use crate::app::money::settle::settle;
use crate::app::sale::tell::try_to_notify;
use crate::domain::shared::id::{PaymentId, ReservationId};
use crate::ports::Result;
use crate::workers::payment_consumer::{Needs, Settings, release_and_promote};

/// Settles the payment, tells the buyer, and gives on what came free.
pub(super) async fn resolve(
    needs: &Needs,
    settings: &Settings,
    reservation: ReservationId,
    payment: PaymentId,
) -> Result<()> {
    settle(&needs.money, reservation, payment).await?;
    // A hold that goes on has its alarm still before it.
    let Some(row) = needs.money.reservations.reservation(reservation).await? else { return Ok(()) };
    let told = try_to_notify(&needs.tell, &settings.tell, std::slice::from_ref(&row));
    let ended = [row.id];
    let ((), given) = tokio::join!(told, release_and_promote(needs, settings, row.sale, &ended));
    given
}
