-- The journal's last entry, in one row: whoever writes an entry locks it first, so that the chain never forks.
CREATE TABLE journal_head (
    one TINYINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    digest BINARY(32) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
