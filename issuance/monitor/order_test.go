package monitor_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/tamthe/tamthe/issuance/monitor"
)

// shuffled is a source that gives leaves as it likes.
type shuffled struct {
	monitor.Source
	give func(from, to int64) []int64 // in which order, and which; nil: as asked
}

func (s *shuffled) Leaves(ctx context.Context, size, from, to int64, each func(int64, []byte) error) error {
	if s.give == nil {
		return s.Source.Leaves(ctx, size, from, to, each)
	}
	all := map[int64][]byte{}
	err := s.Source.Leaves(ctx, size, 0, size, func(index int64, leaf []byte) error {
		all[index] = bytes.Clone(leaf)
		return nil
	})
	if err != nil {
		return err
	}
	for _, index := range s.give(from, to) {
		if err := each(index, all[index]); err != nil {
			return err
		}
	}
	return nil
}

// TestOrder: entries that were read before are read again whole: a source that leaves some
// out, or gives others or in another order, is told, be each of them as it was signed.
func TestOrder(t *testing.T) {
	for name, give := range map[string]func(from, to int64) []int64{
		"none":           func(_, _ int64) []int64 { return nil },
		"first missing":  func(from, to int64) []int64 { return span(from+1, to) },
		"some missing":   func(from, to int64) []int64 { return append(span(from, from+5), span(from+6, to)...) },
		"last missing":   func(from, to int64) []int64 { return span(from, to-1) },
		"twice":          func(from, to int64) []int64 { return append(span(from, to-1), to-2) },
		"back again":     func(from, to int64) []int64 { return append([]int64{from + 3}, span(from, to)...) },
		"more than that": func(from, to int64) []int64 { return span(from, to+1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.issue(t, "ann")
			s := &shuffled{Source: monitor.Store("database", r.ledger)}
			r.o.Sources, r.o.Reread = []monitor.Source{s}, 20
			r.start()
			r.quiet(t)
			s.give = give
			r.alarms(t, monitor.Missing)
		})
	}
}

func span(from, to int64) (list []int64) {
	for ; from < to; from++ {
		list = append(list, from)
	}
	return list
}
