-- hold_ended_at: when a hold lapsed or was cancelled; of anything else nothing, so that what costs nothing hides no hold.
ALTER TABLE reservations ADD COLUMN hold_ended_at INTEGER GENERATED ALWAYS AS
    (CASE WHEN state IN (5, 6) AND lapses_at IS NOT NULL AND split_of IS NULL THEN updated_at END) VIRTUAL;
CREATE INDEX reservations_holds ON reservations (sale, buyer, hold_ended_at, id);
