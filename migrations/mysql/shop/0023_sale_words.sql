-- The words by which a sale is found, in the order in which lists show it.
CREATE TABLE sale_words (
    word VARCHAR(16) NOT NULL,
    sale BIGINT NOT NULL,
    opens_at BIGINT NOT NULL,
    PRIMARY KEY (word, sale),
    KEY sale_words_opens (word, opens_at, sale)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
