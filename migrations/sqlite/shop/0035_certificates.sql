-- Sales that are over and were audited: they passed, up to this turn. attempts, and what became of them at first: of all turns up to it.
-- digest: SHA-256 over those turns, in their order. turns_removed_at: since when some of them are gone; never its own, the last.
-- turns_gone_at: when no other was left. ended_next: the buyer with whom moving to ended_reservations goes on; ended_moved_at: when nothing was
-- left to move.
CREATE TABLE certificates (
    sale INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    stood_by INTEGER NOT NULL,
    already INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    digest BLOB NOT NULL,
    certified_at INTEGER NOT NULL,
    turns_removed_at INTEGER NULL,
    turns_gone_at INTEGER NULL,
    turnstile_removed_at INTEGER NULL,
    ended_next INTEGER NULL,
    ended_moved_at INTEGER NULL
);
