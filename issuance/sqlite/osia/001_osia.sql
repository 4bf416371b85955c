-- What other systems asked of the office through OSIA's interfaces, and what the office asked
-- of a biometric register. No personal data lie here in clear.

CREATE TABLE call (
	system      TEXT    NOT NULL,
	name        TEXT    NOT NULL,       -- of its transactionId, hashed
	op          TEXT    NOT NULL,
	target      TEXT    NOT NULL,       -- the request or credential that it is about
	mac         TEXT    NOT NULL,       -- of what was asked, under a key of the vault
	at          INTEGER NOT NULL,       -- microseconds since 1970
	salt        TEXT    NOT NULL,       -- of the case's message; empty once that is stored
	revision    INTEGER NOT NULL,
	meta        BLOB,                   -- of a credential request: how it is to be made
	done        INTEGER NOT NULL CHECK (done IN (0, 1)),
	PRIMARY KEY (system, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER call_no_delete BEFORE DELETE ON call BEGIN SELECT raise(ABORT, 'what was asked stays known'); END;
CREATE TRIGGER call_no_update BEFORE UPDATE OF system, name, op, target, mac ON call
	BEGIN SELECT raise(ABORT, 'what was asked stays as it was'); END;

CREATE TABLE portrait (
	system TEXT NOT NULL,
	name   TEXT NOT NULL,
	code   TEXT NOT NULL,               -- of the case
	sealed BLOB NOT NULL,               -- under the case's key
	PRIMARY KEY (system, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX portrait_code ON portrait (code);

CREATE TABLE command (
	id        TEXT    PRIMARY KEY,      -- O-…
	system    TEXT    NOT NULL,
	name      TEXT    NOT NULL,         -- of its transactionId, hashed
	card      TEXT    NOT NULL,
	act       TEXT    NOT NULL,
	reason    TEXT    NOT NULL,
	requester TEXT    NOT NULL,
	state     TEXT    NOT NULL,
	why       TEXT    NOT NULL,
	officer   TEXT    NOT NULL,
	at        INTEGER NOT NULL,
	since     INTEGER NOT NULL,
	UNIQUE (system, name)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX command_waiting ON command (card, act) WHERE state = 'waiting';
CREATE TRIGGER command_no_delete BEFORE DELETE ON command BEGIN SELECT raise(ABORT, 'what was asked stays known'); END;
CREATE TRIGGER command_over BEFORE UPDATE ON command WHEN old.state <> 'waiting'
	BEGIN SELECT raise(ABORT, 'what was decided stays decided'); END;

CREATE TABLE question (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	id      TEXT    NOT NULL UNIQUE,    -- B-…, the transactionId
	app     TEXT    NOT NULL,
	person  TEXT    NOT NULL,           -- the ledger's random name
	content BLOB    NOT NULL CHECK (length(content) = 32),
	op      TEXT    NOT NULL,
	token   BLOB    NOT NULL UNIQUE CHECK (length(token) = 32), -- SHA-256 of a secret
	task    TEXT    NOT NULL,
	state   TEXT    NOT NULL,
	digest  BLOB    NOT NULL CHECK (length(digest) = 32),
	sealed  BLOB,
	asked   INTEGER NOT NULL,
	since   INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX question_waiting ON question (app, op) WHERE state IN ('open', 'answered');
CREATE INDEX question_app ON question (app, op, seq);
CREATE TRIGGER question_no_delete BEFORE DELETE ON question BEGIN SELECT raise(ABORT, 'what was asked stays known'); END;
CREATE TRIGGER question_over BEFORE UPDATE ON question WHEN old.state IN ('used', 'abandoned') OR old.state = 'failed' AND new.state <> 'abandoned'
	BEGIN SELECT raise(ABORT, 'what was answered stays answered'); END;
