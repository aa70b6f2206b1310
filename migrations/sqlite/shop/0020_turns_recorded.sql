-- Which sales were decided in of late is read from here alone.
CREATE INDEX turns_recorded ON turns (recorded_at, sale, generation, revision);
