-- How often something happened to one on one day, which is counted from 1970 in UTC. what: 1 a code to a canonical address, 2 a letter there
-- about a new password, 3 about a new address, 4 a decline of a buyer, 5 of a card.
CREATE TABLE day_counts (
    day INTEGER NOT NULL,
    whose TEXT NOT NULL,
    what INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (day, whose, what)
) WITHOUT ROWID;
