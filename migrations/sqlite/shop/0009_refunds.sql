-- Money that goes back. why: 1 it could not stand, 2 an operator, who may give a reason, 3 somebody in the provider's own window.
-- id: of the payment that could not stand, of the reservation that ended, or made of the provider's own name. units: of the order,
-- 4 bytes each. request: the operator's, made once however often it is asked for.
-- state: 1 due, 2 sent, 3 done, 4 failed, 5 settled otherwise. next_at: of the first two, when the provider is asked again; a claim,
-- too: whoever moves it may ask. ended_at: of the others. tries: the provider's definite refusals; asks: since it is due.
-- code: why it failed. note, settled_by: how it was settled, and by which operator.
CREATE TABLE refunds (
    id BLOB NOT NULL PRIMARY KEY,
    payment BLOB NOT NULL,
    reservation BLOB NOT NULL,
    sale INTEGER NOT NULL,
    units BLOB NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    why INTEGER NOT NULL,
    reason TEXT NULL,
    request BLOB NULL,
    made_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    next_at INTEGER NULL,
    ended_at INTEGER NULL,
    tries INTEGER NOT NULL,
    asks INTEGER NOT NULL,
    version INTEGER NOT NULL,
    code TEXT NULL,
    note TEXT NULL,
    settled_by INTEGER NULL
) WITHOUT ROWID;
CREATE INDEX refunds_due ON refunds (next_at, id);
CREATE INDEX refunds_state ON refunds (state, made_at, id);
CREATE INDEX refunds_payment ON refunds (payment);
CREATE INDEX refunds_reservation ON refunds (reservation);
CREATE INDEX refunds_sale ON refunds (sale);
CREATE UNIQUE INDEX refunds_request ON refunds (request);
