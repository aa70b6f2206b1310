-- Whether money was ever spoken of for a reservation.
CREATE INDEX payments_reservation ON payments (reservation);
