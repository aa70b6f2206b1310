-- state: 0 blocked by the house, 1 standby, 2 held, 3 paying, 4 confirmed (these are live); 5 lapsed, 6 cancelled, 7 ended, 8 refunded.
-- units: 4 bytes each, ascending. live: 1 or nothing, so that a buyer has one live reservation of a sale, and any number of ended ones.
-- unfreed_since: when it ended, as long as the turnstile has not taken its units back. Arrivals are never given twice in a generation.
-- declines: payments of this hold that came to nothing while it was held.
-- split_of: of units that were refunded alone, the reservation they were taken from, which goes on with the others. Such a row is
-- an ended one from birth; its units are kept until the turnstile has taken them back.
CREATE TABLE reservations (
    id BINARY(16) NOT NULL PRIMARY KEY,
    sale BIGINT NOT NULL,
    buyer BIGINT NOT NULL,
    quantity TINYINT NOT NULL,
    state TINYINT NOT NULL,
    units VARBINARY(32) NOT NULL,
    generation BIGINT NULL,
    arrival BIGINT NULL,
    lapses_at BIGINT NULL,
    payment BINARY(16) NULL,
    paying_since BIGINT NULL,
    declines TINYINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL,
    freed TINYINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    split_of BINARY(16) NULL,
    live TINYINT GENERATED ALWAYS AS (CASE WHEN state <= 4 THEN 1 END) STORED,
    unfreed_since BIGINT GENERATED ALWAYS AS (CASE WHEN state >= 5 AND freed = 0 THEN updated_at END) STORED,
    UNIQUE KEY reservations_buyer (sale, buyer, live),
    UNIQUE KEY reservations_arrival (sale, generation, arrival),
    KEY reservations_standing (sale, state, generation, arrival, quantity),
    KEY reservations_due (state, lapses_at),
    KEY reservations_unfreed (unfreed_since)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
