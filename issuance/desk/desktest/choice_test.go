//go:build linux && cgo

package desktest

import (
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu/pcsc"
)

// TestChoiceOfReader chooses between the two slots of the last entry, which share a name
// up to its end.
func TestChoiceOfReader(t *testing.T) {
	t.Parallel()
	d, ctx := daemon(t), t.Context()
	a, b := readerOf(t, d, d.Slots()-2), readerOf(t, d, d.Slots()-1)
	both := strings.TrimSuffix(a.name, "0")
	if !strings.HasPrefix(b.name, both) {
		t.Fatalf("%q and %q", a.name, b.name)
	}
	_, err := pcsc.Pick(ctx, "no such reader")
	wantError(t, "a name of none", err, pcsc.ErrNoReader)
	_, err = pcsc.Pick(ctx, both)
	wantError(t, "both empty", err, pcsc.ErrNoCard)
	_, err = pcsc.Open(ctx, a.name, pcsc.Options{})
	wantError(t, "open the empty one", err, pcsc.ErrNoCard)

	first, second := a.hold(blank()), b.hold(blank())
	first.insert()
	if r, err := pcsc.Pick(ctx, strings.ToLower(both)); err != nil || r.Name != a.name {
		t.Errorf("one card: %v, %v", r, err)
	}
	second.insert()
	_, err = pcsc.Pick(ctx, both)
	var two *pcsc.AmbiguousError
	if !errors.As(err, &two) || len(two.Readers) != 2 || two.Readers[0].Name != a.name || two.Readers[1].Name != b.name {
		t.Errorf("two cards: %v", err)
	}
	if r, err := pcsc.Pick(ctx, b.name); err != nil || r.Name != b.name {
		t.Errorf("the second by its name: %v, %v", r, err)
	}
	first.remove()
	if r, err := pcsc.Pick(ctx, both); err != nil || r.Name != b.name {
		t.Errorf("one left: %v, %v", r, err)
	}
}
