-- What one account can fill of the queue and of the leases, however many connections it has.
--
-- What waits in the queue has a place of its account. A place is taken once, which the index
-- sees to: nobody counts, and who hands in waits for nobody. Small bodies have many places,
-- large ones few, so that the octets are bounded too: 64 MB, 128 MB and 256 MB.

DELETE FROM submission; -- whoever waits for one hands it in again
ALTER TABLE submission ADD place smallint NOT NULL CHECK (place BETWEEN 0 AND 1159);
CREATE UNIQUE INDEX submission_place ON submission (desk, place);

-- submission_bound finds a free place. Of two at once that find the same one the later gets a
-- unique violation, and tries again.
CREATE OR REPLACE FUNCTION submission_bound() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	first integer := 0;
	most  integer := 1024;
BEGIN
	IF octet_length(NEW.body) > 1048576 THEN
		first := 1152; most := 8;
	ELSIF octet_length(NEW.body) > 65536 THEN
		first := 1024; most := 128;
	END IF;
	IF EXISTS (SELECT FROM submission WHERE id = NEW.id) THEN
		RETURN NULL; -- it waits already, and takes no second place
	END IF;
	NEW.place := first + floor(random() * most);
	IF EXISTS (SELECT FROM submission WHERE desk = NEW.desk AND place = NEW.place) THEN
		SELECT n INTO NEW.place FROM generate_series(first, first + most - 1) AS n
			WHERE n NOT IN (SELECT place FROM submission WHERE desk = NEW.desk) ORDER BY random() LIMIT 1;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'this desk has handed in more than is waited for' USING ERRCODE = 'configuration_limit_exceeded';
		END IF;
	END IF;
	RETURN NEW;
END $$;

-- A row for each account that ever had a lease, to be locked by whoever adds one to its leases.
CREATE TABLE lease_account (
	name text COLLATE "C" PRIMARY KEY
);
CREATE INDEX lease_by_account ON lease (account, until);

-- lease_bound makes room for one more lease of who asks, among those of that account that are
-- over, and refuses where none is: an account has at most 1024.
CREATE FUNCTION lease_bound() RETURNS void LANGUAGE plpgsql SET search_path = tamthe, pg_catalog, pg_temp AS $$
DECLARE
	most CONSTANT integer := 1024;
BEGIN
	INSERT INTO lease_account SELECT session_user WHERE NOT EXISTS (SELECT FROM lease_account WHERE name = session_user) ON CONFLICT DO NOTHING;
	PERFORM FROM lease_account WHERE name = session_user FOR UPDATE;
	IF (SELECT count(*) FROM lease WHERE account = session_user) < most THEN
		RETURN;
	END IF;
	DELETE FROM lease WHERE subject IN (SELECT subject FROM lease WHERE account = session_user AND until < clock_timestamp()
		ORDER BY until LIMIT most / 4 FOR UPDATE SKIP LOCKED);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'this account has more leases than anybody works under' USING ERRCODE = 'configuration_limit_exceeded';
	END IF;
END $$;
REVOKE ALL ON FUNCTION lease_bound() FROM PUBLIC;

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
