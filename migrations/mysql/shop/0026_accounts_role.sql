-- Operators are few among the accounts: they are listed, and owners are counted, along it.
CREATE INDEX accounts_role ON accounts (role);
