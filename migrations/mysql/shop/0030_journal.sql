-- Who did what. number: from 1, without holes. actor: an account's number, 0 for a shell; role: as the token said. network: a neighbourhood, never an
-- address. request: one id for all that one request did. was, became: JSON, or empty. digest: SHA-256 over these and the digest before. Rows are
-- only ever added.
CREATE TABLE journal (
    number BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor BIGINT NOT NULL,
    role VARCHAR(16) NOT NULL,
    network VARCHAR(64) NOT NULL,
    request BINARY(16) NOT NULL,
    action VARCHAR(32) NOT NULL,
    subject VARCHAR(64) NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    digest BINARY(32) NOT NULL,
    KEY journal_at (at),
    KEY journal_actor (actor, number),
    KEY journal_action (action, number),
    KEY journal_subject (subject, number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
