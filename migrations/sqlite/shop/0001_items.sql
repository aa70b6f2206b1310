-- request: the one that made it, once however often it is asked for; made otherwise, it has none.
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    request BLOB NULL
);
CREATE UNIQUE INDEX items_request ON items (request);
