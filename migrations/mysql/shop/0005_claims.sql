-- The fence against overselling: a unit of a sale is claimed once, from the hold until the reservation ends.
CREATE TABLE claims (
    sale BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    reservation BINARY(16) NOT NULL,
    PRIMARY KEY (sale, unit)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
