-- Requests that cost something. id: a hash of caller and key. request: what the effect is written under, the same for whoever
-- carries it out. status: nothing while in flight, 0 when the answer is made anew, else the answer's.
CREATE TABLE requests (
    id BINARY(32) NOT NULL PRIMARY KEY,
    fingerprint BINARY(32) NOT NULL,
    request BINARY(16) NOT NULL,
    attempt BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status SMALLINT NULL,
    content_type VARCHAR(100) NULL,
    body MEDIUMBLOB NULL,
    KEY requests_expired (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
