-- Whoever may read sees who has a lease and its epoch. A lease is therefore of the account that
-- took it too: another one, be it a stolen desk's, neither takes, renews nor gives back in its
-- name while it runs. The account is what the server says, and no part of what is asked.
--
-- A lease that is there has no account yet, and is anybody's who names its holder, as before.

ALTER TABLE lease ADD account text COLLATE "C";

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
	LOOP
		SELECT * INTO old FROM lease WHERE subject = s FOR UPDATE;
		t := clock_timestamp();
		IF NOT FOUND THEN -- the epoch is of a time after whoever had it before has given it back
			INSERT INTO lease VALUES (s, h, 1, t + d, session_user) ON CONFLICT (subject) DO NOTHING;
			CONTINUE;
		END IF;
		IF (old.holder <> h OR old.account <> session_user) AND old.until > t THEN
			IF old.holder = h THEN
				RAISE EXCEPTION 'another account has the lease' USING ERRCODE = 'insufficient_privilege';
			END IF;
			RETURN QUERY UPDATE lease SET until = least(until, t + most) WHERE subject = s RETURNING *;
		ELSE
			RETURN QUERY UPDATE lease SET holder = h, epoch = greatest(old.epoch + 1, (extract(epoch FROM t) * 1000000)::bigint), until = t + d, account = session_user
				WHERE subject = s RETURNING *;
		END IF;
		EXIT;
	END LOOP;
END $$;

CREATE OR REPLACE FUNCTION renew_lease(s text, h text, e bigint, d interval) RETURNS SETOF lease
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
BEGIN
	IF d <= interval '0' OR d > interval '10 minutes' THEN
		RAISE EXCEPTION 'a lease is for at most 10 minutes' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF EXISTS (SELECT FROM lease WHERE subject = s AND holder = h AND epoch = e AND account <> session_user) THEN
		RAISE EXCEPTION 'another account has the lease' USING ERRCODE = 'insufficient_privilege';
	END IF;
	UPDATE lease SET until = clock_timestamp() + d WHERE subject = s AND holder = h AND epoch = e;
	RETURN QUERY SELECT * FROM lease WHERE subject = s;
END $$;

CREATE OR REPLACE FUNCTION release_lease(s text, h text, e bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
	DELETE FROM lease WHERE subject = s AND holder = h AND epoch = e AND coalesce(account, session_user) = session_user;
$$;
