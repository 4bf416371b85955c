package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	refusalsKept = time.Hour // at the most: nobody waits for longer than a submission does
	maxSwept     = 1000      // outcomes of a kind at once: more than a round adds
)

// sweepOutcomes is undone by a loss of power, and done again: it waits for no disk. The statement's
// own time is one that an index can be asked for.
const sweepOutcomes = `
WITH old AS (
	(SELECT id FROM outcome WHERE at < statement_timestamp() - make_interval(secs => $1) ORDER BY at LIMIT $3)
	UNION
	(SELECT id FROM outcome WHERE refusal IS NOT NULL AND at < statement_timestamp() - make_interval(secs => $2) ORDER BY at LIMIT $3)
), gone AS (
	DELETE FROM outcome WHERE id IN (SELECT id FROM old) RETURNING id
)
SELECT count(*), set_config('synchronous_commit', 'off', true) FROM gone`

// sweep deletes outcomes that nobody asks for any more: every minute, whatever else there is to do,
// and in each round as long as some are left. Who hands in junk without end makes less of them than
// go.
func (s *sequencer) sweep(ctx context.Context, c *pgx.Conn) error {
	if time.Since(s.swept) < time.Minute {
		return nil
	}
	var gone int
	err := c.QueryRow(ctx, sweepOutcomes, s.o.Keep.Seconds(), min(s.o.Keep, refusalsKept).Seconds(), maxSwept).Scan(&gone, nil)
	if err == nil && gone < maxSwept {
		s.swept = time.Now()
	}
	return err
}
