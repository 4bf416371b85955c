-- One log in one file. What the leaves say is the truth; the columns beside them, and
-- the tables stream, claim and hold, repeat it for look-up and for uniqueness, and are
-- rebuilt and compared by Verify. Triggers keep an honest program from changing what is
-- written; against a dishonest one stand the tree, the checkpoint and its copies.

CREATE TABLE migration (
	number   INTEGER PRIMARY KEY,
	checksum TEXT NOT NULL                            -- SHA-256 of the script
) STRICT;

CREATE TABLE log (
	id         INTEGER PRIMARY KEY CHECK (id = 1),
	origin     TEXT    NOT NULL,
	size       INTEGER NOT NULL CHECK (size >= 0),
	checkpoint BLOB    NOT NULL                       -- signed note over size and root
) STRICT;

CREATE TABLE entry (
	idx     INTEGER PRIMARY KEY CHECK (idx >= 0),     -- place in the tree
	kind    TEXT    NOT NULL,
	stream  TEXT    NOT NULL,
	seq     INTEGER NOT NULL CHECK (seq >= 1),
	id      BLOB    NOT NULL CHECK (length(id) = 16),
	act     TEXT    NOT NULL,
	time    INTEGER NOT NULL,                         -- microseconds since 1970
	leaf    BLOB    NOT NULL,
	payload BLOB    NOT NULL,
	nodes   BLOB    NOT NULL CHECK (length(nodes) >= 32 AND length(nodes) % 32 = 0),
	UNIQUE (kind, stream, seq),
	UNIQUE (id)
) STRICT;

CREATE TABLE attachment (
	place  INTEGER PRIMARY KEY,                       -- idx * 32 + place in the entry, from 0
	name   TEXT    NOT NULL,
	sealed BLOB    NOT NULL
) STRICT;

CREATE TABLE stream (
	kind   TEXT    NOT NULL,
	id     TEXT    NOT NULL,
	seq    INTEGER NOT NULL,
	last   BLOB    NOT NULL CHECK (length(last) = 32), -- hash of the last leaf
	phase  TEXT    NOT NULL,
	opened INTEGER NOT NULL,                           -- idx of the first entry
	since  INTEGER NOT NULL,                           -- time of the last entry
	PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_by_phase ON stream (kind, phase, opened);

CREATE TABLE claim (                                   -- unique for ever
	kind        TEXT    NOT NULL,
	value       TEXT    NOT NULL,
	stream_kind TEXT    NOT NULL,
	stream      TEXT    NOT NULL,
	idx         INTEGER NOT NULL REFERENCES entry (idx),
	PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (                                    -- unique until released
	kind        TEXT    NOT NULL,
	value       TEXT    NOT NULL,
	stream_kind TEXT    NOT NULL,
	stream      TEXT    NOT NULL,
	idx         INTEGER NOT NULL REFERENCES entry (idx),
	PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER entry_in_order BEFORE INSERT ON entry
WHEN NEW.idx <> coalesce((SELECT max(idx) + 1 FROM entry), 0) BEGIN SELECT raise(ABORT, 'entries are appended'); END;
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries are for ever'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are for ever'); END;
CREATE TRIGGER attachment_no_update BEFORE UPDATE ON attachment BEGIN SELECT raise(ABORT, 'attachments are for ever'); END;
CREATE TRIGGER attachment_no_delete BEFORE DELETE ON attachment BEGIN SELECT raise(ABORT, 'attachments are for ever'); END;
CREATE TRIGGER claim_no_update BEFORE UPDATE ON claim BEGIN SELECT raise(ABORT, 'claims are for ever'); END;
CREATE TRIGGER claim_no_delete BEFORE DELETE ON claim BEGIN SELECT raise(ABORT, 'claims are for ever'); END;
CREATE TRIGGER hold_no_update BEFORE UPDATE ON hold BEGIN SELECT raise(ABORT, 'holds are taken and released'); END;
CREATE TRIGGER stream_forward BEFORE UPDATE ON stream
WHEN NEW.seq <= OLD.seq OR NEW.kind <> OLD.kind OR NEW.id <> OLD.id OR NEW.opened <> OLD.opened
BEGIN SELECT raise(ABORT, 'streams go forward'); END;
CREATE TRIGGER stream_no_delete BEFORE DELETE ON stream BEGIN SELECT raise(ABORT, 'streams are for ever'); END;
CREATE TRIGGER log_forward BEFORE UPDATE ON log
WHEN NEW.size <= OLD.size OR NEW.origin <> OLD.origin BEGIN SELECT raise(ABORT, 'the log goes forward'); END;
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT raise(ABORT, 'the log is for ever'); END;
