-- What the sandbox provider gave back of its captured payments: its own books.
CREATE TABLE sandbox_refunds (
    id BLOB NOT NULL PRIMARY KEY,
    payment BLOB NOT NULL,
    amount_minor INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sandbox_refunds_payment ON sandbox_refunds (payment);
