package console

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance"
)

// Every pair that should be two persons' is a fault when one person did both, also with two
// keys; what the rules leave to one person is none.
func TestEyes(t *testing.T) {
	an, binh, anAgain, service := issuance.KeyID{1}, issuance.KeyID{2}, issuance.KeyID{3}, issuance.KeyID{4}
	who := actors{
		an: {Name: "an", Person: "p-1"}, binh: {Name: "binh", Person: "p-2"}, anAgain: {Name: "an-2", Person: "p-1"}, service: {Name: "signer", Person: "p-3"},
	}
	app, card := issuance.Application("A-1"), issuance.Card("C-1")
	type act struct {
		stream issuance.StreamID
		act    issuance.Act
	}
	acts := []act{
		{app, issuance.Enrol}, {app, issuance.Approve}, {app, issuance.Personalise}, {card, issuance.Allocate}, {card, issuance.Prepare}, {card, issuance.Check}, {card, issuance.Deliver},
	}
	nobody := issuance.KeyID{9}.String()[:16]
	for name, tt := range map[string]struct {
		by   []issuance.KeyID // of acts, in their order
		want []string
	}{
		"as it should be":           {[]issuance.KeyID{an, binh, an, an, service, binh, binh}, nil},
		"approves what he entered":  {[]issuance.KeyID{an, an, binh, binh, service, an, an}, []string{"Entered=Approved:an"}},
		"approves by another key":   {[]issuance.KeyID{an, anAgain, binh, binh, service, an, an}, []string{"Entered=Approved:an"}},
		"makes what he approved":    {[]issuance.KeyID{an, binh, binh, binh, service, an, an}, []string{"Approved=Made:binh"}},
		"checks what he made":       {[]issuance.KeyID{an, binh, an, an, service, anAgain, binh}, []string{"Made=Checked:an"}},
		"hands over what he made":   {[]issuance.KeyID{an, binh, an, an, service, binh, anAgain}, []string{"Made=Handed over:an"}},
		"signs what he approved":    {[]issuance.KeyID{an, binh, an, an, binh, service, service}, []string{"Approved=Signed:binh"}},
		"does everything":           {[]issuance.KeyID{an, an, an, an, an, an, an}, []string{"Entered=Approved:an", "Approved=Made:an", "Approved=Signed:an", "Made=Checked:an", "Signed=Checked:an", "Made=Handed over:an"}},
		"of keys that nobody knows": {[]issuance.KeyID{{9}, {9}, {9}, {9}, {9}, {9}, {9}}, []string{"Entered=Approved:" + nobody, "Approved=Made:" + nobody, "Approved=Signed:" + nobody, "Made=Checked:" + nobody, "Signed=Checked:" + nobody, "Made=Handed over:" + nobody}},
	} {
		y := newEyes(who)
		for i, a := range acts {
			e := issuance.Entry{Stream: a.stream, Act: a.act, Operator: tt.by[i]}
			if a.act == issuance.Allocate {
				e.Fields = map[string]string{"application": "A-1"}
			}
			y.add(int64(i), &e)
		}
		ways := y.ways()
		if len(ways) != 1 || ways[0].Application != "A-1" {
			t.Fatalf("%s: %+v", name, ways)
		}
		var got []string
		for _, f := range ways[0].Faults {
			got = append(got, fmt.Sprintf("%s=%s:%s", f.One.en, f.Other.en, f.Person.Name))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Two signatures of one person are a fault, whatever the act.
func TestEyesAlone(t *testing.T) {
	who := actors{{1}: {Name: "an", Person: "p-1"}, {2}: {Name: "binh", Person: "p-2"}, {3}: {Name: "an-2", Person: "p-1"}}
	y := newEyes(who)
	for i, second := range []issuance.KeyID{{2}, {3}, {}} {
		y.add(int64(i), &issuance.Entry{Stream: issuance.Key("ds"), Act: issuance.Issue, Operator: issuance.KeyID{1}, Second: second})
	}
	if len(y.alone) != 1 || y.alone[0].Index != 1 || y.twos != 1 {
		t.Errorf("%+v, %d by two", y.alone, y.twos)
	}
}
