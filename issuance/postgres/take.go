package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres/submission"
)

// Bounds of a group of submissions.
const (
	maxTaken       = 256
	maxTakenOctets = 64 << 20
	maxShare       = 64 // of one desk
)

// taken is a submission that a sequencer works on.
type taken struct {
	id      [32]byte
	desk    string
	stale   bool // nobody waits for it any more, or its outcome was told
	body    []byte
	w       *waiting // nil if it never came to an append
	err     error    // how that ended
	settled bool     // err is its outcome, or it is stale
}

// count adds it to what a round did.
func (t *taken) count(r *Round) {
	switch {
	case t.stale:
		r.Dropped++
	case t.settled && t.err != nil:
		r.Refused[submission.KindOf(t.err)]++
	case t.settled:
		r.Appended++
	}
}

// selectTurns takes from each desk what it handed in first, as many as its share at the most,
// then the second of each, and so on. The desks are found one by one in the index: however
// much one of them has waiting, it costs the others nothing.
const selectTurns = `
WITH RECURSIVE desk (name) AS (
	(SELECT desk FROM submission ORDER BY desk LIMIT 1)
	UNION ALL
	SELECT (SELECT desk FROM submission WHERE desk > d.name ORDER BY desk LIMIT 1) FROM desk d WHERE d.name IS NOT NULL
), turn AS (
	SELECT s.*, d.name, row_number() OVER w AS n, sum(s.size) OVER w AS octets
	FROM (SELECT name, coalesce(share, $3) AS share FROM desk LEFT JOIN unnest($1::text[], $2::int[]) AS l (of, share) ON l.of = desk.name WHERE name IS NOT NULL) d,
		LATERAL (
			SELECT id, at, row_number() OVER (ORDER BY at, id) AS turn, octet_length(body) AS size, at + make_interval(secs => wait) < clock_timestamp() AS stale, body
			FROM submission WHERE desk = d.name ORDER BY at, id LIMIT d.share
		) s
	WINDOW w AS (ORDER BY s.turn, s.at, s.id)
)
SELECT id, name, stale OR told, CASE WHEN stale OR told THEN NULL ELSE body END
FROM (SELECT *, EXISTS (SELECT FROM outcome o WHERE o.id = turn.id) AS told FROM turn) t WHERE n = 1 OR octets <= $4 ORDER BY n LIMIT $5`

// take reads what is next in the queue. It stays there until it has an outcome.
func (s *sequencer) take(ctx context.Context, c *pgx.Conn) ([]*taken, error) {
	desks, shares := []string{}, []int32{}
	for desk, share := range s.shares {
		desks, shares = append(desks, desk), append(shares, int32(share))
	}
	rows, err := c.Query(ctx, selectTurns, desks, shares, maxShare, maxTakenOctets, maxTaken)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*taken, error) {
		t := new(taken)
		var id []byte
		if err := row.Scan(&id, &t.desk, &t.stale, &t.body); err != nil {
			return nil, err
		}
		copy(t.id[:], id)
		t.settled = t.stale
		return t, nil
	})
}

// share lets a desk whose submissions are refused have less of a group, for each of them
// costs the others' transaction another try.
func (s *sequencer) share(t *taken) {
	have, ok := s.shares[t.desk]
	if !ok {
		have = maxShare
	}
	switch {
	case !t.settled || t.stale:
		return
	case t.err != nil:
		have = max(1, have/4)
	default:
		have = min(maxShare, 2*have)
	}
	if s.shares[t.desk] = have; have == maxShare {
		delete(s.shares, t.desk)
	}
}

// settleAll is one statement, so that it is one journey to the server: all of it or nothing is
// done, and nothing by a sequencer that was taken over.
const settleAll = `
WITH held AS (
	UPDATE queue SET beat = clock_timestamp() WHERE epoch = $1 RETURNING epoch
), told AS (
	INSERT INTO outcome (id, refusal) SELECT o.* FROM unnest($2::bytea[], $3::text[]) AS o, held ON CONFLICT DO NOTHING
), gone AS (
	DELETE FROM submission USING held WHERE id = ANY($4::bytea[])
)
SELECT CASE WHEN $5 THEN set_config('synchronous_commit', 'off', true) END FROM held`

// settle tells the outcomes of what has one, and takes that out of the queue.
//
// It is a transaction of its own behind that of the appends, which are safe by then: what a
// desk can see of an outcome is never less safe than the entries. A transaction that tells
// only what stands in the log need not be safe itself, and waits for no disk: if it is lost,
// the submissions are still there, and are found in the log.
func (s *sequencer) settle(ctx context.Context, c *pgx.Conn, group []*taken) error {
	ctx, stop := context.WithTimeout(ctx, s.o.Lease)
	defer stop()
	ids, told, refusals := [][]byte{}, [][]byte{}, []*string{}
	desks := map[string]bool{}
	light := true
	for _, t := range group {
		if !t.settled {
			continue
		}
		delete(s.strikes, t.id)
		ids = append(ids, t.id[:])
		if t.stale {
			continue
		}
		var refusal *string
		if t.err != nil {
			text := submission.Refusal(t.err)
			refusal, light = &text, false
		}
		told, refusals, desks[t.desk] = append(told, t.id[:]), append(refusals, refusal), true
	}
	var set *string
	err := c.QueryRow(ctx, settleAll, s.epoch, told, refusals, ids, light).Scan(&set)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("the queue: %w", ledger.ErrFenced)
	}
	if err != nil {
		return err
	}
	s.beaten = time.Now()
	var channels []string
	for desk := range desks {
		channels = append(channels, outcomeChannel(desk))
	}
	_, _ = c.Exec(ctx, "SELECT pg_notify(c, '') FROM unnest($1::text[]) AS c", channels)
	return nil
}

// Waiting tells how many submissions are in the queue, and how long the oldest has been
// there.
func (l *Ledger) Waiting(ctx context.Context) (n int, oldest time.Duration, err error) {
	var seconds float64
	err = l.readers.QueryRow(ctx, "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 FROM submission").Scan(&n, &seconds)
	if err != nil {
		return 0, 0, fmt.Errorf("look at the queue: %w", typed(err))
	}
	return n, time.Duration(seconds * float64(time.Second)), nil
}
