-- Digests of the codes that stand in for a lost authenticator, each good once: a used one is gone.
CREATE TABLE recovery_codes (
    account INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (account, digest)
) WITHOUT ROWID;
