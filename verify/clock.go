package verify

import (
	"fmt"
	"time"
)

// clockSlack is how far the clocks of two honest computers may lie apart.
const clockSlack = 10 * time.Minute

// early are the reasons that a clock which is behind finds in sound documents.
var early = map[Reason]bool{ReasonSignerEarly: true, ReasonCSCAEarly: true, ReasonDocumentEarly: true}

// judgeClock takes back what only the time of judgement decides where that time cannot
// be: a list was seen that was signed later. What is over by such a clock is over in
// truth; what seems to be in force need not be.
func (a *assessment) judgeClock() {
	if a.o.Newest.IsZero() || !a.o.At.Before(a.o.Newest.Add(-clockSlack)) {
		return
	}
	why := fmt.Sprintf("judged at %s, a list was signed %s", a.o.At.UTC().Format(time.RFC3339), a.o.Newest.UTC().Format(time.RFC3339))
	for _, id := range []string{CheckValidity, CheckExpiry, CheckRevocation, CheckStatus} {
		c, ran := a.checks[id]
		if !ran || c.Outcome == Passed || early[c.Reason] {
			a.checks[id] = Check{ID: id, Outcome: Undetermined, Reason: ReasonClockBehind, Detail: why}
		}
	}
}
