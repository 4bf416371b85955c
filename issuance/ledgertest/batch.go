package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// large is how many acts a large append has, before those that make their people known.
const large = 1000

// testLarge: of a thousand acts in one append one is bad, and nothing is appended. Which
// one it is makes no difference, nor which of what is kept of it the store finds taken.
func testLarge(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.Must(t, o.Enrol("A-0", "ann", ""))
	steps := make([]Step, large)
	for i := range steps {
		steps[i] = o.Enrol(fmt.Sprintf("A-%d", i+1), fmt.Sprintf("p%d", i), "")
	}
	at, entries, err := o.Build(t.Context(), true, steps...)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]struct {
		spoil func(e *issuance.Entry)
		want  func(err error, e *issuance.Entry) bool
	}{
		"a bit of its signature": {func(e *issuance.Entry) { e.Signature[7] ^= 1 }, named},
		"another's signature":    {func(e *issuance.Entry) { e.Signature = slices.Clone(entries[0].Signature) }, named},
		"its time":               {func(e *issuance.Entry) { e.Time = e.Time.Add(time.Second) }, named},
		"who signed it": {func(e *issuance.Entry) {
			e.Signature = nil
			e.Operator = o.Clerk.ID
			_ = e.Sign(o.Clerk.Key)
		}, func(err error, _ *issuance.Entry) bool { return errors.Is(err, issuance.ErrRole) }},
		"its person": {func(e *issuance.Entry) {
			e.Hold = Holder(issuance.HoldApplication, "ann")
			_ = e.Sign(o.Registrar.Key)
		}, func(err error, _ *issuance.Entry) bool {
			return isDuplicate(issuance.HoldApplication, issuance.Application("A-0"))(err) || errors.Is(err, issuance.ErrEntry)
		}},
		"its identity": {func(e *issuance.Entry) {
			e.ID = entries[0].ID
			_ = e.Sign(o.Registrar.Key)
		}, func(err error, _ *issuance.Entry) bool { return errors.Is(err, issuance.ErrConflict) }},
	} {
		for _, i := range []int{len(entries) / 2, len(entries) - 1} {
			spoilt := slices.Clone(entries)
			e := &spoilt[i]
			e.Signature = slices.Clone(e.Signature)
			bad.spoil(e)
			if err := b.store.Append(t.Context(), at, spoilt...); err == nil || !bad.want(err, e) {
				t.Errorf("%s, of entry %d of %d: %v", name, i, len(entries), err)
			}
			for _, some := range []int{0, i, len(entries) - 1} {
				if list, err := b.store.Stream(t.Context(), entries[some].Stream); err != nil || len(list) > 0 {
					t.Fatalf("%s: entry %d was appended: %v", name, some, err)
				}
			}
		}
	}
	if err := b.store.Append(t.Context(), at, entries...); err != nil {
		t.Fatal(err)
	}
}

// named: the signature is bad, and the error says of which stream.
func named(err error, e *issuance.Entry) bool {
	return errors.Is(err, issuance.ErrSignature) && strings.Contains(err.Error(), e.Stream.String())
}
