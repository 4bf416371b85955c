package cert

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tamthe/tamthe/testdata"
)

// crypto/x509 finds the same entries in the lists that it reads, and every one of them is
// found by its number.
func TestEntriesAreThoseOfX509(t *testing.T) {
	_, lists := utopia(t)
	if dir := os.Getenv("TAMTHE_VECTORS"); dir != "" {
		for _, pattern := range []string{"pki/crl/*", "pkits/crls/*"} {
			files, err := filepath.Glob(filepath.Join(testdata.Dir(t), filepath.FromSlash(pattern)))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				lists = append(lists, b)
			}
		}
	}
	both, entries := 0, 0
	for _, der := range lists {
		ours, err := ParseCRL(der)
		theirs, xerr := x509.ParseRevocationList(der)
		if err != nil || xerr != nil {
			continue
		}
		both++
		list := ours.Entries()
		if len(list) != len(theirs.RevokedCertificateEntries) {
			t.Errorf("%v: %d entries, not %d", ours.Issuer, len(list), len(theirs.RevokedCertificateEntries))
			continue
		}
		for i, e := range theirs.RevokedCertificateEntries {
			entries++
			if list[i].Serial.Cmp(e.SerialNumber) != 0 || !list[i].Time.Equal(e.RevocationTime) || int(list[i].Reason) != e.ReasonCode {
				t.Errorf("%v: %+v, not %+v", ours.Issuer, list[i], e)
			}
			if r, ok := ours.Lookup(e.SerialNumber); !ok || r.Serial.Cmp(e.SerialNumber) != 0 {
				t.Errorf("%v: %v is not found", ours.Issuer, e.SerialNumber)
			}
		}
	}
	if both == 0 || entries == 0 {
		t.Error("nothing was compared")
	}
	t.Logf("%d lists, %d entries", both, entries)
}

// Of several entries of a number the first counts, whatever else is in the list, and
// however the number is encoded.
func TestLookupTakesTheFirst(t *testing.T) {
	if _, ok := (&CRL{}).Lookup(big.NewInt(1)); ok {
		t.Error("an empty list has an entry")
	}
	entry := func(number, day string) string {
		body := "\x02" + string(rune(len(number))) + number + "\x17\x0d2607" + day + "000000Z"
		return "\x30" + string(rune(len(body))) + body
	}
	var content []byte
	for i := range 300 { // a number of many entries does not make the table long
		content = append(content, entry("\x05", []string{"01", "02"}[min(i, 1)])...)
	}
	content = append(content, entry("\x00\x06", "03")+entry("\x06", "04")+entry("\xfb", "05")...)
	var b cryptobyte.Builder
	b.AddASN1(0x30, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	s := cryptobyte.String(b.BytesOrPanic())
	var f findings
	l := new(CRL)
	if err := f.readEntries(&s, l); err != nil || len(f) != 0 || len(l.Entries()) != 303 {
		t.Fatal(err, f)
	}
	for n, day := range map[int64]int{5: 1, 6: 3, -5: 5} {
		if r, ok := l.Lookup(big.NewInt(n)); !ok || r.Time.Day() != day || r.Serial.Int64() != n {
			t.Errorf("%d: %v, %v", n, r, ok)
		}
	}
	if _, ok := l.Lookup(big.NewInt(251)); ok {
		t.Error("251 is not -5")
	}
}

// What is taken for a usual entry is one, and nothing is wrong with it.
func FuzzUsualEntry(f *testing.F) {
	for _, s := range []string{
		"\x30\x12\x02\x01\x05\x17\x0d260701000000Z",
		"\x30\x20\x02\x01\x05\x17\x0d260701000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x05",
		"\x30\x12\x02\x01\x05\x17\x0d260229000000Z",
	} {
		f.Add([]byte(s))
		for i := range s {
			b := []byte(s)
			b[i] ^= 0x80
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := usualEntry(b)
		if n == 0 {
			return
		}
		s := cryptobyte.String(bytes.Clone(b))
		var found findings
		unread, err := found.readEntry(&s, new(Revocation))
		if err != nil || len(unread) != 0 || len(found) != 0 || len(b)-len(s) != n {
			t.Errorf("%x: %d octets, %v, %v, %v", b, n, err, unread, found)
		}
	})
}
