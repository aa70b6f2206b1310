-- What the sandbox provider gave back of its captured payments: its own books.
CREATE TABLE sandbox_refunds (
    id BINARY(16) NOT NULL PRIMARY KEY,
    payment BINARY(16) NOT NULL,
    amount_minor BIGINT NOT NULL,
    KEY sandbox_refunds_payment (payment)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
