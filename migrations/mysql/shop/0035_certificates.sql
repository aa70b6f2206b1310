-- Sales that are over and were audited: they passed, up to this turn. attempts, and what became of them at first: of all turns up to it.
-- digest: SHA-256 over those turns, in their order. turns_removed_at: since when some of them are gone; never its own, the last.
-- turns_gone_at: when no other was left. ended_next: the buyer with whom moving to ended_reservations goes on; ended_moved_at: when nothing was
-- left to move.
CREATE TABLE certificates (
    sale BIGINT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    stood_by BIGINT NOT NULL,
    already BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    digest BINARY(32) NOT NULL,
    certified_at BIGINT NOT NULL,
    turns_removed_at BIGINT NULL,
    turns_gone_at BIGINT NULL,
    turnstile_removed_at BIGINT NULL,
    ended_next BIGINT NULL,
    ended_moved_at BIGINT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
