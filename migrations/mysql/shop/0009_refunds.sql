-- Money that goes back. why: 1 it could not stand, 2 an operator, who may give a reason, 3 somebody in the provider's own window.
-- id: of the payment that could not stand, of the reservation that ended, or made of the provider's own name. units: of the order,
-- 4 bytes each. request: the operator's, made once however often it is asked for.
-- state: 1 due, 2 sent, 3 done, 4 failed, 5 settled otherwise. next_at: of the first two, when the provider is asked again; a claim,
-- too: whoever moves it may ask. ended_at: of the others. tries: the provider's definite refusals; asks: since it is due.
-- code: why it failed. note, settled_by: how it was settled, and by which operator.
CREATE TABLE refunds (
    id BINARY(16) NOT NULL PRIMARY KEY,
    payment BINARY(16) NOT NULL,
    reservation BINARY(16) NOT NULL,
    sale BIGINT NOT NULL,
    units VARBINARY(32) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency CHAR(3) NOT NULL,
    why TINYINT NOT NULL,
    reason VARCHAR(500) NULL,
    request BINARY(16) NULL,
    made_at BIGINT NOT NULL,
    state TINYINT NOT NULL,
    next_at BIGINT NULL,
    ended_at BIGINT NULL,
    tries INT NOT NULL,
    asks INT NOT NULL,
    version BIGINT NOT NULL,
    code VARCHAR(100) NULL,
    note VARCHAR(500) NULL,
    settled_by BIGINT NULL,
    UNIQUE KEY refunds_request (request),
    KEY refunds_due (next_at, id),
    KEY refunds_state (state, made_at, id),
    KEY refunds_payment (payment),
    KEY refunds_reservation (reservation),
    KEY refunds_sale (sale)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
