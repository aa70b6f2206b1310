-- The sandbox provider's own books. state: 1 opened, 2 captured, 3 voided, 4 refunded.
CREATE TABLE sandbox_payments (
    id BINARY(16) NOT NULL PRIMARY KEY,
    amount_minor BIGINT NOT NULL,
    currency CHAR(3) NOT NULL,
    state TINYINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
