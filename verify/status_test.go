package verify

import (
	"context"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
)

// asked is a StatusSource that keeps what it is asked.
type asked struct{ card CardRef }

func (a *asked) Status(_ context.Context, c CardRef) (StatusAnswer, error) {
	a.card = c
	return StatusAnswer{}, nil
}

// TestCardRef: a source is told all by which a list may know the card.
func TestCardRef(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	source := &asked{}
	p := o.options("archive")
	p.Status = source
	r, err := JudgeFiles(t.Context(), s.files, p)
	if err != nil {
		t.Fatal(err)
	}
	c := source.card
	if c.ID != r.Document.Card || c.Country != "VN" || c.DocumentType != "ID" || c.Ref != nil {
		t.Errorf("%+v", c)
	}
	keys := [][32]byte{sha256.Sum256(s.files[lds.DG14]), sha256.Sum256(s.files[lds.DG15])}
	if !slices.Equal(c.Keys, keys) {
		t.Errorf("keys %x", c.Keys)
	}
	delete(s.files, lds.DG14) // not read: its digest stands in the signed list
	if _, err := JudgeFiles(t.Context(), s.files, p); err != nil || !slices.Equal(source.card.Keys, keys) {
		t.Errorf("keys %x without DG14, %v", source.card.Keys, err)
	}
}
