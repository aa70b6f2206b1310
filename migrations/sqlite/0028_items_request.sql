-- The request that made it: made once, however often it is asked for. Made otherwise, it has none.
ALTER TABLE items ADD COLUMN request BLOB NULL;
CREATE UNIQUE INDEX items_request ON items (request);
