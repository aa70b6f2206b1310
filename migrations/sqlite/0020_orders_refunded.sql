-- refunded_units: those of the units that were refunded, 4 bytes each, ascending; refunded_minor: of the amount.
ALTER TABLE orders ADD COLUMN refunded_units BLOB NOT NULL DEFAULT x'';
ALTER TABLE orders ADD COLUMN refunded_minor INTEGER NOT NULL DEFAULT 0;
