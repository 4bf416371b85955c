package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// judge holds what was seen and what time it is against what the logs say.
func (m *Monitor) judge(ctx context.Context, r *Round, look look) error {
	documents, err := m.published(ctx, r)
	if err != nil {
		return err
	}
	var raised []Alarm
	var done []string
	err = m.o.State.Change(ctx, func(tx Tx) error {
		c, err := m.convene(tx, look)
		if err != nil {
			return err
		}
		for _, d := range documents { // roots first: what they signed is told by them
			if x, err := cert.Parse(d); err == nil {
				c.certificate(x)
			}
		}
		c.withheld(look.given)
		for _, step := range []func() error{c.sights, c.crowded, func() error { c.lists(documents); return nil }, c.times, c.save} {
			if err := step(); err != nil {
				return err
			}
		}
		done = c.done
		m.ours.Store(c.authorities())
		raised, err = m.keep(tx, c.found)
		return err
	})
	if err != nil {
		return err
	}
	r.Raised = append(r.Raised, raised...)
	return m.o.Inbox.judged(done)
}

// convene brings together all that the logs say.
func (m *Monitor) convene(tx Tx, look look) (*court, error) {
	c := &court{m: m, tx: tx, now: m.o.Now(), facts: map[string]*facts{}, known: map[string]Known{}, fresh: look.fresh}
	for origin := range m.logs {
		k, err := m.known(tx, origin)
		if err != nil {
			return nil, err
		}
		if c.facts[origin], err = openFacts(tx, k); err != nil {
			return nil, err
		}
		c.known[origin] = k
	}
	c.recall()
	return c, nil
}

// published reads what the authority publishes now.
func (m *Monitor) published(ctx context.Context, r *Round) (documents [][]byte, err error) {
	for _, place := range m.o.Lists {
		unread, err := m.drops.each(ctx, place, true, func(_ string, octets []byte) error {
			documents = append(documents, der(octets))
			return nil
		})
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		if unread != nil {
			r.Away = append(r.Away, fmt.Errorf("%s: %w", place, unread))
		}
	}
	return documents, nil
}

func (c *court) sights() error {
	list, err := c.tx.Sights()
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := c.look(s); err != nil {
			return err
		}
	}
	return nil
}

// look judges one, and takes off what is done. Of what strangers handed in nothing is kept,
// or it would be more every day.
func (c *court) look(s Sight) error {
	name, handed, stands := c.handed(s)
	if handed && !stands {
		return c.tx.Forget(s.ID)
	}
	done, err := c.sight(s)
	switch {
	case err != nil || !done:
		return err
	case handed:
		c.done = append(c.done, name)
		return c.tx.Forget(s.ID)
	}
	return c.tx.Judged(s.ID)
}

// lists judges how old the published lists are. A list that is not the newest which its log
// says was signed has to give way to that within ca.ListWithin.
func (c *court) lists(documents [][]byte) {
	newest := map[string]bool{} // by log and object: published
	older := map[string][]byte{}
	there := map[string]bool{}
	for _, d := range documents {
		origin, o, ours := c.object(d)
		if !ours {
			continue
		}
		f := c.facts[origin]
		slot := f.slot(o)
		if f.Newer[slot] == "" {
			continue
		}
		which := origin + " " + slot
		there[which] = true
		sum := sha256.Sum256(d)
		if f.Newer[slot] == hex.EncodeToString(sum[:]) {
			newest[which] = true
			c.age(origin, o, d)
		} else {
			older[which] = d
		}
	}
	c.told(documents)
	c.gone(there)
	for _, which := range sortedKeys(older) {
		origin, o, _ := c.object(older[which])
		digest := c.facts[origin].Newer[c.facts[origin].slot(o)]
		if now := c.facts[origin].Objects[digest]; !newest[which] && c.now.Sub(now.Time) > ca.ListWithin {
			c.found = append(c.found, newAlarm(ListOld, origin, now.Index, o.Object+" "+digest[:16],
				"the %s that was signed on %s is not published, an older one is", o.Object, now.Time.Format(time.DateOnly)).with(File{"published", older[which]}))
		}
	}
}

// age judges the newest list of its kind.
func (c *court) age(origin string, o objectFacts, octets []byte) {
	var this, next time.Time
	if l, err := cert.ParseCRL(octets); err == nil {
		this, next = l.ThisUpdate, l.NextUpdate
	} else if l, err := status.Parse(octets, statusKeys{c.facts[origin]}); err == nil {
		this, next = l.Signed, l.NextUpdate
	} else {
		return
	}
	code := ListStale
	switch ca.FreshnessOf(this, next, c.now) {
	case ca.Fresh:
		return
	case ca.Due:
		code = ListDue
	}
	c.found = append(c.found, newAlarm(code, origin, o.Index, fmt.Sprintf("%s %d", o.Object, o.Index),
		"the newest %s is of %s, and the next one was to come by %s", o.Object, this.Format(time.RFC3339), next.Format(time.RFC3339)).with(File{"published", octets}))
}

// statusKeys pins the keys of card status of a log for whatever its lists speak of.
type statusKeys struct{ f *facts }

// Issuer implements [status.Signers].
func (s statusKeys) Issuer(country, document string) (pki.Issuer, bool) {
	i := pki.Issuer{Country: country, Documents: []string{document}}
	for _, name := range sortedKeys(s.f.Keys) {
		if b, err := hex.DecodeString(s.f.Keys[name].Public); err == nil && s.f.Keys[name].Usage == "status" && len(b) == 32 {
			i.StatusKeys = append(i.StatusKeys, [32]byte(b))
		}
	}
	return i, len(i.StatusKeys) > 0
}

// times judges what is late.
func (c *court) times() error {
	for _, origin := range sortedKeys(c.facts) {
		f, k := c.facts[origin], c.known[origin]
		if c.m.o.Silence > 0 && c.now.Sub(k.Since) > c.m.o.Silence {
			c.found = append(c.found, newAlarm(Silent, origin, -1, fmt.Sprintf("%d %d", k.Size, k.Since.Unix()),
				"nothing new since %s", k.Since.UTC().Format(time.RFC3339)).with(File{"checkpoint", k.Note}))
		}
		if !f.Founded {
			continue
		}
		f.overdue(c.now)
		f.unlisted(c.now)
		f.uncounted(c.now, c.m.o.Unclosed)
	}
	return nil
}

func (c *court) save() error {
	for _, origin := range sortedKeys(c.facts) {
		f, k := c.facts[origin], c.known[origin]
		c.found = append(c.found, f.alarms...)
		b, err := f.encode()
		if err != nil {
			return err
		}
		k.Facts = b
		if err := c.tx.SetLog(k); err != nil {
			return err
		}
	}
	return nil
}
