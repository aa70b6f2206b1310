-- The operator's account, 0 where none was written down.
ALTER TABLE admission_conflicts ADD COLUMN admitted_by INTEGER NOT NULL DEFAULT 0;
