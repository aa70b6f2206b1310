-- Before the first entry. Repeated after a failure, it changes nothing.
INSERT OR IGNORE INTO journal_head (one, number, digest) VALUES (1, 0, x'0000000000000000000000000000000000000000000000000000000000000000');
