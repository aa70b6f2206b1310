-- listing: 0 not in the lists yet, 1 opens later, 2 has opened, 3 is over. Whoever reads does not rely on its being up to date: a 1
-- whose time came is as good as a 2.
ALTER TABLE sales ADD COLUMN listing INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sales_listing ON sales (listing, id);
CREATE INDEX sales_listing_opens ON sales (listing, opens_at, id);
CREATE INDEX sales_listing_closes ON sales (listing, closes_at, id);
CREATE INDEX sales_opens ON sales (opens_at, id);
