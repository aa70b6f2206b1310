-- Units that the house takes out of sale. id: of the batch in which it is asked for. request: the operator's, made once however
-- often it is asked for. asked: units in that batch, party: of each attempt. units: what they got, nothing until decided_at.
CREATE TABLE blocks (
    id BINARY(16) NOT NULL PRIMARY KEY,
    sale BIGINT NOT NULL,
    request BINARY(16) NOT NULL,
    wanted BIGINT NOT NULL,
    asked BIGINT NOT NULL,
    party TINYINT NOT NULL,
    reason VARCHAR(200) NOT NULL,
    made_at BIGINT NOT NULL,
    decided_at BIGINT NULL,
    units BIGINT NOT NULL,
    ended_at BIGINT NULL,
    UNIQUE KEY blocks_request (request),
    KEY blocks_sale (sale, ended_at, id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
