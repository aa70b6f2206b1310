-- role: 1 shopper, 2 operator. email: lower case.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role INTEGER NOT NULL
);
CREATE UNIQUE INDEX accounts_email ON accounts (email);
