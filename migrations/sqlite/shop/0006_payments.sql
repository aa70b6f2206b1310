-- state: 1 opened, 2 captured, 3 voided. Ours; the provider has books of its own, and what goes back of it are its refunds.
CREATE TABLE payments (
    id BLOB NOT NULL PRIMARY KEY,
    reservation BLOB NOT NULL,
    sale INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state INTEGER NOT NULL,
    opened_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX payments_state ON payments (state, opened_at);
CREATE INDEX payments_sale ON payments (sale);
