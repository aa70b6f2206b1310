-- The operator's account, 0 where none was written down.
ALTER TABLE admission_conflicts ADD COLUMN admitted_by BIGINT NOT NULL DEFAULT 0;
