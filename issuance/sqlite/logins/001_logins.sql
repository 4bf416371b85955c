-- What was decided on each login by card: who asked for what, and what came of it. Nothing
-- here says who the citizen was.

CREATE TABLE login (
	session  TEXT PRIMARY KEY,
	at       INTEGER NOT NULL,                         -- microseconds since 1970
	party    TEXT    NOT NULL,
	purpose  TEXT    NOT NULL,
	fields   TEXT    NOT NULL,                         -- with spaces between
	level    TEXT    NOT NULL,
	proof    TEXT    NOT NULL,
	code     TEXT    NOT NULL,                         -- empty for accepted
	reasons  TEXT    NOT NULL,                         -- with spaces between
	card     BLOB    NOT NULL CHECK (length(card) = 32),
	evidence BLOB    NOT NULL CHECK (length(evidence) = 32)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER login_no_update BEFORE UPDATE ON login BEGIN SELECT raise(ABORT, 'a decision stays'); END;
CREATE TRIGGER login_no_delete BEFORE DELETE ON login BEGIN SELECT raise(ABORT, 'a decision stays'); END;
