-- The words by which a sale is found, in the order in which lists show it.
CREATE TABLE sale_words (
    word TEXT NOT NULL,
    sale INTEGER NOT NULL,
    opens_at INTEGER NOT NULL,
    PRIMARY KEY (word, sale)
) WITHOUT ROWID;
CREATE INDEX sale_words_opens ON sale_words (word, opens_at, sale);
