-- Months begin in their turn, and with the next entry; who only appends begins none but the
-- month of the server's clock, or the next one where that is a day away. A later one would be
-- where all goes on until then, for months never go back; an earlier one would begin with the
-- entry that this month is to begin with.
--
-- The schema's owner begins others too: whoever moves a ledger here brings its old months.

CREATE FUNCTION is_now(m date) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog SET timezone = 'UTC' AS $$
	SELECT m IN (date_trunc('month', clock_timestamp())::date, date_trunc('month', clock_timestamp() + interval '1 day')::date);
$$;

CREATE FUNCTION month_bound() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	next bigint;
BEGIN
	SELECT size INTO next FROM log FOR UPDATE; -- nothing is appended to the month before meanwhile
	IF NEW.first <> next OR NEW.month <= (SELECT max(month) FROM month) THEN
		RAISE EXCEPTION 'a month begins behind the others, with the next entry' USING ERRCODE = 'integrity_constraint_violation';
	END IF;
	IF NOT is_now(NEW.month) AND NOT pg_has_role(session_user, current_user, 'MEMBER') THEN
		RAISE EXCEPTION 'it is not that month' USING ERRCODE = 'integrity_constraint_violation';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER month_bound BEFORE INSERT ON month FOR EACH ROW EXECUTE FUNCTION month_bound();

CREATE OR REPLACE FUNCTION open_month(m date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	t    text;
	part text;
BEGIN
	m := date_trunc('month', m)::date;
	IF NOT is_now(m) AND NOT pg_has_role(session_user, current_user, 'MEMBER') THEN
		RAISE EXCEPTION 'it is not that month' USING ERRCODE = 'integrity_constraint_violation';
	END IF;
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
REVOKE ALL ON FUNCTION is_now(date), month_bound() FROM PUBLIC;
