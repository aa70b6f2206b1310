-- Seating plans, never changed. canonical: the plan, byte for byte as its hash (SHA-256) covers it.
CREATE TABLE plans (
    hash BINARY(32) NOT NULL PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    seats BIGINT NOT NULL,
    canonical MEDIUMBLOB NOT NULL,
    kept_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
