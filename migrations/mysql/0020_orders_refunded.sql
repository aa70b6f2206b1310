-- refunded_units: those of the units that were refunded, 4 bytes each, ascending; refunded_minor: of the amount.
ALTER TABLE orders
    ADD COLUMN refunded_units VARBINARY(32) NOT NULL DEFAULT '',
    ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0;
