package console

import (
	"sync"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// audits are the reports on the whole ledger, each auditor's last one. The zero value is ready.
type audits struct {
	mu sync.Mutex
	of map[string]audited // by operator
}

type audited struct {
	id     string
	report *ledger.Report
	at     time.Time
}

func (s *audits) keep(operator string, r *ledger.Report, at time.Time) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]audited{}
	}
	id = randomID()
	s.of[operator] = audited{id, r, at}
	return id
}

func (s *audits) find(id, operator string) (audited, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.of[operator]; ok && a.id == id {
		return a, nil
	}
	return audited{}, errNoPage
}
