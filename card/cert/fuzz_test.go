package cert

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// utopia returns the trust anchors and lists of the passive authentication cases.
func utopia(t testing.TB) (trust, crls [][]byte) {
	t.Helper()
	var file struct {
		Cases []struct{ Trust, CRLs []string }
	}
	if err := json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &file); err != nil {
		t.Fatal(err)
	}
	decode := func(list []string, out [][]byte) [][]byte {
		for _, s := range list {
			b, err := hex.DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b)
		}
		return out
	}
	for _, c := range file.Cases {
		trust, crls = decode(c.Trust, trust), decode(c.CRLs, crls)
	}
	return trust, crls
}

func TestUtopiaAnchors(t *testing.T) {
	trust, crls := utopia(t)
	var roots []*Certificate
	for i, der := range trust {
		c, err := Parse(der)
		if err != nil || c.KeyErr != nil || !c.SelfSigned() || len(c.UnknownCritical) > 0 {
			t.Fatalf("anchor %d: %v, %+v", i, err, c)
		}
		roots = append(roots, c)
	}
	for i, der := range crls {
		l, err := ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		signed := false
		for _, r := range roots {
			signed = signed || l.CheckSignature(r.PublicKey) == nil
		}
		if !signed {
			t.Errorf("list %d by %v verifies under no anchor", i, l.Issuer)
		}
	}
}

func FuzzParse(f *testing.F) {
	trust, _ := utopia(f)
	for _, der := range trust {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := Parse(der)
		if err != nil {
			return
		}
		_ = c.Subject.String()
		_ = c.Subject.Equal(c.Issuer)
		_ = c.PublicKey.String()
		_ = c.PublicKey.KeyID()
		if len(der) < 4096 {
			_ = c.SelfSigned()
		}
	})
}

func FuzzParseCRL(f *testing.F) {
	_, crls := utopia(f)
	for _, der := range crls {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if l, err := ParseCRL(der); err == nil {
			for _, r := range l.Entries() {
				_ = r.Reason.String()
			}
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	trust, _ := utopia(f)
	for _, der := range trust {
		c, err := Parse(der)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(c.RawPublicKey)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		k, err := ParsePublicKey(der)
		if err != nil {
			return
		}
		if k.Bits() < minRSABits && k.RSA != nil || k.EC == nil && k.RSA == nil {
			t.Errorf("%x: %v", der, k)
		}
	})
}
