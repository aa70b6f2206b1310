-- split_of: of units that were refunded alone, the reservation they were taken from, which goes on with the others. The row is
-- an ended one from birth; its units are kept until the turnstile has taken them back.
ALTER TABLE reservations ADD COLUMN split_of BINARY(16) NULL;
