-- Who went in, each unit of a reservation once. device: empty where the shop itself let somebody in.
CREATE TABLE admissions (
    sale INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    reservation BLOB NOT NULL,
    admitted_at INTEGER NOT NULL,
    gate TEXT NOT NULL,
    device TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (sale, unit, reservation)
) WITHOUT ROWID;
