package intake

import "time"

// after is the case as it stands once a message has come; fresh reports whether what the
// message says of the person is from then on what the case says. The order in which a case's
// messages come makes no difference to what comes of them.
func (c Case) after(m *Message, person string, at time.Time) (next Case, fresh bool, err error) {
	if c.Version > 0 && !c.State.Open() && c.State != Withdrawn {
		return c, false, refuse(CodeClosed)
	}
	next = c
	if c.Version == 0 {
		next.Portal, next.Name, next.Received = m.Portal, m.Case, at
	}
	next.Filed = c.Filed || m.Act == File
	switch {
	case m.Act == Withdraw:
		next.State = Withdrawn
	case c.State == Withdrawn: // whatever else comes of it: it is over
	case m.Revision > c.Revision:
		next.Revision, next.Reason, next.Person, fresh = m.Revision, m.Reason, person, true
	}
	if next.State != Withdrawn {
		next.State = Waiting
		if next.Filed {
			next.State = Received
		}
	}
	if next.State != c.State {
		next.Since = at
	}
	return next, fresh, nil
}
