-- Admissions that were taken back, as they were, and by whom. admitted_by, undone_by: an account, or 0. Rows are only ever added.
CREATE TABLE admission_undos (
    sale BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    reservation BINARY(16) NOT NULL,
    admitted_at BIGINT NOT NULL,
    gate VARCHAR(64) NOT NULL,
    device VARCHAR(32) NOT NULL,
    sequence BIGINT NOT NULL,
    admitted_by BIGINT NOT NULL,
    undone_at BIGINT NOT NULL,
    undone_by BIGINT NOT NULL,
    PRIMARY KEY (sale, unit, reservation, undone_at, admitted_at, device, sequence),
    KEY admission_undos_undone (sale, undone_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
