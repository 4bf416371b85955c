-- The passkeys by which operators log in to the console, and the invitations to register
-- one. A passkey's record holds its public key, and the operator's passphrase under a secret
-- that only the passkey gives back.

CREATE TABLE salt (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT;

CREATE TABLE invitation (
	code     BLOB PRIMARY KEY CHECK (length(code) = 32), -- SHA-256 of it
	operator TEXT    NOT NULL,
	until    INTEGER NOT NULL                            -- seconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TABLE passkey (
	id       BLOB PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 1023),
	operator TEXT NOT NULL,
	record   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
