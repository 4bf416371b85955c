-- How cards stand, by the place in a list of card status that their signed object names: what
-- such lists are made of. It repeats what the leaves say and is compared by Verify.

CREATE TABLE status_list (
	number INTEGER PRIMARY KEY,
	uri    TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE status (
	list  INTEGER NOT NULL REFERENCES status_list (number),
	place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 4294967295),
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),   -- as package verify/status numbers them
	since INTEGER NOT NULL REFERENCES entry (idx),          -- entry that left the card so
	PRIMARY KEY (list, place)
) STRICT, WITHOUT ROWID;

-- What the cards have claimed so far: URI, colon, number as it is written shortest.
CREATE TEMP TABLE claimed AS
	SELECT substr(value, 1, length(rtrim(value, '0123456789')) - 1) AS uri,
		substr(value, length(rtrim(value, '0123456789')) + 1) AS digits, stream
	FROM main.claim WHERE kind = 'status' AND stream_kind = 'card' AND rtrim(value, '0123456789') LIKE '_%:';
DELETE FROM claimed WHERE digits <> CAST(CAST(digits AS INTEGER) AS TEXT) OR CAST(digits AS INTEGER) > 4294967295;

INSERT INTO status_list (uri) SELECT DISTINCT uri FROM claimed ORDER BY uri;

INSERT INTO status (list, place, state, since)
	SELECT number, CAST(digits AS INTEGER),
		CASE act WHEN 'prepare' THEN 1 WHEN 'deliver' THEN 2 WHEN 'resume' THEN 2 WHEN 'suspend' THEN 3 WHEN 'supersede' THEN 4 ELSE 5 END, idx
	FROM claimed JOIN status_list USING (uri) JOIN entry ON idx = (
		SELECT e.idx FROM entry AS e WHERE e.kind = 'card' AND e.stream = claimed.stream
			AND act IN ('prepare', 'deliver', 'suspend', 'resume', 'revoke', 'supersede', 'spoil', 'fail', 'recall')
		ORDER BY e.seq DESC LIMIT 1);
DROP TABLE temp.claimed;

CREATE TRIGGER status_list_no_update BEFORE UPDATE ON status_list BEGIN SELECT raise(ABORT, 'lists are for ever'); END;
CREATE TRIGGER status_list_no_delete BEFORE DELETE ON status_list BEGIN SELECT raise(ABORT, 'lists are for ever'); END;
CREATE TRIGGER status_forward BEFORE UPDATE ON status
WHEN NEW.since <= OLD.since OR NEW.list <> OLD.list OR NEW.place <> OLD.place BEGIN SELECT raise(ABORT, 'status goes forward'); END;
CREATE TRIGGER status_no_delete BEFORE DELETE ON status BEGIN SELECT raise(ABORT, 'cards are for ever'); END;
