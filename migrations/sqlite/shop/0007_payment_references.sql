-- What an outside provider calls a payment of ours; NULL until it answered. One that was void before has none for ever.
CREATE TABLE payment_references (
    payment BLOB NOT NULL PRIMARY KEY,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    theirs TEXT NULL,
    void INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX payment_references_theirs ON payment_references (theirs);
