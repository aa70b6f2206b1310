-- Codes that were mailed to prove an address, for some days. ticket: SHA-256 of the secret that the browser keeps. purpose: 1 an account,
-- 2 to be logged in, 3 another address. account: whose it is already; with purpose 1 whoever signed up again. shown, canonical: the address
-- that was asked for. address: where the letter goes; NULL where nobody is written to. name, password_hash, locale: of a
-- new account. former: the account's address before. used_at: when it was given back.
CREATE TABLE codes (
    id BLOB NOT NULL PRIMARY KEY,
    ticket BLOB NOT NULL,
    code INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    account INTEGER NULL,
    shown TEXT NOT NULL,
    canonical TEXT NOT NULL,
    address TEXT NULL,
    name TEXT NULL,
    password_hash TEXT NULL,
    locale TEXT NULL,
    former TEXT NULL,
    asked_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    used_at INTEGER NULL
) WITHOUT ROWID;
CREATE INDEX codes_account ON codes (account);
CREATE INDEX codes_asked ON codes (asked_at);
