-- Which sales were decided in of late is read from here alone.
ALTER TABLE turns ADD KEY turns_recorded (recorded_at, sale, generation, revision);
