//go:build linux && cgo

package desktest

import (
	"testing"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// issued is a card in its holder's hand, beside a reader.
func issued(t *testing.T) (*hand, *office, vn.Person) {
	t.Helper()
	h, o := newReader(t).hold(blank()), newOffice(t, usualKeys)
	who := o.person()
	w := h.inserted()
	card := must(o.desk(o.an).Personalise(t.Context(), o.approved(t, who, portrait(12_000)), w, o.plan()))(t)
	check(t, w.Reset(t.Context()))
	o.handOver(t, card, w)
	check(t, w.Close())
	h.remove()
	return h, o, who
}
