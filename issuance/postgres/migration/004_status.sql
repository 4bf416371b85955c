-- How cards stand, by the place in a list of card status that their signed object names: what
-- such lists are made of. It repeats what the leaves say and is compared by Verify.

CREATE TABLE status_list (
	number integer PRIMARY KEY,
	uri    text    COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE status (
	list  integer  NOT NULL,
	place bigint   NOT NULL CHECK (place BETWEEN 0 AND 4294967295),
	state smallint NOT NULL CHECK (state BETWEEN 1 AND 5),  -- as package verify/status numbers them
	since bigint   NOT NULL,                                -- idx of the entry that left the card so
	PRIMARY KEY (list, place)
) WITH (fillfactor = 90);

-- What the cards have claimed so far: URI, colon, number as it is written shortest.
CREATE TEMP TABLE placed ON COMMIT DROP AS
	SELECT substring(value FROM '^(.+):[0-9]+$') AS uri, substring(value FROM '([0-9]+)$')::numeric AS place, stream
	FROM claim WHERE kind = 'status' AND stream_kind = 'card' AND value ~ '^.+:(0|[1-9][0-9]{0,9})$';
DELETE FROM placed WHERE place > 4294967295;

INSERT INTO status_list SELECT row_number() OVER (ORDER BY uri), uri FROM (SELECT DISTINCT uri FROM placed) lists;

INSERT INTO status
	SELECT number, place,
		CASE act WHEN 'prepare' THEN 1 WHEN 'deliver' THEN 2 WHEN 'resume' THEN 2 WHEN 'suspend' THEN 3 WHEN 'supersede' THEN 4 ELSE 5 END, idx
	FROM placed JOIN status_list USING (uri) CROSS JOIN LATERAL (
		SELECT act, idx FROM entry WHERE entry.kind = 'card' AND entry.stream = placed.stream
			AND act IN ('prepare', 'deliver', 'suspend', 'resume', 'revoke', 'supersede', 'spoil', 'fail', 'recall')
		ORDER BY seq DESC LIMIT 1) newest;

CREATE FUNCTION status_forward() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF NEW.since <= OLD.since OR NEW.list <> OLD.list OR NEW.place <> OLD.place THEN
		RAISE EXCEPTION 'status goes forward' USING ERRCODE = 'integrity_constraint_violation';
	END IF;
	RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION status_forward() FROM PUBLIC;

CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE ON status_list FOR EACH ROW EXECUTE FUNCTION refuse('lists are for ever');
CREATE TRIGGER for_ever BEFORE DELETE ON status FOR EACH ROW EXECUTE FUNCTION refuse('cards are for ever');
CREATE TRIGGER forward BEFORE UPDATE ON status FOR EACH ROW EXECUTE FUNCTION status_forward();
CREATE TRIGGER whole BEFORE TRUNCATE ON status_list EXECUTE FUNCTION refuse('lists are for ever');
CREATE TRIGGER whole BEFORE TRUNCATE ON status EXECUTE FUNCTION refuse('cards are for ever');

GRANT SELECT ON status_list, status TO tamthe_reader;
GRANT INSERT ON status_list, status TO tamthe_sequencer;
GRANT UPDATE (state, since) ON status TO tamthe_sequencer;
