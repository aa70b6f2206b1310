-- epoch: of the tokens that are good; epoch_at: when it rose last. erased_at: the person is gone, and only the number is left.
ALTER TABLE accounts
    ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN epoch_at BIGINT NULL,
    ADD COLUMN erased_at BIGINT NULL,
    ADD KEY accounts_epoch (epoch_at);
