-- Refusals are kept for an hour, for as long as a desk may wait for one, and are found by their
-- time among what is kept for longer.
CREATE INDEX outcome_refused ON outcome (at) WHERE refusal IS NOT NULL;
