-- Letters that are done are removed in the order in which they were.
CREATE INDEX letters_done ON letters (done_at, id);
