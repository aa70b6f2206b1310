-- Requests that cost something. id: a hash of caller and key. request: what the effect is written under, the same for whoever
-- carries it out. status: nothing while in flight, 0 when the answer is made anew, else the answer's.
CREATE TABLE requests (
    id BLOB NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    request BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status INTEGER NULL,
    content_type TEXT NULL,
    body BLOB NULL
);
CREATE INDEX requests_expired ON requests (expires_at);
