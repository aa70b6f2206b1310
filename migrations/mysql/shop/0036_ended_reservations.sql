-- Reservations of certified sales that ended without money, but for the newest of each buyer. state: as of reservations, 5 to 7.
CREATE TABLE ended_reservations (
    id BINARY(16) NOT NULL PRIMARY KEY,
    sale BIGINT NOT NULL,
    buyer BIGINT NOT NULL,
    quantity TINYINT NOT NULL,
    state TINYINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    moved_at BIGINT NOT NULL,
    KEY ended_reservations_sale (sale),
    KEY ended_reservations_buyer (buyer, created_at),
    KEY ended_reservations_moved (moved_at, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
