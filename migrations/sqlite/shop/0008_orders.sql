-- refunded_units: those of the units that were refunded, 4 bytes each, ascending; refunded_minor: of the amount.
CREATE TABLE orders (
    reservation BLOB NOT NULL PRIMARY KEY,
    number TEXT NOT NULL,
    sale INTEGER NOT NULL,
    buyer INTEGER NOT NULL,
    units BLOB NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    payment BLOB NOT NULL,
    placed_at INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    refunded_units BLOB NOT NULL DEFAULT x'',
    refunded_minor INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX orders_number ON orders (number);
CREATE INDEX orders_buyer ON orders (buyer, placed_at, number);
CREATE INDEX orders_sale ON orders (sale);
