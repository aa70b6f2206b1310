-- state: 1 active, 2 paused, 3 closed. standby_until: 1 paid, 2 closed. questions: JSON, a list of {prompt, answer}.
-- request: the one that made it, once however often it is asked for; made otherwise, it has none.
-- fallback_by: the consumer that decides the sale from its memory, until fallback_until by this machine's clock; over so many partitions
-- it knows the attempts to be spread. fallback_wanted: an operator said that one may.
CREATE TABLE sales (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    item INTEGER NOT NULL,
    price_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    capacity INTEGER NOT NULL,
    quantity_max INTEGER NOT NULL,
    standby_max INTEGER NOT NULL,
    standby_until INTEGER NOT NULL,
    hold_ms INTEGER NOT NULL,
    opens_at INTEGER NOT NULL,
    closes_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    version INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    questions TEXT NOT NULL,
    question_key BLOB NOT NULL,
    request BLOB NULL,
    fallback_by INTEGER NOT NULL DEFAULT 0,
    fallback_until INTEGER NOT NULL DEFAULT 0,
    fallback_partitions INTEGER NOT NULL DEFAULT 0,
    fallback_wanted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX sales_request ON sales (request);
CREATE INDEX sales_by_fallback ON sales (fallback_until);
