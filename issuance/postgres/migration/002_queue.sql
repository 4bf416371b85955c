-- What desks without the log key hand in, and how it ended. A sequencer takes it from here.
--
-- A desk says id, body and wait, nothing else: who it is, and when it came, the server says.
CREATE TABLE submission (
	id   bytea       NOT NULL PRIMARY KEY,
	desk text        COLLATE "C" NOT NULL DEFAULT session_user,
	at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	wait integer     NOT NULL DEFAULT 60 CHECK (wait BETWEEN 1 AND 3600), -- seconds after which nobody waits for it any more
	body bytea       NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 33554432),
	CONSTRAINT named_by_body CHECK (id = sha256(body))
);
ALTER TABLE submission ALTER body SET STORAGE EXTERNAL; -- it is sealed: nothing to compress
CREATE INDEX submission_turn ON submission (desk, at, id);

-- Refusal is NULL for what stands in the log.
CREATE TABLE outcome (
	id      bytea       NOT NULL PRIMARY KEY CHECK (octet_length(id) = 32),
	at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	refusal text        CHECK (length(refusal) <= 16384)
);
CREATE INDEX outcome_at ON outcome (at);

-- Who of several sequencers works on the queue. The epoch grows when another takes over.
CREATE TABLE queue (
	one    boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
	holder text        NOT NULL,
	epoch  bigint      NOT NULL,
	beat   timestamptz NOT NULL
);
INSERT INTO queue VALUES (true, '', 0, '-infinity');

-- A desk that floods the queue fills its own part of it.
CREATE FUNCTION submission_bound() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	waiting integer;
	octets  bigint;
BEGIN
	SELECT count(*), coalesce(sum(size), 0) INTO waiting, octets
		FROM (SELECT octet_length(body) AS size FROM submission WHERE desk = NEW.desk LIMIT 1024) s;
	IF waiting >= 1024 OR octets > 268435456 THEN
		RAISE EXCEPTION 'this desk has handed in more than is waited for' USING ERRCODE = 'configuration_limit_exceeded';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER submission_bound BEFORE INSERT ON submission FOR EACH ROW EXECUTE FUNCTION submission_bound();
REVOKE ALL ON FUNCTION submission_bound() FROM PUBLIC;

GRANT INSERT (id, body, wait) ON submission TO tamthe_desk;
GRANT SELECT ON outcome, queue TO tamthe_desk;
GRANT SELECT, DELETE ON submission TO tamthe_sequencer;
GRANT SELECT, INSERT, DELETE ON outcome TO tamthe_sequencer;
GRANT SELECT, UPDATE (holder, epoch, beat) ON queue TO tamthe_sequencer;
