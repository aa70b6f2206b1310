-- Log-ins. epoch: of its tokens; until_at: none is good for longer. agent, network: what its owner sees of it. ended_at: when it was ended by hand.
CREATE TABLE sessions (
    id BINARY(16) NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    agent VARCHAR(200) NOT NULL,
    network VARCHAR(64) NOT NULL,
    ended_at BIGINT NULL,
    KEY sessions_account (account, begun_at),
    KEY sessions_ended (ended_at, id),
    KEY sessions_until (until_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
