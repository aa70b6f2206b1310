-- Money that goes back: due until done_at says when the provider did it. why: 1 it could not stand, 2 an operator, who may give
-- a reason. id: of the payment that could not stand, or of the reservation that ended. units: of the order, 4 bytes each.
-- request: the operator's, made once however often it is asked for.
-- Since then the states 4 and 5 of a payment are not used: money moved, and here is what went back of it.
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
    done_at BIGINT NULL,
    UNIQUE KEY refunds_request (request),
    KEY refunds_due (done_at, made_at),
    KEY refunds_reservation (reservation),
    KEY refunds_sale (sale)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
