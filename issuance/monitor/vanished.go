package monitor

import (
	"fmt"
	"time"
)

// withheld finds sources that show checkpoints and do not give the entries that those sign. A
// server that is out of order for a while does so too; one that does it for longer hides
// something, and one that gives others does not give them either. Only a round in which all was given ends it.
func (c *court) withheld(given map[reading]bool) {
	for at, all := range given {
		f := c.facts[at.origin]
		if all {
			delete(f.Withheld, at.source)
			continue
		}
		if f.Withheld[at.source].IsZero() {
			f.Withheld[at.source] = c.now
		}
		if since := f.Withheld[at.source]; c.now.Sub(since) > c.m.o.Lag {
			c.found = append(c.found, newAlarm(Withheld, at.origin, -1, fmt.Sprint(at.source, " ", since.Unix()),
				"%s shows checkpoints, and since %s gives no entries that they sign, or others", at.source, since.UTC().Format(time.RFC3339)).
				with(File{"known", c.known[at.origin].Note}))
		}
	}
}

// gone finds lists that were published and are not any more, be they taken away or out of
// reach: whoever needs one goes on with an old one, or with none.
func (c *court) gone(there map[string]bool) {
	if len(c.m.o.Lists) == 0 {
		return
	}
	for _, origin := range sortedKeys(c.facts) {
		f := c.facts[origin]
		for _, object := range f.renewed() {
			since, known := f.Published[object]
			switch {
			case there[origin+" "+object]:
				f.Published[object] = time.Time{}
			case !known:
			case since.IsZero():
				f.Published[object] = c.now
			case c.now.Sub(since) > c.m.o.Lag:
				c.found = append(c.found, newAlarm(ListGone, origin, f.Objects[f.Newer[object]].Index, fmt.Sprint(object, " ", since.Unix()),
					"the %s that was published is not to be had since %s", object, since.UTC().Format(time.RFC3339)))
			}
		}
	}
}
