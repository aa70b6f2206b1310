-- role: 1 shopper, 2 owner, 3 desk, 4 door, 5 viewer. email: as its owner wrote it; canonical: the same for every way to write
-- that mailbox. locale: a language tag, as en or zh-TW; none reads as en. epoch: of the tokens that are good; epoch_at: when it
-- rose last. erased_at: the person is gone, and only the number is left.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    canonical TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role INTEGER NOT NULL,
    locale TEXT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    epoch_at INTEGER NULL,
    erased_at INTEGER NULL
);
CREATE UNIQUE INDEX accounts_canonical ON accounts (canonical);
CREATE INDEX accounts_epoch ON accounts (epoch_at);
