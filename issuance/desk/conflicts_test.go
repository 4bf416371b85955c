package desk

import (
	"context"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// numbered is a log in which one card is the first that the document signer ds-001 signed.
type numbered struct {
	card   string
	public string // of the signer's key; empty: the log has none of that name
}

func (n numbered) Taken(_ context.Context, kind issuance.ClaimKind, after string, _ int) ([]ledger.Taken, error) {
	if kind != issuance.ClaimUse || after != "" {
		return nil, nil
	}
	return []ledger.Taken{{Claim: issuance.Claim{Kind: kind, Value: "ds-001:1"}, Stream: issuance.Card(n.card)}}, nil
}

func (n numbered) Stream(_ context.Context, s issuance.StreamID) ([]issuance.Entry, error) {
	if s != issuance.Key("ds-001") || n.public == "" {
		return nil, nil
	}
	return []issuance.Entry{{Stream: s, Act: issuance.Generate, Fields: map[string]string{"usage": "ds", "public": n.public}}, {Stream: s, Act: issuance.Prepare}}, nil
}

// TestUsesOfSigners: every log numbers its document signers from ds-001 on, and what two of them
// sign first are two cards. Of one key there is one first use, whatever log it is in.
func TestUsesOfSigners(t *testing.T) {
	for name, tt := range map[string]struct {
		publics []string
		want    []string // origins of each conflict's sides
	}{
		"two keys":                {[]string{"1", "2"}, nil},
		"one key":                 {[]string{"1", "1"}, []string{"a b"}},
		"one key of three":        {[]string{"1", "2", "1"}, []string{"a c"}},
		"two keys twice":          {[]string{"1", "2", "1", "2"}, []string{"a c", "b d"}},
		"a key that is not known": {[]string{"1", ""}, []string{"a b"}},
	} {
		var logs []Log
		for i, public := range tt.publics {
			origin := string(rune('a' + i))
			logs = append(logs, Log{origin, numbered{"C-" + origin, public}})
		}
		for range 2 {
			var got []string
			for _, c := range must(Conflicts(t.Context(), logs...))(t) {
				text := ""
				for _, s := range c.Sides {
					text += " " + s.Origin
				}
				got = append(got, text[1:])
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %q, not %q", name, got, tt.want)
			}
			slices.Reverse(logs)
		}
	}
}
