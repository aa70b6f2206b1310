-- Admissions that were taken back, as they were, and by whom. admitted_by, undone_by: an account, or 0. Rows are only ever added.
CREATE TABLE admission_undos (
    sale INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    reservation BLOB NOT NULL,
    admitted_at INTEGER NOT NULL,
    gate TEXT NOT NULL,
    device TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    admitted_by INTEGER NOT NULL,
    undone_at INTEGER NOT NULL,
    undone_by INTEGER NOT NULL,
    PRIMARY KEY (sale, unit, reservation, undone_at, admitted_at, device, sequence)
) WITHOUT ROWID;
CREATE INDEX admission_undos_undone ON admission_undos (sale, undone_at);
