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
	size int64  // of the log when they were read: of no entry before is the month unknown
}

// read reads the months anew.
func (m *months) read(ctx context.Context, q querier) error {
	rows, err := q.Query(ctx, "SELECT month, first, (SELECT size FROM log) FROM month ORDER BY first")
	if err != nil {
		return err
	}
	var size int64
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s span, err error) {
		err = row.Scan(&s.month, &s.first, &size)
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
	m.list, m.size = list, size
	m.mu.Unlock()
	return nil
}

// all returns the months of the log in their order, as q sees them.
func (m *months) all(ctx context.Context, q querier) ([]span, error) {
	if err := m.read(ctx, q); err != nil {
		return nil, err
	}
	list, _ := m.known()
	return list, nil
}

// between returns the months that have the entries from one to another, both included; none
// if the log has no entry.
func (m *months) between(ctx context.Context, q querier, from, to int64) ([]span, error) {
	list, size := m.known()
	if to >= size {
		if err := m.read(ctx, q); err != nil {
			return nil, err
		}
		list, _ = m.known()
	}
	return list[max(after(list, from)-1, 0):after(list, to)], nil
}

// of returns the month that has an entry; ok is false if the log has no entry.
func (m *months) of(ctx context.Context, q querier, index int64) (s span, ok bool, err error) {
	list, err := m.between(ctx, q, index, index)
	if err != nil || len(list) == 0 {
		return s, false, err
	}
	return list[0], true, nil
}

func (m *months) known() ([]span, int64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.list, m.size
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
	m.list, m.size = nil, 0
	m.mu.Unlock()
}
