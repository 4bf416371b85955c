package lds

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"math/big"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/testdata"
)

// spoil calls f with every octet of a file changed to several values.
func spoil(raw []byte, f func(b []byte)) {
	f(raw)
	for i := range raw {
		b := bytes.Clone(raw)
		for _, v := range []byte{0, 1, 2, 4, 0x30, 0x7f, 0x80, 0x81, 0x82, 0xff, raw[i] + 1, raw[i] - 1, raw[i] ^ 0x20} {
			b[i] = v
			f(b)
		}
		f(raw[:i])
		f(append(bytes.Clone(raw[:i]), raw[min(i+1, len(raw)):]...))
	}
	f(append(bytes.Clone(raw), 0))
}

// What the quick readers take, the parsers take, and find the same in it.

func checkQuickDG1(t *testing.T, b []byte) {
	zone, ok := Zone(b)
	if !ok {
		return
	}
	if m, err := ParseDG1(b); err == nil && m.Text() != string(zone) {
		t.Fatalf("%x: zone %q, %q", b, zone, m.Text())
	}
	if _, sound := mrz.Sound(zone); sound {
		if m, err := ParseDG1(b); err != nil || len(m.Findings) > 0 {
			t.Fatalf("%x: %v, %v", b, m, err)
		}
	}
}

func checkQuickDG2(t *testing.T, b []byte) {
	if OneFace(b) {
		if faces, err := ParseDG2(b); err != nil || len(faces) != 1 {
			t.Fatalf("%x: %d faces, %v", b, len(faces), err)
		}
	}
}

func checkQuickDG14(t *testing.T, b []byte) {
	if Framed(b) {
		if _, err := ParseDG14(b); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
	}
}

func checkOutline(t *testing.T, b []byte) bool {
	var o Outline
	if !ReadOutline(b, &o) {
		return false
	}
	s, err := ParseSOD(b)
	if err != nil { // an outline does not look into the parts of its form
		return false
	}
	signer, err := s.Signer()
	if err != nil || len(s.Signed.Certificates) != 1 || !bytes.Equal(s.Signed.Certificates[0].Raw, o.Certificate) ||
		!bytes.Equal(s.Signed.Content, o.Content) || !bytes.Equal(signer.Signature, o.Signature) || s.Signed.BER || len(signer.Unsigned) > 0 {
		t.Fatalf("%x: the outline is not what the file says", b)
	}
	if v, ok := signer.Attribute(cms.OIDMessageDigest); !ok || !bytes.HasSuffix(v, o.Digest) {
		t.Fatalf("%x: message digest %x", b, v)
	}
	want, there := s.StatusReference()
	if got, ok := o.StatusReference(); ok != there || got != want {
		t.Fatalf("%x: status %v, want %v", b, got, want)
	}
	for n := 1; n <= maxGroups; n++ {
		if h, _ := s.Object.GroupHash(n); !bytes.Equal(h, o.Groups[n-1]) {
			t.Fatalf("%x: hash of group %d", b, n)
		}
	}
	for _, f := range s.Signed.Findings {
		if f == cms.FindingUnsigned || f == cms.FindingAttributesOrder || f == cms.FindingAttributeTwice || f == cms.FindingSigners || f == cms.FindingCRLs {
			t.Fatalf("%x: %v", b, f)
		}
	}
	return true
}

func TestQuickReadersAdmitLess(t *testing.T) {
	spoil([]byte("\x61\x5D\x5F\x1F\x5AI<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<"), func(b []byte) { checkQuickDG1(t, b) })
	spoil([]byte("\x61\x5B\x5F\x1F\x58P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"), func(b []byte) { checkQuickDG1(t, b) })
	for _, points := range []int{0, 2} {
		raw, err := EncodeDG2(Face{Image: []byte{0xFF, 0xD8, 0xFF, 0, 1, 2, 3}, Width: 1, Height: 1, Record: &FaceRecord{Points: make([]FeaturePoint, points)}})
		if err != nil {
			t.Fatal(err)
		}
		if !OneFace(raw) {
			t.Errorf("a usual DG2 with %d points is not known", points)
		}
		spoil(raw, func(b []byte) { checkQuickDG2(t, b) })
	}
	infos, err := EncodeDG14(SecurityInfos{PACE: []PACEInfo{{OID: arc(oidPACE, 2), Version: 2, ParameterID: 12}}, Active: []ActiveAuthInfo{{Version: 1, Algorithm: oidActive}}})
	if err != nil || !Framed(infos) {
		t.Fatal("a usual DG14 is not known", err)
	}
	spoil(infos, func(b []byte) { checkQuickDG14(t, b) })
}

// A SOD as we write it, with all attributes, has its outline; of every other with an outline
// the parser says the same.
func TestOutline(t *testing.T) {
	raw := ownSOD(t)
	if !checkOutline(t, raw) {
		t.Fatal("our own SOD has no outline")
	}
	spoil(raw, func(b []byte) { checkOutline(t, b) })
	var o, p Outline
	ReadOutline(raw, &o)
	if !o.SameForm(o.Clone()) || ReadOutline(raw[1:], &p) || o.SameForm(&p) {
		t.Error("an outline is not of the form of its copy, or of nothing")
	}
	other := bytes.Clone(raw)
	copy(other[bytes.Index(other, []byte("0108")):], "0107")
	if !ReadOutline(other, &p) || o.SameForm(&p) {
		t.Error("another version is of the same form")
	}
	if n := testing.AllocsPerRun(10, func() { ReadOutline(raw, &p) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Real SODs that have an outline are read as the parser reads them.
func TestOutlineOfRealSODs(t *testing.T) {
	n := 0
	for _, c := range realSODs(t) {
		if checkOutline(t, testdata.Vectors(t, c.File)) {
			n++
		}
	}
	if n == 0 {
		t.Error("no real SOD has an outline")
	}
}

func ownSOD(t testing.TB) []byte {
	t.Helper()
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	name, err := cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: "UT"})
	if err != nil {
		t.Fatal(err)
	}
	alg := cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}
	tbs, err := cert.Template{
		Serial: big.NewInt(77), Algorithm: alg, Issuer: name, Subject: name, PublicKey: key.Public(), Named: true,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC),
	}.TBS()
	if err != nil {
		t.Fatal(err)
	}
	der, err := cert.Sign(tbs, alg, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("group"))
	content, err := EncodeSecurityObject(SecurityObject{
		Version: 1, Hash: crypto.SHA256, LDSVersion: "0108", UnicodeVersion: "040000",
		Hashes: []GroupHash{{1, digest[:]}, {2, digest[:]}, {14, digest[:]}},
	})
	if err != nil {
		t.Fatal(err)
	}
	status, err := StatusReference{List: "https://status.example/1", Index: 77}.Attribute()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := cms.Sign(cms.Message{
		ContentType: cms.OIDLDSSecurityObject, Content: content, Certificate: c, SigningTime: c.NotBefore, Attributes: []cms.Attribute{status},
		Algorithm: alg,
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return WrapSOD(signed)
}
