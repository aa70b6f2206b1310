-- The words by which the holder of an order is found at its sale's door. of_name: the word is the person's, and goes when they go.
CREATE TABLE holder_words (
    sale BIGINT NOT NULL,
    word VARCHAR(16) NOT NULL,
    reservation BINARY(16) NOT NULL,
    of_name TINYINT NOT NULL,
    PRIMARY KEY (sale, word, reservation),
    KEY holder_words_order (sale, reservation, word)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
