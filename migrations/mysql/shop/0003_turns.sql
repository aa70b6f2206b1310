-- cause: its kind (b batch, r release, c raise) and 16 bytes of id or capacity.
-- outcomes: T S A R, one for each attempt of a batch; buyers: 8 bytes for each, so that nobody is told another's outcome.
CREATE TABLE turns (
    sale BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    cause BINARY(17) NOT NULL,
    chain BIGINT NOT NULL,
    chain_before BIGINT NOT NULL,
    outcomes VARBINARY(1024) NOT NULL,
    buyers VARBINARY(8192) NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (sale, generation, revision),
    UNIQUE KEY turns_cause (sale, cause)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
