-- Money that goes back: due until done_at says when the provider did it. why: 1 it could not stand, 2 an operator, who may give
-- a reason. id: of the payment that could not stand, or of the reservation that ended. units: of the order, 4 bytes each.
-- request: the operator's, made once however often it is asked for.
-- Since then the states 4 and 5 of a payment are not used: money moved, and here is what went back of it.
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
    done_at INTEGER NULL
) WITHOUT ROWID;
CREATE INDEX refunds_due ON refunds (done_at, made_at);
CREATE INDEX refunds_reservation ON refunds (reservation);
CREATE INDEX refunds_sale ON refunds (sale);
CREATE UNIQUE INDEX refunds_request ON refunds (request);
