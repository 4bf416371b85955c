package cert

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// sameOutline holds an outline to what Parse says of the same octets.
func sameOutline(t *testing.T, der []byte) {
	t.Helper()
	c, err := Parse(der)
	o, oerr := ParseOutline(der)
	if (err == nil) != (oerr == nil) {
		t.Fatalf("%x: Parse says %v, ParseOutline %v", der, err, oerr)
	}
	if err != nil {
		return
	}
	if !bytes.Equal(o.Issuer, c.Issuer.Raw) || !bytes.Equal(o.Subject, c.Subject.Raw) || !bytes.Equal(o.PublicKey, c.RawPublicKey) ||
		!bytes.Equal(o.SubjectKeyID, c.SubjectKeyID) || !bytes.Equal(o.AuthorityKeyID, c.AuthorityKeyID) ||
		o.CA != c.IsCA() || o.KeyUsage != c.KeyUsage {
		t.Fatalf("%x: outline %+v of %+v", der, o, c)
	}
	if !bytes.Equal(o.Number(), Number(c.Serial)) {
		t.Fatalf("%x: number %x, not %x", der, o.Number(), Number(c.Serial))
	}
	if got, want := CountryOf(o.Subject), c.Subject.Country(); got != want {
		t.Fatalf("%x: country %q, not %q", der, got, want)
	}
}

func TestOutline(t *testing.T) {
	n := 0
	for _, dir := range []string{"pki", "pkits", "passive-auth"} {
		err := filepath.WalkDir(filepath.Join(testdata.Dir(t), dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			switch filepath.Ext(path) {
			case ".cer", ".der", ".crt":
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				sameOutline(t, b)
				n++
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	trust, _ := utopia(t)
	for _, der := range trust {
		sameOutline(t, der)
		for i := range der { // every octet changed, every length cut
			for _, x := range []byte{0x01, 0x80, 0xff} {
				bad := bytes.Clone(der)
				bad[i] ^= x
				sameOutline(t, bad)
			}
			sameOutline(t, der[:i])
		}
		if n++; testing.Short() && n > 20 {
			break
		}
	}
	t.Logf("%d certificates", n)
}

func FuzzOutline(f *testing.F) {
	trust, _ := utopia(f)
	for _, der := range trust {
		f.Add(der)
	}
	f.Fuzz(sameOutline)
}

// The numbers and their encodings are those of X.690 §8.3.
func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{
		0: "00", 1: "01", 127: "7f", 128: "0080", 255: "00ff", 256: "0100", -1: "ff", -128: "80", -129: "ff7f", -256: "ff00", -32768: "8000",
	} {
		if got := hex.EncodeToString(Number(big.NewInt(n))); got != want {
			t.Errorf("%d: %s, not %s", n, got, want)
		}
	}
}
