-- Who did what. number: from 1, without holes. actor: an account's number, 0 for a shell; role: as the token said. network: a neighbourhood, never an
-- address. request: one id for all that one request did. was, became: JSON, or empty. digest: SHA-256 over these and the digest before. Rows are
-- only ever added.
CREATE TABLE journal (
    number INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor INTEGER NOT NULL,
    role TEXT NOT NULL,
    network TEXT NOT NULL,
    request BLOB NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    digest BLOB NOT NULL
);
CREATE INDEX journal_at ON journal (at);
CREATE INDEX journal_actor ON journal (actor, number);
CREATE INDEX journal_action ON journal (action, number);
CREATE INDEX journal_subject ON journal (subject, number);
