-- Whether money was ever spoken of for a reservation.
ALTER TABLE payments ADD KEY payments_reservation (reservation);
