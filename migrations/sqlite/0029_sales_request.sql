-- The request that made it: made once, however often it is asked for. Made otherwise, it has none.
ALTER TABLE sales ADD COLUMN request BLOB NULL;
CREATE UNIQUE INDEX sales_request ON sales (request);
