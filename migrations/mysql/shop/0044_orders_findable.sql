-- 1 once the order's words are in holder_words: 0 for those of before, and for a moment for every new one.
ALTER TABLE orders ADD COLUMN findable TINYINT NOT NULL DEFAULT 0, ADD KEY orders_findable (findable, reservation);
