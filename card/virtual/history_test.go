package virtual

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

// TestMemoriesOfEarlierVersions loads the chips that earlier versions made: they open, hold
// what their SOD says, answer with their keys, and their file stays as it is.
func TestMemoriesOfEarlierVersions(t *testing.T) {
	for name, digest := range map[string]string{
		"a/can.chip": "924f2975efe7515917f33c5771305ca1b33b67ed5495cb477a7efb3748ccc2e0",
		"b/can.chip": "eb2a9af4dea1bdb07f08d031eed0b2b632c9a9a71c654ebaf1f2612a75b04694",
		"b/eid.chip": "0c7c365d9dbea07313f3744bd015ffa2c8f513365f21dcf7f22f578a3fb03430",
		"d/can.chip": "11e47c51955e59b9aa95712d94d67b802e5ad5d50682d23e0c059e21aea208d6",
		"f/can.chip": "dbfbc96c5a24c13241b57907d65dcfb7a2bf5c86b75c67f204edab09631580b3",
	} {
		raw := testdata.Read(t, "history/"+name)
		if got := sha256.Sum256(raw); digest != hex.EncodeToString(got[:]) {
			t.Errorf("%s is another file: %x", name, got)
		}
		path := filepath.Join(t.TempDir(), "chip")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name == "b/eid.chip" { // two agreements, RSA, an identifier, a pair of pseudonyms; PIN and PUK; a trust point
			if m := c.image; len(m.given) != 5 || len(m.trust.points) != 1 || m.secrets[gp.DGIPACEPIN] == nil {
				t.Errorf("%s: %d keys, %d trust points", name, len(m.given), len(m.trust.points))
			}
		}
		can := auth.CAN(string(c.image.secrets[gp.DGIPACECAN]))
		s := openBy(t, c, apdu.Limits{}, can)
		sod, err := s.ReadFile(t.Context(), lds.SODFile, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := lds.ParseSOD(sod)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range signed.Object.Hashes {
			b, err := s.ReadFile(t.Context(), lds.Group(g.Number), nil)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			h := signed.Object.Hash.New()
			h.Write(b)
			if !bytes.Equal(h.Sum(nil), g.Hash) {
				t.Errorf("%s: DG%d is not what was signed", name, g.Number)
			}
		}
		s.Close()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, raw) {
			t.Errorf("%s: reading changed the memory", name)
		}
	}
}
