package signing

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance"
)

func (r *rig) pin() Pin { return must(readPin(r.path("signer")))(r.t) }

// streams are all of the log.
func (r *rig) streams() []issuance.StreamID {
	var list []issuance.StreamID
	check(r.t, r.store.Entries(r.t.Context(), 0, func(_ int64, leaf, payload []byte) error {
		e, err := issuance.ParseEntry(leaf, payload)
		if !slices.Contains(list, e.Stream) {
			list = append(list, e.Stream)
		}
		return err
	}))
	return list
}

// TestForgets: a view that forgets all it can knows the same of every stream as one that holds
// them all, and holds next to nothing.
func TestForgets(t *testing.T) {
	r := newRig(t)
	for range 3 {
		must(r.service().Sign(t.Context(), r.keyed().request))(t)
	}
	r.begun()
	forgetful, whole := must(newView(r.pin(), 1))(t), must(newView(r.pin(), maxHeld))(t)
	for _, v := range []*view{forgetful, whole} {
		must(v.follow(t.Context(), r.store))(t)
	}
	if len(whole.stands) != 0 || len(forgetful.stands) < 12 {
		t.Errorf("%d and %d streams are forgotten", len(whole.stands), len(forgetful.stands))
	}
	all := r.streams()
	for _, id := range all {
		check(t, forgetful.need(t.Context(), r.store, id))
		if got, want := forgetful.book.Subject(id), whole.book.Subject(id); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, not %+v", id, got, want)
		}
	}
	for i := range 1000 { // whoever asks for what there is not fills no memory
		check(t, forgetful.need(t.Context(), r.store, issuance.Card("C-"+string(rune('a'+i%26))+string(rune('a'+i/26)))))
	}
	if n := forgetful.book.Len(); n > len(all) {
		t.Errorf("%d of %d streams are held", n, len(all))
	}
}

// TestForgetsNoOperator: one act rests on there being no other administrator, which a view that
// forgets knows as well.
func TestForgetsNoOperator(t *testing.T) {
	r := newRig(t)
	v := must(newView(r.pin(), 1))(t)
	must(v.follow(t.Context(), r.store))(t)
	v.forgetNow()
	root := r.office.Root
	id := issuance.OperatorStream(root.ID)
	_, seq, last := v.book.Stands(id)
	e := issuance.Entry{
		Origin: r.pin().Origin, Rules: issuance.RuleBook, Stream: id, Seq: seq + 1, Prev: last, ID: issuance.NewID(), Act: issuance.Pair,
		Time: r.now, Operator: root.ID, Fields: map[string]string{"with": r.office.Registrar.ID.String()},
	}
	check(t, e.Sign(root.Key))
	if err := v.book.Apply(e); !errors.Is(err, issuance.ErrFourEyes) {
		t.Errorf("with a second administrator there: %v", err)
	}
}

// lying is a log that says of a stream what it never was, once it was read.
type lying struct {
	Log
	about issuance.Kind
	say   func([]issuance.Entry) []issuance.Entry
}

func (l lying) Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	entries, err := l.Log.Stream(ctx, s)
	if s.Kind == l.about && len(entries) > 1 {
		entries = l.say(slices.Clone(entries))
	}
	return entries, err
}

// TestForgottenIsNotBelieved: what was forgotten is what was judged, or nothing is signed.
func TestForgottenIsNotBelieved(t *testing.T) {
	for _, kind := range []issuance.Kind{issuance.KindApplication, issuance.KindCard} {
		for name, say := range map[string]func([]issuance.Entry) []issuance.Entry{
			"nothing":        func([]issuance.Entry) []issuance.Entry { return nil },
			"not the last":   func(e []issuance.Entry) []issuance.Entry { return e[:len(e)-1] },
			"not the first":  func(e []issuance.Entry) []issuance.Entry { return e[1:] },
			"the last twice": func(e []issuance.Entry) []issuance.Entry { return append(e[:len(e)-2], e[len(e)-1], e[len(e)-1]) },
			"another field": func(e []issuance.Entry) []issuance.Entry {
				last := &e[len(e)-1]
				last.Fields = map[string]string{"card": "C-404", "application": "A-404"}
				return e
			},
			"another operator": func(e []issuance.Entry) []issuance.Entry {
				e[len(e)-1].Operator[0] ^= 1
				return e
			},
			"a claim more": func(e []issuance.Entry) []issuance.Entry {
				e[0].Claims = append(e[0].Claims, issuance.Claim{Kind: issuance.ClaimChipKey, Value: "x"})
				return e
			},
		} {
			r := newRig(t)
			c := r.keyed()
			r.o.Log = lying{r.store, kind, say}
			s := r.service()
			s.o.Log = r.store
			check(t, s.Follow(t.Context()))
			s.o.Log = r.o.Log
			s.view.forgetNow()
			sod, err := s.Sign(t.Context(), c.request)
			if !errors.Is(err, ErrLog) || sod != nil || r.signatures() != 0 || len(r.acts(c.card)) != 0 {
				t.Errorf("%s of %s: %d octets, %v, %d signatures", name, kind, len(sod), err, r.signatures())
			}
			s.o.Log = r.store
			must(s.Sign(t.Context(), c.request))(t) // the log is read anew
		}
	}
}

// TestForgottenGoesOn: what a stream says that is not judged yet does not count.
func TestForgottenGoesOn(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	s := r.service()
	check(t, s.Follow(t.Context()))
	s.o.Log = lying{r.store, issuance.KindCard, func(e []issuance.Entry) []issuance.Entry {
		return append(e, issuance.Entry{Stream: e[0].Stream, Act: issuance.Revoke})
	}}
	must(s.Sign(t.Context(), c.request))(t)
}

var errAway = errors.New("the server has gone away")

// leaving is a log whose server goes away while it is read.
type leaving struct {
	Log
	after int     // entries; negative: it stays
	froms []int64 // where reading began
}

func (l *leaving) Entries(ctx context.Context, from int64, each func(int64, []byte, []byte) error) error {
	l.froms = append(l.froms, from)
	left := l.after
	return l.Log.Entries(ctx, from, func(index int64, leaf, payload []byte) error {
		if left == 0 {
			return errAway
		}
		left--
		return each(index, leaf, payload)
	})
}

// TestGoesOnReading: a server that goes away while the log is read costs what it had not told
// yet, and nothing is signed before all was read. What the log was the last time is held against
// it all the same.
func TestGoesOnReading(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	check(t, r.service().Follow(t.Context())) // leaves a checkpoint
	away := &leaving{Log: r.store, after: 4}
	r.o.Log = away
	s := r.service()
	for range 2 {
		if sod, err := s.Sign(t.Context(), c.request); !errors.Is(err, errAway) || sod != nil || r.signatures() != 0 {
			t.Fatalf("%v, %d signatures", err, r.signatures())
		}
	}
	away.after = -1
	must(s.Sign(t.Context(), c.request))(t)
	if want := []int64{0, 4, 8}; !slices.Equal(away.froms[:3], want) {
		t.Errorf("it was read from %d on, not %d", away.froms, want)
	}

	other := newRig(t) // another log of the same pin as far as the service has read
	other.o.Log = &leaving{Log: other.store, after: 3}
	s = other.service()
	if err := s.Follow(t.Context()); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	s.o.Log = r.store
	if err := s.Follow(t.Context()); !errors.Is(err, ErrLog) {
		t.Errorf("another log: %v", err)
	}
	s.o.Log = other.store
	check(t, s.Follow(t.Context()))
}
