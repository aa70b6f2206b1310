-- state: 0 blocked by the house, 1 standby, 2 held, 3 paying, 4 confirmed (these are live); 5 lapsed, 6 cancelled, 7 ended, 8 refunded.
-- units: 4 bytes each, ascending. live: 1 or nothing, so that a buyer has one live reservation of a sale, and any number of ended ones.
-- unfreed_since: when it ended, as long as the turnstile has not taken its units back. Arrivals are never given twice in a generation.
-- declines: payments of this hold that came to nothing while it was held.
-- split_of: of units that were refunded alone, the reservation they were taken from, which goes on with the others. Such a row is
-- an ended one from birth; its units are kept until the turnstile has taken them back.
CREATE TABLE reservations (
    id BLOB NOT NULL PRIMARY KEY,
    sale INTEGER NOT NULL,
    buyer INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    state INTEGER NOT NULL,
    units BLOB NOT NULL,
    generation INTEGER NULL,
    arrival INTEGER NULL,
    lapses_at INTEGER NULL,
    payment BLOB NULL,
    paying_since INTEGER NULL,
    declines INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    freed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    split_of BLOB NULL,
    live INTEGER GENERATED ALWAYS AS (CASE WHEN state <= 4 THEN 1 END) STORED,
    unfreed_since INTEGER GENERATED ALWAYS AS (CASE WHEN state >= 5 AND freed = 0 THEN updated_at END) STORED
) WITHOUT ROWID;
CREATE UNIQUE INDEX reservations_buyer ON reservations (sale, buyer, live);
CREATE UNIQUE INDEX reservations_arrival ON reservations (sale, generation, arrival);
CREATE INDEX reservations_standing ON reservations (sale, state, generation, arrival, quantity);
CREATE INDEX reservations_due ON reservations (state, lapses_at);
CREATE INDEX reservations_unfreed ON reservations (unfreed_since);
