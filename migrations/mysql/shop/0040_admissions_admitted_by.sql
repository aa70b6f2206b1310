-- The operator's account, 0 where none was written down.
ALTER TABLE admissions ADD COLUMN admitted_by BIGINT NOT NULL DEFAULT 0;
