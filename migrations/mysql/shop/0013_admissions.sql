-- Who went in, each unit of a reservation once. device: empty where the shop itself let somebody in.
CREATE TABLE admissions (
    sale BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    reservation BINARY(16) NOT NULL,
    admitted_at BIGINT NOT NULL,
    gate VARCHAR(64) NOT NULL,
    device VARCHAR(32) NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (sale, unit, reservation)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
