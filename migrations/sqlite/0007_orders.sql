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
    refunded INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX orders_number ON orders (number);
CREATE INDEX orders_buyer ON orders (buyer, placed_at, number);
CREATE INDEX orders_sale ON orders (sale);
