package desk

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

const statusURI = "urn:tamthe:test:status"

// pinned is a checkpoint that has pinned the office's key.
type pinned [32]byte

func (p pinned) Issuer(country, document string) (pki.Issuer, bool) {
	return pki.Issuer{Country: country, Documents: []string{document}, StatusKeys: [][32]byte{p}}, country == "VN"
}

func (r *rig) statusHeader(sort status.Sort) status.Header {
	return status.Header{Sort: sort, Country: "VN", Documents: []string{"I"}, URI: statusURI, NextUpdate: r.now.Add(24 * time.Hour)}
}

// statusList makes a list and takes it as a checkpoint does.
func (r *rig) statusList(t *testing.T, sort status.Sort, base []byte) (*status.List, []byte) {
	t.Helper()
	b := must(r.an.MakeStatus(t.Context(), r.statusHeader(sort), base))(t)
	return must(status.Parse(b, pinned(must(r.an.Authority.StatusKeyID(t.Context()))(t))))(t), b
}

// cardOf is what a checkpoint learns of a card from its files.
func cardOf(t *testing.T, r *verify.Report) status.Card {
	t.Helper()
	sod := must(lds.ParseSOD(r.Files[lds.SODFile]))(t)
	c := status.Card{ID: sod.CardID(), Country: "VN", DocumentType: "ID"}
	if ref, ok := sod.StatusReference(); ok {
		c.Ref = &ref
	}
	for _, f := range []lds.File{lds.DG14, lds.DG15} {
		if b := r.Files[f]; b != nil {
			c.Keys = append(c.Keys, sha256.Sum256(b))
		}
	}
	return c
}

// TestStatusLists: what the ledger says of a card, a checkpoint without ledger reads in the
// lists, by index, by name and by the chip's key.
func TestStatusLists(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	plan := r.plan()
	var names []string
	var cards []status.Card
	for i, chip := range []*virtual.Chip{blank(), blank()} {
		app := r.approved(t, enrolment(i+1))
		name := r.personalised(t, app, chip, plan)
		r.checked(t, name, chip)
		if i == 0 {
			check(t, r.binh.Deliver(ctx, name, Handover{}))
		}
		names = append(names, name)
		cards = append(cards, cardOf(t, r.checkpoint(t, chip, true, canOf(enrolment(i+1).Person))))
	}
	index, rawIndex := r.statusList(t, status.Index, nil)
	exact, rawExact := r.statusList(t, status.Exact, nil)
	filter, _ := r.statusList(t, status.Filter, nil)
	if index.Sequence != 1 || exact.Sequence != 2 || filter.Sequence != 3 || !index.Signed.Equal(r.now.Truncate(time.Second)) || index.Cards() != 2 {
		t.Errorf("%+v, %d cards", index.Header, index.Cards())
	}
	bare := func(c status.Card, byKey bool) status.Card { // as a card that carries no index
		c.Ref = nil
		if byKey {
			c.ID = [32]byte{}
		}
		return c
	}
	says := func(what string, snapshot, delta *status.List, c status.Card, want status.State) {
		t.Helper()
		a, err := must(status.Of(snapshot, delta))(t).Lookup(c)
		if err != nil || a.State != want || a.Exact != (snapshot.Sort != status.Filter || a.State == status.Active || delta != nil) {
			t.Errorf("%s: %+v, %v, want %v", what, a, err, want)
		}
	}
	says("delivered", index, nil, cards[0], status.Active)
	says("not delivered", index, nil, cards[1], status.Undelivered)
	says("delivered", exact, nil, bare(cards[0], false), status.Active)
	says("not delivered, by name", exact, nil, bare(cards[1], false), status.Undelivered)
	says("not delivered, by key", exact, nil, bare(cards[1], true), status.Undelivered)
	says("not delivered, by filter", filter, nil, bare(cards[1], true), status.Revoked)

	check(t, r.binh.Revoke(ctx, names[0], "stolen"))
	check(t, r.binh.Deliver(ctx, names[1], Handover{}))
	r.now = r.now.Add(time.Hour)
	delta, rawDelta := r.statusList(t, 0, rawIndex)
	changed, _ := r.statusList(t, 0, rawExact)
	says("revoked", index, delta, cards[0], status.Revoked)
	says("delivered since", index, delta, cards[1], status.Active)
	for _, snapshot := range []*status.List{exact, filter} {
		says("revoked, by name", snapshot, changed, bare(cards[0], false), status.Revoked)
		says("revoked, by key", snapshot, changed, bare(cards[0], true), status.Revoked)
		says("delivered since, by key", snapshot, changed, bare(cards[1], true), status.Active)
	}
	check(t, r.binh.Suspend(ctx, names[1], "detention"))
	r.now = r.now.Add(time.Hour)
	delta, _ = r.statusList(t, 0, rawIndex)
	says("suspended", index, delta, cards[1], status.Suspended)
	for name, base := range map[string][]byte{"of a delta": rawDelta, "of another sort": rawExact} {
		if _, err := r.an.MakeStatus(ctx, r.statusHeader(status.Index), base); !errors.Is(err, status.ErrBase) {
			t.Errorf("%s: %v", name, err)
		}
	}
	chi := r.with(t, "chi", "", issuance.Revoker)
	wantError(t, "a revoker makes a list", second(chi.MakeStatus(ctx, r.statusHeader(status.Index), nil)), issuance.ErrRole)
	r.sound(t)
}

// TestStatusHead: the head of a list that the office signed is signed and recorded like it.
func TestStatusHead(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	list, raw := r.statusList(t, status.Index, nil)
	next, again := r.statusList(t, status.Index, nil)
	steps := []status.Step{{From: list.Sequence, Base: list.Digest, File: status.File{Size: 10}}}
	b := must(r.an.MakeStatusHead(ctx, r.statusHeader(0), next, uint64(len(again)), steps))(t)
	h := must(status.ParseHead(b, pinned(must(r.an.Authority.StatusKeyID(ctx))(t))))(t)
	if h.Sequence != 3 || h.Base != 2 || h.Snapshot.Digest != sha256.Sum256(again) || len(h.Steps) != 1 {
		t.Errorf("%+v", h)
	}
	other := r.statusHeader(0)
	other.URI += "0"
	wantError(t, "of another list", second(r.an.MakeStatusHead(ctx, other, list, uint64(len(raw)), nil)), status.ErrBase)
	r.sound(t)
}

// TestStatusListCut: a list that was cut short is lost, and its number with it.
func TestStatusListCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, after := range []bool{false, true} {
		for at := 1; at <= 2; at++ {
			f := &faulty{Store: r.store, at: at, after: after}
			wantError(t, "cut", second(r.through(f).MakeStatus(t.Context(), r.statusHeader(status.Index), nil)), errFault)
		}
	}
	if l, _ := r.statusList(t, status.Index, nil); l.Sequence != 4 {
		t.Errorf("number %d", l.Sequence) // of the four cuts three left a number
	}
	r.sound(t)
}
