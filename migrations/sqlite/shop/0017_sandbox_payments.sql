-- The sandbox provider's own books. state: 1 opened, 2 captured, 3 voided, 4 refunded.
CREATE TABLE sandbox_payments (
    id BLOB NOT NULL PRIMARY KEY,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state INTEGER NOT NULL
) WITHOUT ROWID;
