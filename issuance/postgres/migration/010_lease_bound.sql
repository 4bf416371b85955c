-- Who adds to the leases of an account changes its row, and does not only lock it: a transaction
-- that reads as of before another's change fails then, and cannot count what it does not see.

CREATE OR REPLACE FUNCTION lease_bound() RETURNS void LANGUAGE plpgsql SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	most CONSTANT integer := 1024;
BEGIN
	INSERT INTO lease_account SELECT session_user WHERE NOT EXISTS (SELECT FROM lease_account WHERE name = session_user) ON CONFLICT DO NOTHING;
	UPDATE lease_account SET name = name WHERE name = session_user;
	IF (SELECT count(*) FROM lease WHERE account = session_user) < most THEN
		RETURN;
	END IF;
	DELETE FROM lease WHERE subject IN (SELECT subject FROM lease WHERE account = session_user AND until < clock_timestamp()
		ORDER BY until LIMIT most / 4 FOR UPDATE SKIP LOCKED);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'this account has more leases than anybody works under' USING ERRCODE = 'configuration_limit_exceeded';
	END IF;
END $$;
