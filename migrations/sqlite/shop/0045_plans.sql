-- Seating plans, never changed. canonical: the plan, byte for byte as its hash (SHA-256) covers it.
CREATE TABLE plans (
    hash BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    seats INTEGER NOT NULL,
    canonical BLOB NOT NULL,
    kept_at INTEGER NOT NULL
) WITHOUT ROWID;
