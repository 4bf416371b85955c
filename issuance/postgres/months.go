package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// span is a month of the log: the run of entries that it took then.
type span struct {
	month time.Time
	first int64 // idx of the first entry
}

// part is the name of a partition: table is entry or attachment.
func (s span) part(table string) string { return table + "_" + s.month.Format("200601") }

// months remembers where each month of the log begins, so that an entry is looked up in the
// one partition that has it.
type months struct {
	mu   sync.RWMutex
	list []span // in their order
}

// read reads the months anew.
func (m *months) read(ctx context.Context, q querier) error {
	rows, err := q.Query(ctx, "SELECT month, first FROM month ORDER BY first")
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s span, err error) {
		err = row.Scan(&s.month, &s.first)
		return s, err
	})
	if err != nil {
		return err
	}
	for i := 1; i < len(list); i++ {
		if !list[i].month.After(list[i-1].month) {
			return fmt.Errorf("%w: month %s begins after %s", ledger.ErrDamaged, list[i].month.Format("2006-01"), list[i-1].month.Format("2006-01"))
		}
	}
	m.mu.Lock()
	m.list = list
	m.mu.Unlock()
	return nil
}

// all returns the months of the log in their order, as q sees them.
func (m *months) all(ctx context.Context, q querier) ([]span, error) {
	if err := m.read(ctx, q); err != nil {
		return nil, err
	}
	return m.known(), nil
}

// of returns the month that has an entry, as far as months are known: one that is not known
// may have begun since. ok is false if none is known.
func (m *months) of(index int64) (s span, ok bool) {
	list := m.known()
	i := after(list, index) - 1
	if i < 0 {
		return s, false
	}
	return list[i], true
}

// probe asks for an entry in the month that should have it. Where it is not there, the months
// are read anew, and the month that has it now is asked. pgx.ErrNoRows if there is none.
func (m *months) probe(ctx context.Context, q querier, index int64, ask func(span) error) error {
	first, ok := m.of(index)
	if ok {
		if err := ask(first); !unknown(err) {
			return err
		}
	}
	if err := m.read(ctx, q); err != nil {
		return err
	}
	if s, ok := m.of(index); ok && s != first {
		return ask(s)
	}
	return pgx.ErrNoRows
}

// unknown reports whether an entry is not where it was looked for. A month that a server had
// begun may be gone with it.
func unknown(err error) bool { return isNone(err) || state(err) == stateUndefinedTable }

func (m *months) known() []span {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.list
}

// after is the place of the first month that begins after an entry.
func after(list []span, index int64) int {
	i, _ := slices.BinarySearchFunc(list, index, func(s span, index int64) int {
		if s.first <= index {
			return -1
		}
		return 1
	})
	return i
}

// forget makes the next look-up read them anew: a server that took over may not have the
// month that the other had begun.
func (m *months) forget() {
	m.mu.Lock()
	m.list = nil
	m.mu.Unlock()
}
