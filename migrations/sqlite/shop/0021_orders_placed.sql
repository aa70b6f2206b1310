-- Which sales were paid in of late.
CREATE INDEX orders_placed ON orders (placed_at, sale);
