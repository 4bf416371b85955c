-- One log in one schema. What the leaves say is the truth; the columns beside them, and the
-- tables stream, identity, claim and hold, repeat it for look-up and for uniqueness, and are
-- rebuilt and compared by Verify. Triggers keep an honest program from changing what is
-- written; against a dishonest one stand the tree, the checkpoint and its copies.
--
-- Entries and attachments are partitioned by the month in which the log took them. Months
-- never go back, so that each partition is a run of the log and month says where it begins.
-- A key of a partitioned table must hold the month; what is unique over all months is so by
-- stream and identity.

CREATE TABLE migration (
	number   integer PRIMARY KEY,
	checksum text    NOT NULL                         -- SHA-256 of the script
);

CREATE TABLE log (
	id         integer     PRIMARY KEY CHECK (id = 1),
	origin     text        NOT NULL,
	size       bigint      NOT NULL CHECK (size >= 0),
	checkpoint bytea       NOT NULL,                  -- signed note over size and root
	epoch      bigint      NOT NULL CHECK (epoch >= 0), -- grows with each change of who appends
	holder     text        NOT NULL,                  -- who appends
	since      timestamptz NOT NULL                   -- and when they last did, or said that they are there
);

CREATE TABLE month (
	month date   PRIMARY KEY CHECK (month = date_trunc('month', month)::date),
	first bigint NOT NULL UNIQUE CHECK (first >= 0)   -- idx of the first entry taken in it
);

CREATE TABLE entry (
	month   date   NOT NULL,
	idx     bigint NOT NULL CHECK (idx >= 0),         -- place in the tree
	kind    text   COLLATE "C" NOT NULL,
	stream  text   COLLATE "C" NOT NULL,
	seq     bigint NOT NULL CHECK (seq >= 1),
	id      bytea  NOT NULL CHECK (length(id) = 16),
	act     text   NOT NULL,
	time    bigint NOT NULL,                          -- microseconds since 1970
	leaf    bytea  NOT NULL,
	payload bytea  NOT NULL,
	nodes   bytea  NOT NULL CHECK (length(nodes) >= 32 AND length(nodes) % 32 = 0),
	PRIMARY KEY (idx, month),
	UNIQUE (kind, stream, seq, month)
) PARTITION BY RANGE (month);

CREATE TABLE attachment (
	month  date   NOT NULL,
	place  bigint NOT NULL,                           -- idx * 32 + place in the entry, from 0
	name   text   NOT NULL,
	sealed bytea  NOT NULL,
	PRIMARY KEY (place, month)
) PARTITION BY RANGE (month);
ALTER TABLE attachment ALTER COLUMN sealed SET STORAGE EXTERNAL; -- what is sealed does not compress

CREATE TABLE identity (
	id  bytea  PRIMARY KEY CHECK (length(id) = 16),
	idx bigint NOT NULL
);

CREATE TABLE stream (
	kind   text   COLLATE "C" NOT NULL,
	id     text   COLLATE "C" NOT NULL,
	seq    bigint NOT NULL,
	last   bytea  NOT NULL CHECK (length(last) = 32), -- hash of the last leaf
	phase  text   COLLATE "C" NOT NULL,
	opened bigint NOT NULL,                           -- idx of the first entry
	latest bigint NOT NULL,                           -- idx of the last entry
	since  bigint NOT NULL,                           -- time of the last entry
	PRIMARY KEY (kind, id)
) WITH (fillfactor = 80);
CREATE INDEX stream_by_phase ON stream (kind, phase, opened);

CREATE TABLE claim (                                   -- unique for ever
	kind        text   COLLATE "C" NOT NULL,
	value       text   COLLATE "C" NOT NULL,
	stream_kind text   COLLATE "C" NOT NULL,
	stream      text   COLLATE "C" NOT NULL,
	idx         bigint NOT NULL,
	PRIMARY KEY (kind, value)
);

CREATE TABLE hold (                                    -- unique until released
	kind        text   COLLATE "C" NOT NULL,
	value       text   COLLATE "C" NOT NULL,
	stream_kind text   COLLATE "C" NOT NULL,
	stream      text   COLLATE "C" NOT NULL,
	idx         bigint NOT NULL,
	PRIMARY KEY (kind, value)
);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION refuse('entries are for ever');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE ON attachment FOR EACH ROW EXECUTE FUNCTION refuse('attachments are for ever');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE ON identity FOR EACH ROW EXECUTE FUNCTION refuse('identities are for ever');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE ON claim FOR EACH ROW EXECUTE FUNCTION refuse('claims are for ever');
CREATE TRIGGER for_ever BEFORE UPDATE OR DELETE ON month FOR EACH ROW EXECUTE FUNCTION refuse('months are for ever');
CREATE TRIGGER for_ever BEFORE UPDATE ON hold FOR EACH ROW EXECUTE FUNCTION refuse('holds are taken and released');
CREATE TRIGGER for_ever BEFORE DELETE ON stream FOR EACH ROW EXECUTE FUNCTION refuse('streams are for ever');
CREATE TRIGGER for_ever BEFORE DELETE ON log FOR EACH ROW EXECUTE FUNCTION refuse('the log is for ever');
CREATE TRIGGER forward BEFORE UPDATE ON stream FOR EACH ROW
	WHEN (NEW.seq <= OLD.seq OR NEW.latest <= OLD.latest OR NEW.kind <> OLD.kind OR NEW.id <> OLD.id OR NEW.opened <> OLD.opened)
	EXECUTE FUNCTION refuse('streams go forward');
CREATE TRIGGER forward BEFORE UPDATE ON log FOR EACH ROW
	WHEN (NEW.size < OLD.size OR NEW.size = OLD.size AND NEW.checkpoint <> OLD.checkpoint OR NEW.id <> OLD.id OR NEW.origin <> OLD.origin OR NEW.epoch < OLD.epoch)
	EXECUTE FUNCTION refuse('the log goes forward');
CREATE TRIGGER whole BEFORE TRUNCATE ON entry EXECUTE FUNCTION refuse('entries are for ever');
CREATE TRIGGER whole BEFORE TRUNCATE ON attachment EXECUTE FUNCTION refuse('attachments are for ever');
CREATE TRIGGER whole BEFORE TRUNCATE ON identity EXECUTE FUNCTION refuse('identities are for ever');
CREATE TRIGGER whole BEFORE TRUNCATE ON claim EXECUTE FUNCTION refuse('claims are for ever');
CREATE TRIGGER whole BEFORE TRUNCATE ON month EXECUTE FUNCTION refuse('months are for ever');
CREATE TRIGGER whole BEFORE TRUNCATE ON hold EXECUTE FUNCTION refuse('holds are taken and released');
CREATE TRIGGER whole BEFORE TRUNCATE ON stream EXECUTE FUNCTION refuse('streams are for ever');
CREATE TRIGGER whole BEFORE TRUNCATE ON log EXECUTE FUNCTION refuse('the log is for ever');

-- open_month makes the partitions of a month. It is the one piece of the schema that whoever
-- appends may change: a month is made beside the others and joined to them, which waits for
-- nobody who reads.
CREATE FUNCTION open_month(m date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	t    text;
	part text;
BEGIN
	m := date_trunc('month', m)::date;
	FOREACH t IN ARRAY ARRAY['entry', 'attachment'] LOOP
		part := t || '_' || to_char(m, 'YYYYMM');
		CONTINUE WHEN to_regclass('tamthe.' || part) IS NOT NULL;
		EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, t);
		EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', t, part, m, m + interval '1 month');
		EXECUTE format('CREATE TRIGGER whole BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse(%L)', part, 'what was taken is for ever');
		EXECUTE format('GRANT SELECT ON %I TO tamthe_reader', part);
		EXECUTE format('GRANT INSERT ON %I TO tamthe_sequencer', part);
	END LOOP;
END $$;
REVOKE ALL ON FUNCTION open_month(date), refuse() FROM PUBLIC;

GRANT SELECT ON migration, log, month, entry, attachment, identity, stream, claim, hold TO tamthe_reader;
GRANT INSERT ON month, entry, attachment, identity, stream, claim, hold TO tamthe_sequencer;
GRANT UPDATE (size, checkpoint, epoch, holder, since) ON log TO tamthe_sequencer;
GRANT UPDATE (seq, last, phase, latest, since) ON stream TO tamthe_sequencer;
GRANT DELETE ON hold TO tamthe_sequencer;
GRANT EXECUTE ON FUNCTION open_month(date) TO tamthe_sequencer;
