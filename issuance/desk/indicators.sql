-- What `tamthe report --publish` counts, from a ledger file alone and without any of the
-- program's code, before it is rounded to fives:
--
--   sqlite3 -readonly -box ledger.db \
--     -cmd ".parameter set :first '2026-09-01'" -cmd ".parameter set :last '2026-09-30'" \
--     -cmd ".parameter set :zone '+7 hours'" -cmd ".parameter set :holidays '[]'" < indicators.sql
--
-- What an entry says is read from the octets of its leaf (its form: issuance/leaf.go); the
-- columns beside the leaf serve to find it. Ages and the fields in which the register differed are sealed, and not counted here.
CREATE TEMP TABLE period AS SELECT :first AS first, :last AS last, :zone AS zone, :holidays AS holidays;

-- two hexadecimal digits as a number
CREATE TEMP TABLE octet (h TEXT PRIMARY KEY, n INTEGER);
INSERT INTO octet WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 255) SELECT printf('%02X', n), n FROM c;

CREATE TEMP TABLE leaf (idx INTEGER PRIMARY KEY, b BLOB, h TEXT);
INSERT INTO leaf SELECT idx, leaf, hex(leaf) FROM entry WHERE kind IN ('application', 'card');

-- p is the place of the next octet, from 1: behind version and rule book, the origin's length.
CREATE TEMP TABLE origin AS SELECT idx, 5 + n AS p FROM leaf JOIN octet ON octet.h = substr(leaf.h, 7, 2);
CREATE TEMP TABLE kind AS SELECT idx, p + 1 + n AS p, CAST(substr(b, p + 1, n) AS TEXT) AS kind
	FROM origin JOIN leaf USING (idx) JOIN octet ON octet.h = substr(leaf.h, 2 * p - 1, 2);
CREATE TEMP TABLE stream AS SELECT idx, p + 1 + n AS p, kind, CAST(substr(b, p + 1, n) AS TEXT) AS stream
	FROM kind JOIN leaf USING (idx) JOIN octet ON octet.h = substr(leaf.h, 2 * p - 1, 2);
-- behind sequence number (8), hash before (32) and identity (16) the act, and then its time
CREATE TEMP TABLE act AS SELECT idx, p + 57 + n AS p, kind, stream, CAST(substr(b, p + 57, n) AS TEXT) AS act, hex(substr(b, p, 8)) AS seq
	FROM stream JOIN leaf USING (idx) JOIN octet ON octet.h = substr(leaf.h, 2 * (p + 56) - 1, 2);
CREATE INDEX temp.act_idx ON act (idx);
CREATE TEMP TABLE clock AS
	WITH RECURSIVE c(idx, p, i, us) AS ( -- eight octets of microseconds
		SELECT idx, p, 0, 0 FROM act
		UNION ALL SELECT c.idx, p, i + 1, us * 256 + n FROM c JOIN leaf ON leaf.idx = c.idx JOIN octet ON octet.h = substr(leaf.h, 2 * (p + i) - 1, 2) WHERE i < 8)
	SELECT idx, us FROM c WHERE i = 8;

-- Behind the operator (32) and, perhaps, a second one: how many fields, then in turn a name
-- behind one octet of length and its value behind two (w).
CREATE TEMP TABLE part AS
	WITH RECURSIVE fields(idx, p, n) AS (
		SELECT idx, q + 1, n FROM (
			SELECT act.idx, leaf.h, act.p + 41 + CASE substr(leaf.h, 2 * (act.p + 40) - 1, 2) WHEN '01' THEN 32 ELSE 0 END AS q FROM act JOIN leaf USING (idx)
		) AS f JOIN octet ON octet.h = substr(f.h, 2 * q - 1, 2)),
	part(idx, i, more, p, w, length) AS (
		SELECT fields.idx, 0, 2 * fields.n, p, 1, octet.n FROM fields JOIN leaf USING (idx) JOIN octet ON octet.h = substr(leaf.h, 2 * p - 1, 2) WHERE fields.n > 0
		UNION ALL
		SELECT part.idx, i + 1, more - 1, p + w + length, 3 - w, CASE w WHEN 2 THEN high.n ELSE 256 * high.n + low.n END
		FROM part JOIN leaf ON leaf.idx = part.idx
			JOIN octet high ON high.h = substr(leaf.h, 2 * (p + w + length) - 1, 2) JOIN octet low ON low.h = substr(leaf.h, 2 * (p + w + length) + 1, 2)
		WHERE more > 1)
	SELECT idx, i, w, CAST(substr(b, p + w, length) AS TEXT) AS text FROM part JOIN leaf USING (idx);
CREATE INDEX temp.part_idx ON part (idx, i);
CREATE TEMP TABLE said AS
	SELECT act.idx, act.kind, act.stream, act.act, act.seq, date(us / 1000000, 'unixepoch', zone) AS day,
		max(CASE name.text WHEN 'desk' THEN value.text END) AS office, max(CASE name.text WHEN 'reason' THEN value.text END) AS reason,
		max(CASE name.text WHEN 'outcome' THEN value.text END) AS outcome, max(CASE name.text WHEN 'doctype' THEN value.text END) AS doctype
	FROM period JOIN act JOIN clock USING (idx)
		LEFT JOIN part name ON name.idx = act.idx AND name.w = 1 LEFT JOIN part value ON value.idx = name.idx AND value.i = name.i + 1
	GROUP BY act.idx;
CREATE INDEX temp.said_stream ON said (stream, seq);

-- working days up to each day
CREATE TEMP TABLE day AS
	WITH RECURSIVE calendar(day, last) AS (
		SELECT min(day), (SELECT last FROM period) FROM said
		UNION ALL SELECT date(day, '+1 day'), last FROM calendar WHERE day < date(last, '+60 days'))
	SELECT day, sum(strftime('%w', day) NOT IN ('0', '6') AND day NOT IN (SELECT value FROM period, json_each(holidays))) OVER (ORDER BY day) AS so_far
	FROM calendar;

-- each act of an application beside what the application says by then
CREATE TEMP TABLE told AS
	SELECT s.*, substr(s.day, 1, 7) AS month, begun.day AS begun, begun.doctype AS kind_of,
		(SELECT c.reason FROM said c WHERE c.kind = 'application' AND c.stream = s.stream AND c.act IN ('enrol', 'change')
			AND c.reason IS NOT NULL AND c.seq <= s.seq ORDER BY c.seq DESC LIMIT 1) AS cause
	FROM period JOIN said s JOIN said begun ON begun.kind = 'application' AND begun.act = 'enrol' AND begun.stream = s.stream
	WHERE s.kind = 'application' AND s.day BETWEEN first AND last;

WITH outcome(act, name) AS (VALUES ('enrol', 'enrolled'), ('approve', 'approved'), ('reject', 'rejected'), ('cancel', 'cancelled'), ('issue', 'issued')),
took AS (
	SELECT month, b.so_far - a.so_far AS days,
		told.day <= coalesce((SELECT min(day) FROM day WHERE so_far = a.so_far + 7), told.day) AS within
	FROM told JOIN day a ON a.day = told.begun JOIN day b ON b.day = told.day WHERE act = 'issue'),
row(month, "table", sort, "column", n) AS (
	SELECT month, 'office', coalesce(office, '-'), name, count(*) FROM told JOIN outcome USING (act) GROUP BY 1, 3, 4
	UNION ALL SELECT month, 'reason', cause, name, count(*) FROM told JOIN outcome USING (act) GROUP BY 1, 3, 4
	UNION ALL SELECT month, 'kind', kind_of, name, count(*) FROM told JOIN outcome USING (act) GROUP BY 1, 3, 4
	UNION ALL SELECT month, 'day', day, name, count(*) FROM told JOIN outcome USING (act) GROUP BY 1, 3, 4
	UNION ALL SELECT month, 'refusal', reason, 'rejected', count(*) FROM told WHERE act = 'reject' GROUP BY 1, 3
	UNION ALL SELECT month, 'register', outcome, 'compared', count(*) FROM told WHERE act IN ('confirm', 'differ') GROUP BY 1, 3
	UNION ALL SELECT substr(day, 1, 7), 'ended', reason, 'revoked', count(*) FROM said
		WHERE kind = 'card' AND act = 'revoke' AND day BETWEEN (SELECT first FROM period) AND (SELECT last FROM period) GROUP BY 1, 3
	UNION ALL SELECT month, 'cards', 'all', 'issued', count(*) FROM took GROUP BY 1
	UNION ALL SELECT month, 'cards', 'all', 'within', sum(within) FROM took GROUP BY 1
	UNION ALL SELECT month, 'cards', 'all', 'working days', sum(days) FROM took GROUP BY 1)
SELECT month, "table", sort, "column", n, (n + 2) / 5 * 5 AS published FROM row ORDER BY 1, 2, 3, 4;
