package monitor

// Narrow makes the rooms of an inbox small.
func (i *Inbox) Narrow(ours, strange int) { i.ours.most, i.strange.most = ours, strange }
