-- What an operator's authenticator knows. confirmed_at: when its first code was seen. used: the last step whose code was shown.
-- tries: codes tried since tries_since of which none was right.
CREATE TABLE second_factors (
    account BIGINT NOT NULL PRIMARY KEY,
    secret VARBINARY(32) NOT NULL,
    confirmed_at BIGINT NULL,
    used BIGINT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    tries_since BIGINT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
