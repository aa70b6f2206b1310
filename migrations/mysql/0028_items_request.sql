-- The request that made it: made once, however often it is asked for. Made otherwise, it has none.
ALTER TABLE items ADD COLUMN request BINARY(16) NULL, ADD UNIQUE KEY items_request (request);
