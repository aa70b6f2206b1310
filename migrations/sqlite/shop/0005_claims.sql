-- The fence against overselling: a unit of a sale is claimed once, from the hold until the reservation ends.
CREATE TABLE claims (
    sale INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    reservation BLOB NOT NULL,
    PRIMARY KEY (sale, unit)
) WITHOUT ROWID;
