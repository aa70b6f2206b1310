-- changed_at: when an operator or a restore moved it last, by this server's clock. Rounds go by sales in the order of closes_at.
ALTER TABLE sales
    ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0,
    ADD KEY sales_changed (changed_at, version, generation),
    ADD KEY sales_closes (closes_at, id);
