-- role: 1 shopper, 2 owner, 3 desk, 4 door, 5 viewer. email: as its owner wrote it; canonical: the same for every way to write
-- that mailbox. locale: a language tag, as en or zh-TW; none reads as en. epoch: of the tokens that are good; epoch_at: when it
-- rose last. erased_at: the person is gone, and only the number is left.
CREATE TABLE accounts (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    email VARCHAR(254) NOT NULL,
    canonical VARCHAR(254) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    role TINYINT NOT NULL,
    locale VARCHAR(16) NULL,
    epoch BIGINT NOT NULL DEFAULT 0,
    epoch_at BIGINT NULL,
    erased_at BIGINT NULL,
    UNIQUE KEY accounts_canonical (canonical),
    KEY accounts_epoch (epoch_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
