-- The words by which the holder of an order is found at its sale's door. of_name: the word is the person's, and goes when they go.
CREATE TABLE holder_words (
    sale INTEGER NOT NULL,
    word TEXT NOT NULL,
    reservation BLOB NOT NULL,
    of_name INTEGER NOT NULL,
    PRIMARY KEY (sale, word, reservation)
) WITHOUT ROWID;
CREATE INDEX holder_words_order ON holder_words (sale, reservation, word);
