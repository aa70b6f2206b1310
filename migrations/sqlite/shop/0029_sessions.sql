-- Log-ins. epoch: of its tokens; until_at: none is good for longer. agent, network: what its owner sees of it. ended_at: when it was ended by hand.
CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    account INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    network TEXT NOT NULL,
    ended_at INTEGER NULL
) WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions (account, begun_at);
CREATE INDEX sessions_ended ON sessions (ended_at, id);
CREATE INDEX sessions_until ON sessions (until_at);
