-- What portals sent, and how their cases stand. What a message says of a person lies sealed
-- in it, under a key that is kept elsewhere and destroyed once the ledger has the application.

CREATE TABLE filing (
	code     TEXT    PRIMARY KEY,      -- of the receipt
	portal   TEXT    NOT NULL,
	name     TEXT    NOT NULL,         -- the portal's own
	version  INTEGER NOT NULL,
	state    TEXT    NOT NULL,
	why      TEXT    NOT NULL,
	filed    INTEGER NOT NULL CHECK (filed IN (0, 1)),
	revision INTEGER NOT NULL,         -- of the newest content; 0: none
	reason   TEXT    NOT NULL,
	person   TEXT    NOT NULL,         -- a keyed hash
	app      TEXT    NOT NULL,         -- in the ledger; empty before the desk has it
	officer  TEXT    NOT NULL,
	received INTEGER NOT NULL,         -- microseconds since 1970
	since    INTEGER NOT NULL,
	UNIQUE (portal, name)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX filing_app ON filing (app) WHERE app <> '';
CREATE INDEX filing_state ON filing (state, received);

CREATE TABLE message (
	portal            TEXT    NOT NULL,
	request           TEXT    NOT NULL,
	code              TEXT    NOT NULL REFERENCES filing (code),
	act               TEXT    NOT NULL,
	revision          INTEGER NOT NULL,
	received          INTEGER NOT NULL,
	digest            BLOB    NOT NULL CHECK (length(digest) = 32), -- of its octets, which are salted
	signature         TEXT    NOT NULL,
	sealed            BLOB,
	receipt           BLOB    NOT NULL,
	receipt_signature TEXT    NOT NULL,
	PRIMARY KEY (portal, request)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX message_revision ON message (code, revision) WHERE revision > 0;
CREATE INDEX message_sealed ON message (code) WHERE sealed IS NOT NULL;

CREATE TRIGGER message_no_delete BEFORE DELETE ON message BEGIN SELECT raise(ABORT, 'what was received stays known'); END;
CREATE TRIGGER message_no_update BEFORE UPDATE OF portal, request, code, act, revision, received, digest, signature, receipt, receipt_signature ON message
	BEGIN SELECT raise(ABORT, 'what was received stays as it was'); END;
CREATE TRIGGER message_no_reseal BEFORE UPDATE OF sealed ON message WHEN new.sealed IS NOT NULL
	BEGIN SELECT raise(ABORT, 'content is only ever forgotten'); END;

CREATE TABLE event (
	seq    INTEGER PRIMARY KEY AUTOINCREMENT,
	portal TEXT    NOT NULL,
	code   TEXT    NOT NULL REFERENCES filing (code),
	name   TEXT    NOT NULL,
	state  TEXT    NOT NULL,
	why    TEXT    NOT NULL,
	at     INTEGER NOT NULL
) STRICT;

CREATE INDEX event_portal ON event (portal, seq);
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'what was told stays told'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'what was told stays told'); END;

CREATE TABLE followed (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	at  INTEGER NOT NULL               -- index of the ledger's first entry that was not looked at
) STRICT;

INSERT INTO followed VALUES (1, 0);
