-- Who works on an application or a chip, and until when nobody else should, by the server's
-- clock. No part of the log: a row goes when its holder gives it back. Whoever takes over what
-- is over gets a greater epoch, and so does the same holder again, so that who had it before
-- is told from who has it now.
--
-- Desks may change nothing, so that they ask these functions.

CREATE TABLE lease (
	subject text        COLLATE "C" PRIMARY KEY CHECK (length(subject) BETWEEN 1 AND 200),
	holder  text        COLLATE "C" NOT NULL CHECK (length(holder) BETWEEN 1 AND 300),
	epoch   bigint      NOT NULL CHECK (epoch >= 1),
	until   timestamptz NOT NULL
);

-- take_lease gives the subject to the holder for so long, and says who has it then. One that
-- runs for longer than any is given is of a time when the clock went ahead: it is cut short.
CREATE FUNCTION take_lease(s text, h text, d interval) RETURNS SETOF lease
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
			INSERT INTO lease VALUES (s, h, 1, t + d) ON CONFLICT (subject) DO NOTHING;
			CONTINUE;
		END IF;
		IF old.holder <> h AND old.until > t THEN
			RETURN QUERY UPDATE lease SET until = least(until, t + most) WHERE subject = s RETURNING *;
		ELSE
			RETURN QUERY UPDATE lease SET holder = h, epoch = greatest(old.epoch + 1, (extract(epoch FROM t) * 1000000)::bigint), until = t + d
				WHERE subject = s RETURNING *;
		END IF;
		EXIT;
	END LOOP;
END $$;

-- renew_lease makes a lease run from now for so long, and says who has it then: nobody, if it
-- was taken over and given back.
CREATE FUNCTION renew_lease(s text, h text, e bigint, d interval) RETURNS SETOF lease
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
BEGIN
	IF d <= interval '0' OR d > interval '10 minutes' THEN
		RAISE EXCEPTION 'a lease is for at most 10 minutes' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	UPDATE lease SET until = clock_timestamp() + d WHERE subject = s AND holder = h AND epoch = e;
	RETURN QUERY SELECT * FROM lease WHERE subject = s;
END $$;

CREATE FUNCTION release_lease(s text, h text, e bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = tamthe, pg_catalog, pg_temp AS $$
	DELETE FROM lease WHERE subject = s AND holder = h AND epoch = e;
$$;

REVOKE ALL ON FUNCTION take_lease(text, text, interval), renew_lease(text, text, bigint, interval), release_lease(text, text, bigint) FROM PUBLIC;
GRANT SELECT ON lease TO tamthe_reader;
GRANT EXECUTE ON FUNCTION take_lease(text, text, interval), renew_lease(text, text, bigint, interval), release_lease(text, text, bigint)
	TO tamthe_desk, tamthe_sequencer;
