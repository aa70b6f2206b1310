-- What happened, written in the transaction that made it so, in the order of numbers. body: the event as it travels.
-- published_at: since when it is where it belongs.
CREATE TABLE outbox (
    number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id BINARY(16) NOT NULL,
    body TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    published_at BIGINT NULL,
    UNIQUE KEY outbox_id (id),
    KEY outbox_published (published_at, number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
