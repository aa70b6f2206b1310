-- How many reservations of a sale were moved to ended_reservations in each state, and of how many units: figures that count them go on
-- counting them when they are gone.
CREATE TABLE ended_counts (
    sale INTEGER NOT NULL,
    state INTEGER NOT NULL,
    parties INTEGER NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (sale, state)
) WITHOUT ROWID;
