package console

import (
	"context"
	"crypto/ed25519"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// cosignedLog is a log of which only the cosigned checkpoint is asked.
type cosignedLog struct {
	Ledger
	c *ledger.Checkpoint
	v note.Verifier
}

func (l cosignedLog) Cosigned() *ledger.Checkpoint                    { return l.c }
func (l cosignedLog) Verifier(context.Context) (note.Verifier, error) { return l.v, nil }

// Witnesses count who cosigned with a key that the office knows, and as many as it asks for.
func TestWatched(t *testing.T) {
	signer, key, err := receipt.NewLogSigner("specimen.example/log", ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := receipt.ParseLogKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var keys []*receipt.WitnessKey
	var lines [][]byte
	c, err := ledger.SignCheckpoint("specimen.example/log", 7, tlog.RecordHash(nil), signer)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"one.example", "two.example"} {
		seed := make([]byte, 32)
		seed[0] = byte(i + 1)
		w, err := receipt.NewCosigner(name, ed25519.NewKeyFromSeed(seed))
		if err != nil {
			t.Fatal(err)
		}
		line, err := w.Cosign(c, time.Unix(1_790_000_000, 0))
		if err != nil {
			t.Fatal(err)
		}
		keys, lines = append(keys, w.WitnessKey), append(lines, line)
	}
	join := func(parts ...[]byte) *ledger.Checkpoint {
		n := *c
		n.Note = append([]byte(nil), c.Note...)
		for _, p := range parts {
			n.Note = append(n.Note, p...)
		}
		return &n
	}
	spoiled := join(lines...)
	spoiled.Note[len(spoiled.Note)-6] ^= 1
	for name, tt := range map[string]struct {
		c      *ledger.Checkpoint
		quorum int
		signed int
		few    bool
	}{
		"both":                {join(lines...), 0, 2, false},
		"one, all are needed": {join(lines[0]), 0, 1, true},
		"one, one is needed":  {join(lines[1]), 1, 1, false},
		"none":                {c, 1, 0, true},
		"nothing is kept":     {nil, 1, 0, true},
		"a false one":         {spoiled, 1, 0, true},
	} {
		q := &request{Request: httptest.NewRequest("GET", "/audit/", nil), c: &Console{config: Config{
			Ledger: cosignedLog{c: tt.c, v: v}, Watched: Witnesses{Keys: keys, Quorum: tt.quorum},
		}}}
		policy, err := q.policy()
		if err != nil {
			t.Fatal(err)
		}
		p := &logPage{Watched: len(keys)}
		if q.watched(p, policy); len(p.Cosigned) != tt.signed || p.Unwatched != tt.few {
			t.Errorf("%s: %d cosigned, too few %v", name, len(p.Cosigned), p.Unwatched)
		}
	}
}
