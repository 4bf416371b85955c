-- What a monitor remembers of the logs that it follows. A log's entries are rows of their
-- own; what they say otherwise is its facts.

CREATE TABLE log (
	number     INTEGER PRIMARY KEY,
	origin     TEXT    NOT NULL UNIQUE,
	size       INTEGER NOT NULL,
	checkpoint BLOB,                                   -- the newest signed note
	since      INTEGER NOT NULL,                       -- microseconds since 1970
	reread     INTEGER NOT NULL,
	facts      BLOB
) STRICT;

CREATE TABLE leaf (
	log   INTEGER NOT NULL REFERENCES log (number),
	idx   INTEGER NOT NULL,
	nodes BLOB    NOT NULL,                            -- that it completed, from its own hash up
	PRIMARY KEY (log, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE card (
	id     BLOB    NOT NULL,                           -- SHA-256 of the LDSSecurityObject
	log    INTEGER NOT NULL REFERENCES log (number),
	idx    INTEGER NOT NULL,
	signer TEXT    NOT NULL,
	PRIMARY KEY (id, log, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE blank (
	log    INTEGER NOT NULL REFERENCES log (number),
	batch  TEXT    NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (log, batch, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE stock (
	log  INTEGER NOT NULL REFERENCES log (number),
	idx  INTEGER NOT NULL,
	leaf BLOB    NOT NULL,
	PRIMARY KEY (log, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE offer (
	source TEXT    NOT NULL,
	origin TEXT    NOT NULL,
	size   INTEGER NOT NULL,
	PRIMARY KEY (source, origin)
) STRICT, WITHOUT ROWID;

CREATE TABLE shown (
	origin  TEXT    NOT NULL,
	size    INTEGER NOT NULL,
	root    BLOB    NOT NULL,
	note    BLOB,
	place   TEXT    NOT NULL,
	since   INTEGER NOT NULL,
	settled INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (origin, size, root)
) STRICT, WITHOUT ROWID;

CREATE TABLE sight (
	id     BLOB    NOT NULL PRIMARY KEY,
	octets BLOB,                                       -- NULL: it was judged
	place  TEXT    NOT NULL,
	since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
	number       INTEGER PRIMARY KEY,
	id           TEXT    NOT NULL UNIQUE,
	code         TEXT    NOT NULL,
	origin       TEXT    NOT NULL,
	idx          INTEGER NOT NULL,
	subject      TEXT    NOT NULL,
	detail       TEXT    NOT NULL,
	raised       INTEGER NOT NULL,
	acknowledged INTEGER
) STRICT;

CREATE TRIGGER leaf_no_change BEFORE UPDATE ON leaf BEGIN SELECT raise(ABORT, 'entries do not change'); END;
CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf BEGIN SELECT raise(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER alarm_no_delete BEFORE DELETE ON alarm BEGIN SELECT raise(ABORT, 'alarms are never deleted'); END;
