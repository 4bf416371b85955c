package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// sourceFacts is what is known of a place where logs, or checkpoints of them, are shown. It is
// kept as JSON beside the logs, as the facts of none.
type sourceFacts struct {
	Logs   []string           // that it ever showed as they should be
	Lies   map[Code]*lieFacts // of each code the last
	Reread map[string]int64   // by log: up to where its older entries were read again
}

// lieFacts is about what a source gives that no log signed: anybody on the way can give
// another each time. So it is one alarm however it changes, until the source is honest again
// and somebody has looked at it.
type lieFacts struct {
	Number int    // of the alarm, the first is 1
	Count  int    // how often it was found
	Origin string // of the log that it was said to be
	Lasts  bool
}

// sources reads what is known of sources; save keeps it.
func (m *Monitor) sources(tx Tx) (list map[string]*sourceFacts, save func() error, err error) {
	k, err := tx.Log("")
	if err != nil {
		return nil, nil, err
	}
	if len(k.Facts) > 0 {
		if err := json.Unmarshal(k.Facts, &list); err != nil {
			return nil, nil, fmt.Errorf("%w: the sources: %w", ErrState, err)
		}
	}
	list = orNew(list)
	return list, func() error {
		if k.Facts, err = json.Marshal(list); err != nil {
			return err
		}
		return tx.SetLog(k)
	}, nil
}

func (r *Round) shows(source string, lied bool) {
	if r.honest = orNew(r.honest); lied {
		r.honest[source] = false
	} else if _, there := r.honest[source]; !there {
		r.honest[source] = true
	}
}

// lied tells a lie of a source, or that it goes on.
func (m *Monitor) lied(ctx context.Context, r *Round, source, origin string, found *LieError, files ...File) error {
	r.shows(source, true)
	if len(m.logs[origin]) == 0 {
		origin = "" // or each name that is made up were another log's
	}
	var raised []Alarm
	err := m.o.State.Change(ctx, func(tx Tx) error {
		list, save, err := m.sources(tx)
		if err != nil {
			return err
		}
		if list[source] == nil {
			list[source] = &sourceFacts{}
		}
		a, err := list[source].tell(tx, source, origin, found)
		if err != nil {
			return err
		}
		if raised, err = m.retell(tx, a.with(append(found.Files, files...)...)); err != nil {
			return err
		}
		return save()
	})
	if err == nil {
		r.Raised = append(r.Raised, raised...)
	}
	return err
}

// tell is the alarm of a lie: the one before while that lasts or nobody has looked at it.
func (s *sourceFacts) tell(tx Tx, source, origin string, found *LieError) (Alarm, error) {
	alarm := func(l *lieFacts) Alarm {
		more := ""
		if l.Count > 1 {
			more = fmt.Sprintf(" (%d times)", l.Count)
		}
		return newAlarm(found.Code, l.Origin, found.Index, fmt.Sprint(source, " ", l.Number), "%s: %s%s", source, found.Why, more)
	}
	s.Lies = orNew(s.Lies)
	l := s.Lies[found.Code]
	if l != nil && !l.Lasts {
		acknowledged, err := tx.Acknowledged(alarm(l).ID)
		if err != nil {
			return Alarm{}, err
		}
		if acknowledged {
			l = &lieFacts{Number: l.Number + 1, Origin: origin}
		}
	} else if l == nil {
		l = &lieFacts{Number: 1, Origin: origin}
	}
	l.Lasts = true
	l.Count++
	s.Lies[found.Code] = l
	return alarm(l), nil
}

// retell keeps an alarm as it is now, with its newest evidence.
func (m *Monitor) retell(tx Tx, a Alarm) ([]Alarm, error) {
	a.Raised = m.o.Now().UTC().Truncate(time.Second)
	if err := m.refile(a); err != nil {
		return nil, err
	}
	fresh, err := tx.Raise(a)
	switch {
	case err != nil:
		return nil, err
	case fresh:
		return []Alarm{a}, nil
	}
	return nil, tx.Retell(a)
}

// reformed ends the lies of sources that told none in a round that reached them, and counts
// those that did as withholding the logs that they showed before.
func (m *Monitor) reformed(ctx context.Context, r *Round, look look) error {
	return m.o.State.Change(ctx, func(tx Tx) error {
		list, save, err := m.sources(tx)
		if err != nil {
			return err
		}
		changed := false
		for at, all := range look.given {
			if list[at.source] == nil {
				list[at.source] = &sourceFacts{}
			}
			if s := list[at.source]; all && !slices.Contains(s.Logs, at.origin) {
				s.Logs, changed = append(s.Logs, at.origin), true
			}
		}
		for source, honest := range r.honest {
			s := list[source]
			if s == nil {
				continue
			}
			if !honest {
				m.lacking(source, s, look)
				continue
			}
			for _, l := range s.Lies {
				changed, l.Lasts = changed || l.Lasts, false
			}
		}
		if !changed {
			return nil
		}
		return save()
	})
}

// lacking: who lies gives nothing. Of which log, only what it showed before can tell, or that
// there is but one.
func (m *Monitor) lacking(source string, s *sourceFacts, look look) {
	if !look.followed[source] {
		return
	}
	for _, origin := range s.Logs {
		look.given[reading{origin, source}] = false
	}
	if len(s.Logs) == 0 && len(m.logs) == 1 {
		for origin := range m.logs {
			look.given[reading{origin, source}] = false
		}
	}
}
