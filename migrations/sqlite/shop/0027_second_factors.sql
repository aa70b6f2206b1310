-- What an operator's authenticator knows. confirmed_at: when its first code was seen. used: the last step whose code was shown.
-- tries: codes tried since tries_since of which none was right.
CREATE TABLE second_factors (
    account INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    confirmed_at INTEGER NULL,
    used INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    tries_since INTEGER NOT NULL DEFAULT 0
);
