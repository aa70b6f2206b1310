-- A buyer's reservations of a sale, what is live before what has ended and the newest first: whoever looks reads one of them.
CREATE INDEX reservations_latest ON reservations (sale, buyer, split_of, live, created_at, id);
