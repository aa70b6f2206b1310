-- The journal's last entry, in one row: whoever writes an entry locks it first, so that the chain never forks.
CREATE TABLE journal_head (
    one INTEGER NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    digest BLOB NOT NULL
) WITHOUT ROWID;
