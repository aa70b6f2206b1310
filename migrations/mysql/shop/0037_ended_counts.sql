-- How many reservations of a sale were moved to ended_reservations in each state, and of how many units: figures that count them go on
-- counting them when they are gone.
CREATE TABLE ended_counts (
    sale BIGINT NOT NULL,
    state TINYINT NOT NULL,
    parties BIGINT NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (sale, state)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
