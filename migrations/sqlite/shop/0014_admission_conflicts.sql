-- Admissions away from the shop that do not stand. why: 1 somebody went in earlier with the same unit, 2 the unit was given back.
CREATE TABLE admission_conflicts (
    sale INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    reservation BLOB NOT NULL,
    admitted_at INTEGER NOT NULL,
    gate TEXT NOT NULL,
    device TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    why INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (sale, unit, reservation, device, sequence, admitted_at)
) WITHOUT ROWID;
CREATE INDEX admission_conflicts_recorded ON admission_conflicts (sale, recorded_at);
