-- Wrapped keys by subject, in parts. A row that is overwritten leaves its old octets in the
-- table's file, and so does one that is deleted. Only a file that is written anew, without them,
-- has them no more: a part is small enough for that to be done with each key that is destroyed.

CREATE TABLE vault (
	id      integer PRIMARY KEY CHECK (id = 1),
	version integer NOT NULL,
	kek     text    NOT NULL                           -- name of the key that wraps
);

CREATE TABLE key (
	part    smallint NOT NULL,                         -- of the subject's SHA-256
	subject text     COLLATE "C" NOT NULL,
	class   bigint   NOT NULL,
	live    boolean  NOT NULL,                         -- false: destroyed, and never made anew
	wrapped bytea    NOT NULL CHECK (live OR wrapped = ''),
	PRIMARY KEY (part, subject, class)
) PARTITION BY LIST (part);

CREATE TABLE rest (                                    -- parts whose files hold what was overwritten
	part smallint PRIMARY KEY
);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RAISE EXCEPTION 'destroyed keys stay known' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION no_return() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF NEW.live AND NOT OLD.live OR NEW.subject <> OLD.subject OR NEW.class <> OLD.class OR NEW.part <> OLD.part THEN
		RAISE EXCEPTION 'a destroyed key does not come back' USING ERRCODE = 'integrity_constraint_violation';
	END IF;
	RETURN NEW;
END $$;

CREATE TRIGGER no_delete BEFORE DELETE ON key FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER no_return BEFORE UPDATE ON key FOR EACH ROW EXECUTE FUNCTION no_return();

DO $$
BEGIN
	FOR p IN 0..63 LOOP
		EXECUTE format('CREATE TABLE key_%s PARTITION OF key FOR VALUES IN (%s)', p, p);
	END LOOP;
END $$;

-- empty writes the files of a part anew, with what is there now. It waits until nobody reads it.
CREATE FUNCTION empty(p integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe_vault, pg_catalog, pg_temp AS $$
DECLARE
	kept key[];
BEGIN
	IF p NOT BETWEEN 0 AND 63 THEN
		RAISE EXCEPTION 'there is no part %', p;
	END IF;
	EXECUTE format('LOCK TABLE key_%s IN ACCESS EXCLUSIVE MODE', p);
	SELECT array_agg(k) INTO kept FROM key k WHERE part = p;
	EXECUTE format('TRUNCATE key_%s', p);
	IF kept IS NOT NULL THEN
		INSERT INTO key SELECT * FROM unnest(kept);
	END IF;
	DELETE FROM rest WHERE part = p;
END $$;
REVOKE ALL ON FUNCTION empty(integer), refuse(), no_return() FROM PUBLIC;

GRANT SELECT ON vault, key, rest TO tamthe_vault;
GRANT INSERT ON key, rest TO tamthe_vault;
GRANT UPDATE (live, wrapped) ON key TO tamthe_vault;
GRANT UPDATE (kek) ON vault TO tamthe_vault;
GRANT EXECUTE ON FUNCTION empty(integer) TO tamthe_vault;
