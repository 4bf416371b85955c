package submission

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// nothing is a ledger of no entries.
type nothing struct{}

func (nothing) Append(context.Context, issuance.Head, ...issuance.Entry) error { return nil }
func (nothing) Stream(context.Context, issuance.StreamID) ([]issuance.Entry, error) {
	return nil, nil
}

// sample is a submission of entries of several streams, one with two attachments.
func sample(t testing.TB) Submission {
	t.Helper()
	o := ledgertest.NewOffice(t, nothing{})
	enrol := o.Enrol("A-1", "one", "")
	enrol.Attach = append(enrol.Attach, issuance.Attachment{Name: "empty", Sealed: []byte{}})
	init := o.Init()
	at, entries, err := o.Build(t.Context(), true, append(init, enrol)...)
	if err != nil {
		t.Fatal(err)
	}
	at = maps.Clone(at)
	at[issuance.Card("C-read")] = 7
	return Submission{at, entries}
}

func body(t testing.TB, s Submission) []byte {
	t.Helper()
	b, err := Marshal(s.Head, s.Entries)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestThereAndBack: what comes back is what was asked, and is named alike every time.
func TestThereAndBack(t *testing.T) {
	s := sample(t)
	b := body(t, s)
	again := slices.Clone(s.Entries)
	for i := range again { // the order of attachments is not the caller's to choose
		again[i].Attach = slices.Clone(again[i].Attach)
		slices.Reverse(again[i].Attach)
	}
	if other := body(t, Submission{maps.Clone(s.Head), again}); ID(other) != ID(b) {
		t.Error("the same submission under another name")
	}
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got.Head, s.Head) || len(got.Entries) != len(s.Entries) {
		t.Fatalf("%v, %d entries", got.Head, len(got.Entries))
	}
	for i, e := range got.Entries {
		leaf, payload, err := e.Encode()
		wantLeaf, wantPayload, _ := s.Entries[i].Encode()
		if err != nil || !bytes.Equal(leaf, wantLeaf) || !bytes.Equal(payload, wantPayload) {
			t.Errorf("entry %d is another: %v", i, err)
		}
		for _, a := range e.Attach {
			if a.Sealed == nil {
				t.Errorf("entry %d: attachment %s lost its octets", i, a.Name)
			}
		}
	}
	clear(b)
	if last := got.Entries[len(got.Entries)-1].Attach; last[1].Name != "person" || string(last[1].Sealed) != "sealed data of A-1" {
		t.Errorf("%v", last)
	}
}

func TestMarshalRefuses(t *testing.T) {
	s := sample(t)
	with := func(change func(*issuance.Entry)) []issuance.Entry {
		e := s.Entries[len(s.Entries)-1]
		e.Attach = slices.Clone(e.Attach)
		change(&e)
		return []issuance.Entry{e}
	}
	large := make([]issuance.Attachment, 9)
	for i := range large {
		large[i] = issuance.Attachment{Name: string(rune('a' + i)), Sealed: make([]byte, issuance.MaxSealed)}
	}
	for name, list := range map[string][]issuance.Entry{
		"nothing":                          nil,
		"too many entries":                 make([]issuance.Entry, MaxEntries+1),
		"an entry that is not well formed": with(func(e *issuance.Entry) { e.Origin = "" }),
		"more than the bound":              with(func(e *issuance.Entry) { e.Attach = large }),
	} {
		if b, err := Marshal(nil, list); b != nil || !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("%s: %d octets, %v", name, len(b), err)
		}
	}
	for _, id := range []string{"", "a b", "a\x00", "ä", string(make([]byte, 256))} {
		if _, err := Marshal(issuance.Head{issuance.Card(id): 1}, s.Entries); !errors.Is(err, issuance.ErrEntry) {
			t.Errorf("stream %q: %v", id, err)
		}
	}
}

// TestParseRefuses: every octet counts.
func TestParseRefuses(t *testing.T) {
	whole := body(t, sample(t))
	for n := range whole {
		if s, err := Parse(whole[:n]); s != nil || !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut at %d: %v, %v", n, s, err)
		}
	}
	head := func(streams ...string) []byte {
		b := binary.BigEndian.AppendUint16([]byte{1}, uint16(len(streams)))
		for _, s := range streams {
			b = append(append(b, 4), "card"...)
			b = append(append(b, byte(len(s))), s...)
			b = binary.BigEndian.AppendUint64(b, 1)
		}
		return b
	}
	entries := body(t, Submission{nil, sample(t).Entries})[3:]
	if _, err := Parse(append(head("C-1", "C-2"), entries...)); err != nil {
		t.Fatalf("the body is not laid out as this test takes it to be: %v", err)
	}
	read := sample(t).Entries // as a stream brings them
	for i := range read {
		for j, a := range read[i].Attach {
			read[i].Attach[j] = issuance.Attachment{Name: a.Name, Digest: sha256.Sum256(a.Sealed)}
		}
	}
	if got, err := Parse(body(t, Submission{nil, read})); err != nil || got.Entries[len(read)-1].Attach[1].Sealed != nil {
		t.Errorf("without the octets of attachments: %v", err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1 // the last attachment's last octet
	for name, b := range map[string][]byte{
		"octets behind it":     append(bytes.Clone(whole), 0),
		"another version":      append([]byte{2}, whole[1:]...),
		"streams disordered":   append(head("C-2", "C-1"), entries...),
		"a stream twice":       append(head("C-1", "C-1"), entries...),
		"a stream of no name":  append(head(""), entries...),
		"a stream with a NUL":  append(head("C\x00"), entries...),
		"no entries":           append(head("C-1"), 0, 0),
		"too many entries":     append(append(head("C-1"), 0xff, 0xff), entries[2:]...),
		"another attachment":   flipped,
		"larger than anything": make([]byte, Max+1),
	} {
		if s, err := Parse(b); s != nil || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	s := sample(f)
	f.Add(body(f, s))
	f.Add(body(f, Submission{nil, s.Entries[:1]}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			if s != nil || !errors.Is(err, ErrMalformed) {
				t.Errorf("%v, %v", s, err)
			}
			return
		}
		again, err := Marshal(s.Head, s.Entries)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x comes back as %x: %v", b, again, err)
		}
		if more, err := Parse(again); err != nil || !reflect.DeepEqual(more, s) {
			t.Errorf("%v, %v", more, err)
		}
	})
}
