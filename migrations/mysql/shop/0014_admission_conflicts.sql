-- Admissions away from the shop that do not stand. why: 1 somebody went in earlier with the same unit, 2 the unit was given back.
CREATE TABLE admission_conflicts (
    sale BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    reservation BINARY(16) NOT NULL,
    admitted_at BIGINT NOT NULL,
    gate VARCHAR(64) NOT NULL,
    device VARCHAR(32) NOT NULL,
    sequence BIGINT NOT NULL,
    why TINYINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (sale, unit, reservation, device, sequence, admitted_at),
    KEY admission_conflicts_recorded (sale, recorded_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
