-- Units that the house takes out of sale. id: of the batch in which it is asked for. request: the operator's, made once however
-- often it is asked for. asked: units in that batch, party: of each attempt. units: what they got, nothing until decided_at.
CREATE TABLE blocks (
    id BLOB NOT NULL PRIMARY KEY,
    sale INTEGER NOT NULL,
    request BLOB NOT NULL,
    wanted INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    party INTEGER NOT NULL,
    reason TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    decided_at INTEGER NULL,
    units INTEGER NOT NULL,
    ended_at INTEGER NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX blocks_request ON blocks (request);
CREATE INDEX blocks_sale ON blocks (sale, ended_at, id);
