-- state: 1 opened, 2 captured, 3 voided. Ours; the provider has books of its own, and what goes back of it are its refunds.
CREATE TABLE payments (
    id BINARY(16) NOT NULL PRIMARY KEY,
    reservation BINARY(16) NOT NULL,
    sale BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency CHAR(3) NOT NULL,
    state TINYINT NOT NULL,
    opened_at BIGINT NOT NULL,
    KEY payments_state (state, opened_at),
    KEY payments_sale (sale)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
