package pki

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// folded writes an attribute in base64, its lines folded at that width (RFC 2849).
func folded(name string, der []byte, width int, end string) string {
	s := name + ":: " + base64.StdEncoding.EncodeToString(der)
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + end + " ")
		s = s[width:]
	}
	return b.String() + s + end
}

func TestReadLDIF(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds, crl := newSigner(t, ca, nil).cert.Raw, newCRL(t, ca, nil).Raw
	list := signList(t, listSigner(t, ca, nil), masterList(t, ca.cert), nil)
	for _, end := range []string{"\n", "\r\n"} {
		text := "version: 1" + end + end + "# a comment" + end + " that goes on" + end +
			"dn: dc=data,dc=download,dc=pkd,dc=icao,dc=int" + end + "objectClass: top" + end + end +
			"dn: cn=OU\\=bsi+sn=1,o=dsc,c=UT,dc=data" + end + "pkdVersion: 12" + end + folded("userCertificate;binary", ds, 76, end) + "sn: 1" + end + end + end +
			"dn:: " + base64.StdEncoding.EncodeToString([]byte("o=crl,c=UT")) + end + folded("certificateRevocationList;binary", crl, 20, end) + end +
			"dn: o=ml,c=UT" + end + "changetype: add" + end + folded("pkdMasterListContent", list, 78, end) + end +
			"dn: o=old,c=UT" + end + "changetype: delete" + end + folded("userCertificate;binary", ds, 76, end) + end +
			"dn: o=url,c=UT" + end + "userCertificate;binary:< file:///etc/passwd" + end +
			"jpegPhoto:: not base64 but not ours" // the last entry ends with the file
		f, err := readLDIF(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Certificates) != 1 || !bytes.Equal(f.Certificates[0], ds) || len(f.CRLs) != 1 || !bytes.Equal(f.CRLs[0], crl) ||
			len(f.Lists) != 1 || !bytes.Equal(f.Lists[0], list) {
			t.Errorf("%d certificates, %d revocation lists, %d lists", len(f.Certificates), len(f.CRLs), len(f.Lists))
		}
	}
}

// A real master list travels through LDIF as it is.
func TestReadLDIFOfARealList(t *testing.T) {
	raw := testdata.Vectors(t, "pki/master-lists/NL_ML_2026-07-22.ml")
	f, err := readLDIF(strings.NewReader("dn: o=ml,c=NL\n" + folded("pkdMasterListContent;binary", raw, 76, "\n")))
	if err != nil || len(f.Lists) != 1 || !bytes.Equal(f.Lists[0], raw) {
		t.Error(err)
	}
}

func TestReadLDIFRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                         "",
		"no name":                         "userCertificate;binary:: MAA=\n",
		"text":                            "hello\n",
		"two names":                       "dn: a\ndn: b\n",
		"a continuation of nothing":       " dn: a\n",
		"no base64":                       "dn: a\nuserCertificate;binary:: %%%\n",
		"base64 cut short":                "dn: a\nuserCertificate;binary:: MAAA1\n",
		"an empty value":                  "dn: a\nuserCertificate;binary:: \n",
		"a line beyond all bounds":        "dn: a\nx: " + strings.Repeat("x", maxLDIFLine) + "\n",
		"a folded line beyond all bounds": "dn: a\nx: y\n" + strings.Repeat(" "+strings.Repeat("x", 60_000)+"\n", maxLDIFValue/60_000+1),
	} {
		if f, err := readLDIF(strings.NewReader(text)); !errors.Is(err, errLDIF) || f != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many strings.Builder
	for i := range maxLDIFEntries + 1 {
		fmt.Fprintf(&many, "dn: %d\n\n", i)
	}
	if _, err := readLDIF(strings.NewReader(many.String())); !errors.Is(err, errLDIF) {
		t.Error("too many entries:", err)
	}
}

func FuzzReadLDIF(f *testing.F) {
	f.Add([]byte("version: 1\n\ndn: a\nuserCertificate;binary:: MA\n AA\n\ndn: b\nchangetype: delete\ncACertificate:: MAAA\n"))
	f.Add([]byte("dn: a\ncertificateRevocationList;binary:: MAAA\n-\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := readLDIF(bytes.NewReader(b))
		if err != nil {
			if found != nil {
				t.Error("something with an error")
			}
			return
		}
		for _, der := range slices.Concat(found.Certificates, found.CRLs, found.Lists) {
			if len(der) == 0 || len(der) > len(b) {
				t.Error(len(der))
			}
		}
	})
}
