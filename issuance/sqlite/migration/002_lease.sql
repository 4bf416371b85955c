-- Who works on an application or a chip, and until when nobody else should. No part of the
-- log: a row goes when its holder gives it back, and one that was lost with the power is
-- taken anew. Whoever takes over what is over gets a greater epoch, and so does the same
-- holder again, so that who had it before is told from who has it now.

CREATE TABLE lease (
	subject TEXT    NOT NULL PRIMARY KEY,
	holder  TEXT    NOT NULL,
	epoch   INTEGER NOT NULL CHECK (epoch >= 1),
	until   INTEGER NOT NULL                          -- microseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TRIGGER lease_forward BEFORE UPDATE ON lease
WHEN NEW.subject <> OLD.subject OR NEW.epoch < OLD.epoch OR (NEW.epoch = OLD.epoch AND NEW.holder <> OLD.holder)
BEGIN SELECT raise(ABORT, 'leases go forward'); END;
