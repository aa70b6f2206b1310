-- Codes that were mailed to prove an address, for some days. ticket: SHA-256 of the secret that the browser keeps. purpose: 1 an account,
-- 2 to be logged in, 3 another address. account: whose it is already; with purpose 1 whoever signed up again. shown, canonical: the address
-- that was asked for. address: where the letter goes; NULL where nobody is written to. name, password_hash, locale: of a
-- new account. former: the account's address before. used_at: when it was given back.
CREATE TABLE codes (
    id BINARY(16) NOT NULL PRIMARY KEY,
    ticket BINARY(32) NOT NULL,
    code INT NOT NULL,
    purpose TINYINT NOT NULL,
    account BIGINT NULL,
    shown VARCHAR(254) NOT NULL,
    canonical VARCHAR(254) NOT NULL,
    address VARCHAR(254) NULL,
    name VARCHAR(200) NULL,
    password_hash VARCHAR(255) NULL,
    locale VARCHAR(16) NULL,
    former VARCHAR(254) NULL,
    asked_at BIGINT NOT NULL,
    tries INT NOT NULL,
    used_at BIGINT NULL,
    KEY codes_account (account),
    KEY codes_asked (asked_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
