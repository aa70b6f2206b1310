-- epoch: of the tokens that are good; epoch_at: when it rose last. erased_at: the person is gone, and only the number is left.
ALTER TABLE accounts ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN epoch_at INTEGER NULL;
ALTER TABLE accounts ADD COLUMN erased_at INTEGER NULL;
CREATE INDEX accounts_epoch ON accounts (epoch_at);
