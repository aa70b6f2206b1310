-- A buyer's reservations of a sale, what is live before what has ended and the newest first: whoever looks reads one of them.
ALTER TABLE reservations ADD KEY reservations_latest (sale, buyer, split_of, live, created_at, id);
