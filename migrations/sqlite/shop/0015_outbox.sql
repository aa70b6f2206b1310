-- What happened, written in the transaction that made it so, in the order of numbers. body: the event as it travels.
-- published_at: since when it is where it belongs.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    body TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    published_at INTEGER NULL
);
CREATE UNIQUE INDEX outbox_id ON outbox (id);
CREATE INDEX outbox_published ON outbox (published_at, number);
