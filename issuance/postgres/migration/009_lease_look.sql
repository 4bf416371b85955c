-- Whoever asks for a lease that another has looks at its row and leaves it alone. It was locked
-- before: an account that asked for the leases of all others, and did not end its transaction,
-- kept them from renewing and giving back.

CREATE OR REPLACE FUNCTION take_lease(s text, h text, d interval) RETURNS SETOF lease
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	most CONSTANT interval := interval '10 minutes';
	old  lease;
	t    timestamptz;
BEGIN
	IF d <= interval '0' OR d > most THEN
		RAISE EXCEPTION 'a lease is for at most %', most USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO old FROM lease WHERE subject = s AND holder <> h AND until BETWEEN clock_timestamp() AND clock_timestamp() + most;
	IF FOUND THEN
		RETURN NEXT old;
		RETURN;
	END IF;
	LOOP
		SELECT * INTO old FROM lease WHERE subject = s FOR UPDATE;
		t := clock_timestamp();
		IF NOT FOUND THEN -- the epoch is of a time after whoever had it before has given it back
			PERFORM lease_bound();
			INSERT INTO lease VALUES (s, h, 1, t + d, session_user) ON CONFLICT (subject) DO NOTHING;
			CONTINUE;
		END IF;
		IF (old.holder <> h OR old.account <> session_user) AND old.until > t THEN
			IF old.holder = h THEN
				RAISE EXCEPTION 'another account has the lease' USING ERRCODE = 'insufficient_privilege';
			END IF;
			RETURN QUERY UPDATE lease SET until = least(until, t + most) WHERE subject = s RETURNING *;
		ELSE
			IF old.account IS DISTINCT FROM session_user THEN
				PERFORM lease_bound();
			END IF;
			RETURN QUERY UPDATE lease SET holder = h, epoch = greatest(old.epoch + 1, (extract(epoch FROM t) * 1000000)::bigint), until = t + d, account = session_user
				WHERE subject = s RETURNING *;
		END IF;
		EXIT;
	END LOOP;
END $$;
