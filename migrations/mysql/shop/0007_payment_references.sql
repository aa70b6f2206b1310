-- What an outside provider calls a payment of ours; NULL until it answered. One that was void before has none for ever.
CREATE TABLE payment_references (
    payment BINARY(16) NOT NULL PRIMARY KEY,
    amount_minor BIGINT NOT NULL,
    currency CHAR(3) NOT NULL,
    theirs VARCHAR(255) NULL,
    void TINYINT NOT NULL,
    UNIQUE KEY payment_references_theirs (theirs)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
