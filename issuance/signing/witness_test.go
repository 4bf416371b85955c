package signing

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/witness"
	"github.com/tamthe/tamthe/verify/receipt"
)

// watched puts a witness beside the log, which the service wants to hear.
func (r *rig) watched() *witness.Keeper {
	t := r.t
	t.Helper()
	key := must(receipt.NewCosigner("auditor.example", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))))(t)
	_, v := ledgertest.LogKey(t)
	clock := func() time.Time { return r.now }
	w := must(witness.Open(r.path("witness"), key, clock, v))(t)
	t.Cleanup(w.Close)
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	k := &witness.Keeper{
		Log: r.store, Key: v, Now: clock, Within: 24 * time.Hour,
		Peers: []witness.Peer{{Key: key.WitnessKey, URL: server.URL}}, File: r.path("checkpoints", ledger.CosignedFile),
	}
	r.o.Witnesses, r.o.Quorum, r.o.Cover = []*receipt.WitnessKey{key.WitnessKey}, 1, k.Cover
	return k
}

// TestWitnessed: the proof in the security object bears a fresh cosignature of a checkpoint
// that has the announcement; without one nothing is signed.
func TestWitnessed(t *testing.T) {
	r := newRig(t)
	r.watched()
	c := r.keyed()
	s := r.wantSigned(c, must(r.service().Sign(t.Context(), c.request))(t))
	p, _, _ := s.LogProof()
	_, v := ledgertest.LogKey(t)
	proven := must(receipt.Verify(must(receipt.ParseBinary(p.Proof))(t), p.Leaf, receipt.Policy{
		Logs: []note.Verifier{v}, Witnesses: r.o.Witnesses, Quorum: 1,
	}))(t)
	if len(proven.Witnesses) != 1 || !proven.Witnesses[0].Time.Equal(r.now) {
		t.Errorf("%+v", proven.Witnesses)
	}

	waiting, cover := r.keyed(), r.o.Cover
	for name, f := range map[string]func(context.Context, int64) error{
		"nobody answers":  func(context.Context, int64) error { return witness.ErrUnwitnessed },
		"nobody is asked": nil,
	} {
		r.o.Cover = f
		if sod, err := r.service().Sign(t.Context(), waiting.request); sod != nil || !errors.Is(err, ErrWitness) {
			t.Errorf("%s: %d octets, %v", name, len(sod), err)
		}
	}
	r.o.Cover = cover
	r.o.Quorum = 2
	if _, err := r.service().Sign(t.Context(), waiting.request); !errors.Is(err, ErrWitness) {
		t.Errorf("one of two: %v", err)
	}
	r.o.Quorum = 1
	check(t, cover(t.Context(), r.size())) // cosigned now, and used a day and a bit later
	r.now = r.now.Add(25 * time.Hour)
	if _, err := r.service().Sign(t.Context(), waiting.request); !errors.Is(err, ErrWitness) {
		t.Errorf("a cosignature of yesterday: %v", err)
	}
	if n := r.signatures(); n != 1 {
		t.Errorf("%d signatures", n)
	}
	r.o.Fresh = 48 * time.Hour
	r.wantSigned(waiting, must(r.service().Sign(t.Context(), waiting.request))(t))
}

// TestWitnessFindsRewriting: database and log key in one hand, and the service's own folder
// gone with them: a log that was rolled back is signed again, but its witness remembers.
func TestWitnessFindsRewriting(t *testing.T) {
	r := newRig(t)
	k := r.watched()
	r.copyDB(r.path("old.db"))
	k.Log = r.store
	first := r.keyed()
	must(r.service().Sign(t.Context(), first.request))(t)

	r.open(r.path("old.db"))
	k.Log = r.store
	pin := must(readPin(r.path("signer")))(t)
	check(t, Create(r.path("fresh"), pin)) // it has seen nothing
	r.people += 10
	second := r.keyed()
	s := must(Open(r.path("fresh"), r.o))(t)
	before := r.signatures()
	if sod, err := s.Sign(t.Context(), second.request); sod != nil || !errors.Is(err, ErrWitness) || !errors.Is(err, witness.ErrContradicted) {
		t.Errorf("%d octets, %v", len(sod), err)
	}
	if n := r.signatures(); n != before {
		t.Errorf("%d signatures more", n-before)
	}
}

// TestAlarm: four fifths of a revocation list's life are over, and somebody is told before
// nothing is signed any more.
func TestAlarm(t *testing.T) {
	r := newRig(t)
	var said strings.Builder
	r.o.Logger = slog.New(slog.NewTextHandler(&said, nil))
	start := r.now
	for days, want := range map[int]bool{71: false, 73: true} {
		said.Reset()
		r.now = start.AddDate(0, 0, days)
		s := r.service()
		check(t, s.Follow(t.Context()))
		check(t, s.checkCRL(must(s.signs("ds-001", start))(t)))
		if got := strings.Contains(said.String(), "due soon"); got != want {
			t.Errorf("after %d days: %q", days, said.String())
		}
	}
}
