-- 1 once the order's words are in holder_words: 0 for those of before, and for a moment for every new one.
ALTER TABLE orders ADD COLUMN findable INTEGER NOT NULL DEFAULT 0;
CREATE INDEX orders_findable ON orders (findable, reservation);
