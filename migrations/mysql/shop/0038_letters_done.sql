-- Letters that are done are removed in the order in which they were.
ALTER TABLE letters ADD KEY letters_done (done_at, id);
