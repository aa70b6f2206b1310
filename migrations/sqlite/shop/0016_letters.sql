-- The log of letters. state: 1 unsent, 2 sent, 3 refused, 4 nobody to write to. event: JSON, until it is done. due_at: also the
-- end of a claim, whose name is `tries`.
CREATE TABLE letters (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    state INTEGER NOT NULL,
    event TEXT NULL,
    kept_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    done_at INTEGER NULL,
    why TEXT NULL
) WITHOUT ROWID;
CREATE INDEX letters_due ON letters (state, due_at, kept_at, id);
