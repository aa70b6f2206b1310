-- Which sales were paid in of late.
ALTER TABLE orders ADD KEY orders_placed (placed_at, sale);
