-- The log of letters. state: 1 unsent, 2 sent, 3 refused, 4 nobody to write to. event: JSON, until it is done. due_at: also the
-- end of a claim, whose name is `tries`.
CREATE TABLE letters (
    id BINARY(16) NOT NULL PRIMARY KEY,
    kind VARCHAR(32) NOT NULL,
    state TINYINT NOT NULL,
    event TEXT NULL,
    kept_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    tries INT NOT NULL,
    done_at BIGINT NULL,
    why VARCHAR(200) NULL,
    KEY letters_due (state, due_at, kept_at, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
