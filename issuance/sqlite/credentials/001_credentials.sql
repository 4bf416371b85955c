-- Which credentials were derived from which cards: their places in the status lists, and by
-- what the cards' issuer knows the card. Nothing here says who the citizen is, what was told,
-- or by what key the credential is shown.

CREATE TABLE credential (
	list    INTEGER NOT NULL CHECK (list >= 0),
	place   INTEGER NOT NULL CHECK (place >= 0),
	card    TEXT    NOT NULL,                          -- a verify.CardRef, JSON
	issued  INTEGER NOT NULL,                          -- seconds since 1970
	expires INTEGER NOT NULL,
	PRIMARY KEY (list, place)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER credential_no_update BEFORE UPDATE ON credential BEGIN SELECT raise(ABORT, 'a place stays'); END;
CREATE TRIGGER credential_no_delete BEFORE DELETE ON credential BEGIN SELECT raise(ABORT, 'a place stays'); END;
