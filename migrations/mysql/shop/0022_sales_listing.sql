-- listing: 0 not in the lists yet, 1 opens later, 2 has opened, 3 is over. Whoever reads does not rely on its being up to date: a 1
-- whose time came is as good as a 2.
ALTER TABLE sales
    ADD COLUMN listing TINYINT NOT NULL DEFAULT 0,
    ADD KEY sales_listing (listing, id),
    ADD KEY sales_listing_opens (listing, opens_at, id),
    ADD KEY sales_listing_closes (listing, closes_at, id),
    ADD KEY sales_opens (opens_at, id);
