-- Digests of the codes that stand in for a lost authenticator, each good once: a used one is gone.
CREATE TABLE recovery_codes (
    account BIGINT NOT NULL,
    digest BINARY(32) NOT NULL,
    PRIMARY KEY (account, digest)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
