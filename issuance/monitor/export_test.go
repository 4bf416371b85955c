package monitor

import "time"

// Narrow makes the rooms of an inbox small.
func (i *Inbox) Narrow(ours, strange int) { i.ours.most, i.strange.most = ours, strange }

// Hurry makes a monitor wait no longer for a source that has little to give.
func (m *Monitor) Hurry(patience time.Duration) { m.patience = patience }
