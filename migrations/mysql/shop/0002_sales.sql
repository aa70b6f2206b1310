-- state: 1 active, 2 paused, 3 closed. standby_until: 1 paid, 2 closed. questions: JSON, a list of {prompt, answer}.
-- request: the one that made it, once however often it is asked for; made otherwise, it has none.
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
    UNIQUE KEY sales_request (request)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
