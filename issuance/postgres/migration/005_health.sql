-- How the queue stands, for whoever may read the ledger: what is in it they may not see.
CREATE FUNCTION queue_stands() RETURNS TABLE (waiting bigint, oldest timestamptz, holder text, epoch bigint, beat timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
	SELECT (SELECT count(*) FROM submission), (SELECT min(at) FROM submission), q.holder, q.epoch, q.beat FROM queue q;
$$;
REVOKE ALL ON FUNCTION queue_stands() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_stands() TO tamthe_reader;
