package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestSwept: outcomes go when their time is over, though an account hands in junk without end and
// the sequencer is never idle: refusals after an hour, what was appended after a week.
func TestSwept(t *testing.T) {
	q := newQueue(t)
	const kept = "INSERT INTO outcome SELECT sha256(convert_to($1 || n, 'UTF8')), now() - $2::interval, $3 FROM generate_series(1, $4) AS n"
	q.exec(kept, "junk", 61*time.Minute, "no", 12000)
	q.exec(kept, "young", 59*time.Minute, "no", 1)
	q.exec(kept, "week", 8*24*time.Hour, nil, 100)
	q.exec(kept, "day", 24*time.Hour, nil, 1)
	c := q.connect(q.dsn)
	defer c.Close(context.Background())
	o := Sequencing{Lease: time.Minute, Keep: 7 * 24 * time.Hour, Poll: time.Second, Logger: slog.New(slog.DiscardHandler)}
	s := &sequencer{l: q.log, o: o, strikes: map[[32]byte]int{}, shares: map[string]int{}}
	if err := s.stage(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	_, dsn := q.role("tamthe_desk")
	thief := q.connect(dsn)
	defer thief.Close(context.Background())
	const rounds = 30
	for n := range rounds {
		if _, err := thief.Exec(t.Context(), crowd, fmt.Sprint("of round ", n), 1); err != nil {
			t.Fatal(err)
		}
		if did, err := s.round(t.Context(), c); err != nil || did != 1 {
			t.Fatalf("%d refused: %v", did, err)
		}
	}
	rows, err := c.Query(t.Context(), "SELECT CASE WHEN refusal IS NULL THEN 'appended' ELSE 'refused' END || ' ' || count(*) FROM outcome GROUP BY refusal IS NULL ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if want := fmt.Sprintf("[appended 1 refused %d]", rounds+1); err != nil || fmt.Sprint(left) != want {
		t.Errorf("%v are left, want %s: %v", left, want, err)
	}
}
