-- Wrapped keys by subject. Rows are only ever added at the end and overwritten in place by
-- octets of the same length, so that no copy of a key is left where a page was rearranged.

CREATE TABLE vault (
	id  INTEGER PRIMARY KEY CHECK (id = 1),
	kek TEXT NOT NULL                                  -- name of the key that wraps
) STRICT;

CREATE TABLE key (
	number  INTEGER PRIMARY KEY AUTOINCREMENT,
	subject TEXT    NOT NULL,
	class   INTEGER NOT NULL,
	live    INTEGER NOT NULL CHECK (live IN (0, 1)),   -- 0: destroyed, and never made anew
	wrapped BLOB    NOT NULL,
	UNIQUE (subject, class)
) STRICT;

CREATE TRIGGER key_no_delete BEFORE DELETE ON key BEGIN SELECT raise(ABORT, 'destroyed keys stay known'); END;
CREATE TRIGGER key_no_return BEFORE UPDATE ON key
WHEN NEW.live > OLD.live OR NEW.subject <> OLD.subject OR NEW.class <> OLD.class OR NEW.number <> OLD.number
BEGIN SELECT raise(ABORT, 'a destroyed key does not come back'); END;
