-- A register of the population: who there is, and who asked about whom.

CREATE TABLE person (
	number TEXT PRIMARY KEY,
	record TEXT NOT NULL            -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE asked (
	unit      TEXT    NOT NULL,
	request   TEXT    NOT NULL,
	number    TEXT    NOT NULL,
	person    BLOB    NOT NULL CHECK (length(person) = 32), -- SHA-256 of name and date of birth as asked
	officer   TEXT    NOT NULL,
	purpose   TEXT    NOT NULL,
	at        INTEGER NOT NULL,     -- seconds since 1970
	confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
	times     INTEGER NOT NULL,
	PRIMARY KEY (unit, request)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER asked_no_delete BEFORE DELETE ON asked BEGIN SELECT raise(ABORT, 'who asked stays known'); END;
