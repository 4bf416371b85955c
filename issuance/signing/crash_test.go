package signing

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

var errCut = errors.New("cut")

// cut ends the service's work at the n-th thing that it does outside itself, before or
// after that is done.
type cut struct {
	Log
	keys  Keys
	n     int
	after bool
}

// at is asked around each of them.
func (c *cut) at(after bool) error {
	if !after {
		c.n--
	}
	if c.n == 0 && after == c.after {
		c.n-- // nothing works after a cut
	}
	if c.n < 0 {
		return errCut
	}
	return nil
}

func around[T any](c *cut, f func() (T, error)) (none T, err error) {
	if err := c.at(false); err != nil {
		return none, err
	}
	v, err := f()
	return v, errors.Join(err, c.at(true))
}

func (c *cut) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	_, err := around(c, func() (int, error) { return 0, c.Log.Append(ctx, at, e...) })
	return err
}

func (c *cut) Checkpoint(ctx context.Context) (*ledger.Checkpoint, error) {
	return around(c, func() (*ledger.Checkpoint, error) { return c.Log.Checkpoint(ctx) })
}

func (c *cut) Prove(ctx context.Context, index int64) (*receipt.Proof, error) {
	return around(c, func() (*receipt.Proof, error) { return c.Log.Prove(ctx, index) })
}

func (c *cut) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	return around(c, func() (crypto.Signer, error) {
		key, err := c.keys.Signer(ctx, name)
		if err != nil {
			return nil, err
		}
		counted := key.(*counting)
		counted.fault = func(after bool) error {
			if after {
				return c.at(true)
			}
			return c.at(false)
		}
		return key, nil
	})
}

// TestEveryCut: wherever the service is cut short, the next one over the same folder ends in
// one security object, over the octets that were recorded first, and the card is announced
// once and signed once.
func TestEveryCut(t *testing.T) {
	r := newRig(t)
	r.signer("ds-002", r.now, "1000")
	whole := r.o
	points := 0
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			c := r.keyed()
			key := r.keys["ds-002"]
			key.signed, key.fault = nil, nil
			cutter := &cut{Log: whole.Log, keys: whole.Keys, n: n, after: after}
			r.o.Log, r.o.Keys = cutter, cutter
			raw, err := r.service().Sign(t.Context(), c.request)
			r.o, key.fault = whole, nil
			if err == nil {
				break // there are no more points
			}
			if raw != nil || !errors.Is(err, errCut) {
				t.Fatalf("cut %d: %d octets, %v", n, len(raw), err)
			}
			points++
			raw = must(r.service().Sign(t.Context(), c.request))(t)
			r.wantSigned(c, raw)
			if again := must(r.service().Sign(t.Context(), c.request))(t); !bytes.Equal(again, raw) {
				t.Errorf("cut %d, after %v: another security object", n, after)
			}
			if got := r.acts(c.card); !slices.Equal(got, []issuance.Act{issuance.Prepare, issuance.Sign}) || r.signatures() != 1 {
				t.Errorf("cut %d, after %v: %v, %d things signed", n, after, got, r.signatures())
			}
		}
	}
	if points < 12 {
		t.Errorf("only %d points", points)
	}
	t.Logf("%d points", points)
	r.sound()
}

// TestLostFolder: a service that lost what it signed does not sign again, and one that lost
// its pin does not open.
func TestLostFolder(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	must(r.service().Sign(t.Context(), c.request))(t)
	records := must(os.ReadDir(r.path("signer", cardsDir)))(t)
	if len(records) != 3 {
		t.Errorf("%d records", len(records))
	}
	for _, f := range records {
		b := must(os.ReadFile(r.path("signer", cardsDir, f.Name())))(t)
		part := c.part("dg1")
		if bytes.Contains(b, part[:]) || bytes.Contains(b, []byte("ds-001")) {
			t.Errorf("%s is not sealed", f.Name())
		}
		check(t, os.WriteFile(filepath.Join(r.path("signer", cardsDir), f.Name()), b[:len(b)-1], 0o600))
	}
	r.refuses("records that are cut", c.request, ErrLost)
	check(t, os.RemoveAll(r.path("signer", cardsDir)))
	check(t, os.Mkdir(r.path("signer", cardsDir), 0o700))
	r.refuses("no records", c.request, ErrLost)
	if n := r.signatures(); n != 1 {
		t.Errorf("%d signatures", n)
	}

	check(t, os.WriteFile(r.path("signer", checkpointFile), []byte("no checkpoint\n"), 0o600))
	if err := r.service().Follow(t.Context()); !errors.Is(err, ledger.ErrCheckpoint) {
		t.Error(err)
	}
	check(t, os.WriteFile(r.path("signer", pinFile), []byte(`{"Origin":"x","Key":"y"}`), 0o600))
	if _, err := Open(r.path("signer"), r.o); err == nil {
		t.Error("it opens with a pin that is none")
	}
	if _, err := Open(t.TempDir(), r.o); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := Create(r.path("signer"), Pin{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("the pin is changed: %v", err)
	}
}

// TestCapAtOnce: 64 ask at once under a signer that has ten uses left, at two services.
func TestCapAtOnce(t *testing.T) {
	r := newRig(t)
	r.signer("ds-002", r.now, "10")
	services := []*Service{r.service(), must(Open(r.second(), r.o))(t)}
	var requests []*Request
	for range 16 {
		requests = append(requests, r.keyed().request)
	}
	var wg sync.WaitGroup
	for _, q := range requests {
		for _, s := range services {
			for range 2 {
				wg.Go(func() { _, _ = s.Sign(t.Context(), q) })
			}
		}
	}
	wg.Wait()
	made := map[string]bool{}
	for _, q := range requests {
		for _, s := range services {
			sod, err := s.Sign(t.Context(), q)
			if err == nil {
				if made[q.Card] {
					t.Errorf("%s was signed at both", q.Card)
				}
				made[q.Card] = true
				sodOf(t, sod)
			} else if !errors.Is(err, ErrCap) && !errors.Is(err, ErrLost) {
				t.Error(err)
			}
		}
	}
	if len(made) != 13 || r.signatures() != 13 { // ten of ds-002, three of ds-001
		t.Errorf("%d cards, %d signatures", len(made), r.signatures())
	}
	r.sound()
}

// second is the folder of another service over the same log.
func (r *rig) second() string {
	r.t.Helper()
	dir := r.path("second")
	check(r.t, Create(dir, must(readPin(r.path("signer")))(r.t)))
	return dir
}

// TestFullList: when every place in the status list that is drawn is another card's, that is
// what the service says.
func TestFullList(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	full := &taken{Log: r.store, kind: issuance.ClaimStatus}
	r.o.Log = full
	r.refuses("a full list", c.request, ErrListFull)
	full.times = 3
	must(r.service().Sign(t.Context(), c.request))(t)
}

// taken is a ledger in which a claim is another card's, always or so many times.
type taken struct {
	Log
	kind  issuance.ClaimKind
	times int
}

func (k *taken) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	for _, c := range e[0].Claims {
		if c.Kind == k.kind && k.times != 1 {
			k.times--
			return &issuance.DuplicateError{Claim: c, Holder: issuance.Card("C-other")}
		}
	}
	return k.Log.Append(ctx, at, e...)
}
