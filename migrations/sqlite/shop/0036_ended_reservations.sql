-- Reservations of certified sales that ended without money, but for the newest of each buyer. state: as of reservations, 5 to 7.
CREATE TABLE ended_reservations (
    id BLOB NOT NULL PRIMARY KEY,
    sale INTEGER NOT NULL,
    buyer INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    state INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    moved_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ended_reservations_sale ON ended_reservations (sale);
CREATE INDEX ended_reservations_buyer ON ended_reservations (buyer, created_at);
CREATE INDEX ended_reservations_moved ON ended_reservations (moved_at, id);
