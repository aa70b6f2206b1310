-- How often something happened to one on one day, which is counted from 1970 in UTC. what: 1 a code to a canonical address, 2 a letter there
-- about a new password, 3 about a new address, 4 a decline of a buyer, 5 of a card.
CREATE TABLE day_counts (
    day INT NOT NULL,
    whose VARCHAR(254) NOT NULL,
    what TINYINT NOT NULL,
    number INT NOT NULL,
    PRIMARY KEY (day, whose, what)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
