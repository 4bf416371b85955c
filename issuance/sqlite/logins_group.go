package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tamthe/tamthe/verify/eid"
)

// decisions lets decisions that wait for the writer at the same time share one transaction,
// and so one wait for the disk. Whoever comes first does the work of all that have come by
// then; there is no goroutine of its own.
type decisions struct {
	db     *sql.DB
	insert *sql.Stmt
	turn   chan struct{} // holds a token while somebody does the work

	mu    sync.Mutex
	queue []*deciding
}

// deciding is a decision on its way.
type deciding struct {
	eid.Decision
	done chan struct{} // closed once err is known
	err  error
}

// keep waits until the decision is on the disk, put there by this caller or another. ctx is
// heeded until somebody has begun with it: what has begun is finished, so that its outcome is
// never in doubt.
func (g *decisions) keep(ctx context.Context, w *deciding) error {
	g.mu.Lock()
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		if g.withdraw(w) {
			return ctx.Err()
		}
		<-w.done
		return w.err
	case g.turn <- struct{}{}:
	}
	if taken := g.take(); len(taken) > 0 { // else another's turn had this one
		err := g.commit(taken)
		for _, t := range taken {
			if err != nil {
				t.err = fmt.Errorf("keep a decision: %w", typed(err))
			}
			close(t.done)
		}
	}
	<-g.turn
	<-w.done
	return w.err
}

// withdraw takes it out of the queue; false if somebody has begun with it.
func (g *decisions) withdraw(w *deciding) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, w)
	if i < 0 {
		return false
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	return true
}

// take begins with all that have come.
func (g *decisions) take() []*deciding {
	g.mu.Lock()
	defer g.mu.Unlock()
	taken := g.queue
	g.queue = nil
	return taken
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
		d.err = eid.ErrDecided
	}
	return err
}
