-- changed_at: when an operator or a restore moved it last, by this machine's clock. Rounds go by sales in the order of closes_at.
ALTER TABLE sales ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sales_changed ON sales (changed_at, version, generation);
CREATE INDEX sales_closes ON sales (closes_at, id);
