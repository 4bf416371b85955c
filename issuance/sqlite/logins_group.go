package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/issuance/turns"
	"github.com/tamthe/tamthe/verify/eid"
)

// decisions are those that wait for the writer.
type decisions struct {
	db     *sql.DB
	insert *sql.Stmt
	turns  turns.Queue[*deciding]
}

// deciding is a decision on its way.
type deciding struct {
	turns.Ticket
	eid.Decision
}

// keep waits until the decision is on the disk, put there by this caller or another.
func (g *decisions) keep(ctx context.Context, d eid.Decision) error {
	return g.turns.Wait(ctx, &deciding{turns.NewTicket(), d}, func(queue []*deciding) int { return len(queue) }, g.work)
}

// work keeps what was taken in one transaction; where that does not hold each alone, so that
// nobody fails for another's fault.
func (g *decisions) work(taken []*deciding) {
	together := g.commit(taken)
	for _, t := range taken {
		err := together
		if err != nil && len(taken) > 1 {
			t.Err = nil // of what was rolled back
			err = g.commit([]*deciding{t})
		}
		if err != nil {
			t.Err = fmt.Errorf("keep a decision: %w", typed(err))
		}
		t.Done()
	}
}

// insertDecision leaves alone what is there.
const insertDecision = "INSERT INTO login VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session) DO NOTHING"

// commit keeps all in one transaction, or none; a session that was decided before fails alone.
func (g *decisions) commit(taken []*deciding) error {
	ctx := context.Background()
	if len(taken) == 1 { // is a transaction of its own
		return taken[0].insert(ctx, g.insert)
	}
	tx, err := g.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert := tx.StmtContext(ctx, g.insert)
	for _, d := range taken {
		if err := d.insert(ctx, insert); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (d *deciding) insert(ctx context.Context, s *sql.Stmt) error {
	r, err := s.ExecContext(ctx, d.Session, d.Time.UnixMicro(), d.Party, d.Purpose, strings.Join(d.Fields, " "), string(d.Level), d.Proof,
		string(d.Code), strings.Join(d.Reasons, " "), d.Card[:], d.Evidence[:])
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		d.Err = eid.ErrDecided
	}
	return err
}
