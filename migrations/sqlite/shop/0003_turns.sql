-- cause: its kind (b batch, r release, c raise) and 16 bytes of id or capacity.
-- outcomes: T S A R, one for each attempt of a batch; buyers: 8 bytes for each, so that nobody is told another's outcome.
CREATE TABLE turns (
    sale INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    cause BLOB NOT NULL,
    chain INTEGER NOT NULL,
    chain_before INTEGER NOT NULL,
    outcomes BLOB NOT NULL,
    buyers BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (sale, generation, revision)
);
CREATE UNIQUE INDEX turns_cause ON turns (sale, cause);
