package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
)

// MaxSOD is the largest security object that is taken from a stranger, in octets.
const MaxSOD = 64 << 10

// ErrNoSOD means that what was handed in is no security object that the certificate in it signed.
var ErrNoSOD = errors.New("no security object")

// authorities are the keys of the logs by which what strangers hand in is told apart.
type authorities struct {
	keys  map[string]bool // SHA-256 of each, in hex
	roots []cert.PublicKey
}

// Hand takes a security object from a stranger, to be judged by the next rounds. Unlike the
// other methods it may be called at any time. Errors: ErrNoSOD, ErrFull, or of the folder.
func (m *Monitor) Hand(octets []byte) error {
	if len(octets) > MaxSOD {
		return ErrNoSOD
	}
	sod, err := lds.ParseSOD(octets)
	if err != nil {
		return ErrNoSOD
	}
	signer := signerOf(sod)
	if signer == nil {
		return ErrNoSOD
	}
	spki, err := cert.MarshalPublicKey(signer.PublicKey, false)
	if err != nil {
		spki = signer.Raw // a key of a form that no authority of the logs has
	}
	return m.o.Inbox.put(sod.CardID(), spki, octets, m.ours.Load().signed(signer, spki))
}

// signed says whether a key of the logs signed, or one that a CSCA of theirs certified.
func (a *authorities) signed(signer *cert.Certificate, spki []byte) bool {
	if a == nil {
		return false
	}
	sum := sha256.Sum256(spki)
	if a.keys[hex.EncodeToString(sum[:])] {
		return true
	}
	for _, root := range a.roots {
		if signer.CheckSignature(root) == nil {
			return true
		}
	}
	return false
}

// Recall reads whose keys are those of the logs, as far as they are known, before the first
// round comes to it.
func (m *Monitor) Recall(ctx context.Context) error {
	return m.o.State.Change(ctx, func(tx Tx) error {
		c, err := m.convene(tx, look{})
		if err == nil {
			m.ours.Store(c.authorities())
		}
		return err
	})
}

func (c *court) authorities() *authorities {
	a := &authorities{keys: map[string]bool{}}
	for _, f := range c.facts {
		for _, k := range f.Keys {
			a.keys[k.Public] = true
		}
	}
	for _, r := range c.roots {
		a.roots = append(a.roots, r.PublicKey)
	}
	return a
}

// unpack sees what was handed in since. What could not be seen is taken again the next time.
func (m *Monitor) unpack(ctx context.Context) error {
	if m.o.Inbox == nil {
		return nil
	}
	var back []string
	var failed []error
	fresh := m.o.Inbox.fresh()
	for i, path := range fresh {
		octets, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // it gave way
			continue
		}
		if err != nil {
			failed, back = append(failed, err), append(back, path)
			continue
		}
		err = m.o.State.Change(ctx, func(tx Tx) error {
			return tx.See(Sight{handedID(octets), octets, path, m.o.Now()})
		})
		if err != nil { // of the memory: the others would fare no better
			failed, back = append(failed, err), append(back, fresh[i:]...)
			break
		}
	}
	m.o.Inbox.again(back)
	return errors.Join(failed...)
}

// handedID names the sight of what was handed in. The same octets may be seen elsewhere too, and
// that is a sight of its own: a file of the inbox may give way, and has to go once it was judged.
func handedID(octets []byte) [32]byte {
	return sha256.Sum256(append([]byte("handed in\x00"), octets...))
}

// crowded alarms, once a day, of an inbox that will not take much more though some was judged.
func (c *court) crowded() error {
	if c.m.o.Inbox == nil {
		return nil
	}
	n, _, most := c.m.o.Inbox.Waiting()
	if n -= len(c.done); 5*n >= 4*most {
		c.found = append(c.found, newAlarm(DropFull, "", -1, c.now.UTC().Format(time.DateOnly),
			"%d security objects that were handed in wait to be judged, and no more than %d may", n, most))
	}
	return nil
}

// handed says whether a sight was handed in, and whether it is still to be judged.
func (c *court) handed(s Sight) (name string, handed, stands bool) {
	name, handed = c.m.o.Inbox.name(s.Place)
	return name, handed, handed && c.m.o.Inbox.has(name)
}
