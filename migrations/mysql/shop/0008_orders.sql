-- refunded_units: those of the units that were refunded, 4 bytes each, ascending; refunded_minor: of the amount.
CREATE TABLE orders (
    reservation BINARY(16) NOT NULL PRIMARY KEY,
    number VARCHAR(20) NOT NULL,
    sale BIGINT NOT NULL,
    buyer BIGINT NOT NULL,
    units VARBINARY(32) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency CHAR(3) NOT NULL,
    payment BINARY(16) NOT NULL,
    placed_at BIGINT NOT NULL,
    refunded TINYINT NOT NULL,
    refunded_units VARBINARY(32) NOT NULL DEFAULT '',
    refunded_minor BIGINT NOT NULL DEFAULT 0,
    UNIQUE KEY orders_number (number),
    KEY orders_buyer (buyer, placed_at, number),
    KEY orders_sale (sale)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
