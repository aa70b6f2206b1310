-- state: 1 active, 2 paused, 3 closed. standby_until: 1 paid, 2 closed. questions: JSON, a list of {prompt, answer}.
-- request: the one that made it, once however often it is asked for; made otherwise, it has none.
-- fallback_by: the consumer that decides the sale from its memory, until fallback_until by this server's clock; over so many partitions
-- it knows the attempts to be spread. fallback_wanted: an operator said that one may.
CREATE TABLE sales (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    item BIGINT NOT NULL,
    price_minor BIGINT NOT NULL,
    currency CHAR(3) NOT NULL,
    capacity BIGINT NOT NULL,
    quantity_max TINYINT NOT NULL,
    standby_max BIGINT NOT NULL,
    standby_until TINYINT NOT NULL,
    hold_ms BIGINT NOT NULL,
    opens_at BIGINT NOT NULL,
    closes_at BIGINT NOT NULL,
    state TINYINT NOT NULL,
    version BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    questions MEDIUMTEXT NOT NULL,
    question_key BINARY(32) NOT NULL,
    request BINARY(16) NULL,
    fallback_by BIGINT NOT NULL DEFAULT 0,
    fallback_until BIGINT NOT NULL DEFAULT 0,
    fallback_partitions INT NOT NULL DEFAULT 0,
    fallback_wanted TINYINT NOT NULL DEFAULT 0,
    UNIQUE KEY sales_request (request),
    KEY sales_by_fallback (fallback_until)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
