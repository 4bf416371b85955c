package pki

import (
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

func deviationSigner(x *cert.Template) {
	x.ExtKeyUsage = []asn1.ObjectIdentifier{OIDDeviationListSigner}
}

func signsDeviations(m *cms.Message) { m.ContentType = OIDDeviationList }

// entries are the fields of one Deviation (ICAO 9303-12 §10.2), as DER; nil leaves one out.
type entries struct {
	documentType string
	signer       func(*cryptobyte.Builder)
	first, last  string // GeneralizedTime
	numbers      []string
	oid          asn1.ObjectIdentifier
	parameter    func(*cryptobyte.Builder)
	text         string
}

func bySerial(issuer cert.Name, serial *big.Int) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(constructed(1), func(b *cryptobyte.Builder) { b.AddBytes(issuer.Raw); b.AddASN1BigInt(serial) })
	}
}

func byOctets(tag uint8, v []byte) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(primitive(tag), func(b *cryptobyte.Builder) { b.AddBytes(v) })
	}
}

func text(b *cryptobyte.Builder, tag tags.Tag, s string) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

// deviationList encodes a DeviationList.
func deviationList(t testing.TB, list ...entries) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
			for _, e := range list {
				b.AddASN1(tags.SEQUENCE, e.encode)
			}
		})
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (e entries) encode(b *cryptobyte.Builder) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		if e.documentType != "" {
			text(b, primitive(0), e.documentType)
		}
		if e.signer != nil {
			e.signer(b)
		}
		if e.first != "" {
			b.AddASN1(constructed(4), func(b *cryptobyte.Builder) {
				text(b, tags.GeneralizedTime, e.first)
				text(b, tags.GeneralizedTime, e.last)
			})
		}
		if e.numbers != nil {
			b.AddASN1(constructed(5), func(b *cryptobyte.Builder) {
				for _, n := range e.numbers {
					text(b, tags.PrintableString, n)
				}
			})
		}
	})
	b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			if e.text != "" {
				text(b, tags.PrintableString, e.text)
			}
			b.AddASN1ObjectIdentifier(e.oid)
			if e.parameter != nil {
				b.AddASN1(constructed(0), e.parameter)
			}
		})
	})
}

func deviationType(below ...int) asn1.ObjectIdentifier {
	return append(slices.Clone(OIDDeviationList), below...)
}

// A deviation concerns a document if all that it says of documents holds.
func TestDeviations(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds, other := newSigner(t, ca, nil), newSigner(t, ca, nil)
	digest := sha256.Sum256(ds.cert.Raw)
	by := listSigner(t, ca, deviationSigner)
	q := Query{At: now, Country: "UTO", DocumentType: "ID", Issued: now.AddDate(0, -10, 0), Number: "AB1234567"}
	for _, c := range []struct {
		name string
		list entries
		ask  func(*Query)
		want bool
	}{
		{"by issuer and serial", entries{signer: bySerial(ca.cert.Subject, ds.cert.Serial)}, nil, true},
		{"by another serial", entries{signer: bySerial(ca.cert.Subject, other.cert.Serial)}, nil, false},
		{"by another issuer", entries{signer: bySerial(ds.cert.Subject, ds.cert.Serial)}, nil, false},
		{"by key identifier", entries{signer: byOctets(2, ds.cert.SubjectKeyID)}, nil, true},
		{"by another key identifier", entries{signer: byOctets(2, other.cert.SubjectKeyID)}, nil, false},
		{"by digest", entries{signer: byOctets(3, digest[:])}, nil, true},
		{"by a digest that nobody can make", entries{signer: byOctets(3, []byte{1})}, nil, false},
		{"by type", entries{documentType: "I<"}, nil, true},
		{"by another type", entries{documentType: "P<"}, nil, false},
		{"by number", entries{numbers: []string{"ZZ", "AB1234567"}}, nil, true},
		{"by other numbers", entries{numbers: []string{"AB1234568"}}, nil, false},
		{"by no number", entries{numbers: []string{}}, nil, false},
		{"by number, which is not known", entries{numbers: []string{"AB1234567", ""}}, func(q *Query) { q.Number = "" }, false},
		{"by dates", entries{first: "20250701000000Z", last: "20261231235959.999Z"}, nil, true},
		{"by dates before", entries{first: "20200701000000Z", last: "20210701000000Z"}, nil, false},
		{"by dates after", entries{first: "20260701000000Z", last: "20270701000000Z"}, nil, false},
		{"by dates, which are not known", entries{first: "20250701000000Z", last: "20261231000000Z"}, func(q *Query) { q.Issued = time.Time{} }, false},
		{"all of the state", entries{}, nil, true},
		{"number right, signer wrong", entries{numbers: []string{"AB1234567"}, signer: byOctets(2, []byte{9})}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.list.oid, c.list.text = deviationType(2, 2), "wrong date of issue"
			c.list.parameter = func(b *cryptobyte.Builder) { b.AddASN1Int64(12) }
			raw := signList(t, by, deviationList(t, c.list), signsDeviations)
			s := store([]*cert.Certificate{ca.cert}, nil, Issuer{Country: "UT", CRL: None})
			if l, err := s.OpenList(raw, now); err != nil || l.Kind != KindDeviations || len(l.Deviations) != 1 {
				t.Fatal(err)
			}
			q := q
			if c.ask != nil {
				c.ask(&q)
			}
			for _, country := range []string{"UT", "VN"} {
				s.adverse = adverse{}
				if err := s.addList(ImportDeviations, raw, &Import{Country: country}, false); err != nil {
					t.Fatal(err)
				}
				r := s.Chain(ds.cert).Judge(q)
				want := c.want && country == "UT" // no state speaks of another's documents
				if got := r.Deviations; (len(got) == 1) != want || want && (got[0].Fault != FaultGroupHash || got[0].Group != 12 || got[0].String() != "group-hash of group 12: wrong date of issue") {
					t.Errorf("%s: %v", country, got)
				}
			}
		})
	}
}

func TestDeviationListsAreRefusedWhole(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	good := deviationList(t, entries{oid: deviationType(1, 2)})
	if _, err := s.OpenList(signList(t, listSigner(t, ca, deviationSigner), good, signsDeviations), now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenList(signList(t, listSigner(t, ca, nil), good, signsDeviations), now); !errors.Is(err, ErrList) {
		t.Error("a signer of master lists signed deviations:", err)
	}
	for i := range good {
		if d, err := parseDeviationList(good[:i]); err == nil || d != nil {
			t.Errorf("cut at %d: %v", i, d)
		}
	}
	for name, bad := range map[string]entries{
		"a group without a number":    {oid: deviationType(2, 1), parameter: func(*cryptobyte.Builder) {}},
		"dates that are none":         {oid: deviationType(2, 1), first: "soon", last: "later"},
		"an issuer that is no name":   {oid: deviationType(2, 1), signer: bySerial(cert.Name{Raw: []byte{0x30, 1, 0}}, big.NewInt(1))},
		"a field that nobody defined": {oid: deviationType(2, 1), signer: byOctets(9, nil)},
	} {
		if _, err := parseDeviationList(deviationList(t, bad)); err == nil {
			t.Error(name)
		}
	}
}

// defectList encodes a DefectList (BSI TR-03129-2 §7).
func defectList(t testing.TB, sid func(*cryptobyte.Builder), digest []byte, oid asn1.ObjectIdentifier) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1})
		b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				sid(b)
				if digest != nil {
					b.AddASN1OctetString(digest)
				}
				b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
				})
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestDefects(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds, other := newSigner(t, ca, nil), newSigner(t, ca, nil)
	by := listSigner(t, ca, deviationSigner)
	sid := func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(ca.cert.Subject.Raw); b.AddASN1BigInt(ds.cert.Serial) })
	}
	digest := sha256.Sum256(ds.cert.Raw)
	for name, content := range map[string][]byte{
		"by issuer and serial":    defectList(t, sid, nil, append(slices.Clone(oidDefectList), 1, 1)),
		"with the digest":         defectList(t, sid, digest[:], append(slices.Clone(oidDefectList), 1, 1)),
		"by the key's identifier": defectList(t, byOctets(0, ds.cert.SubjectKeyID), nil, append(slices.Clone(oidDefectList), 1, 1)),
	} {
		raw := signList(t, by, content, func(m *cms.Message) { m.ContentType = oidDefectList })
		s := store([]*cert.Certificate{ca.cert}, nil, Issuer{Country: "UT", CRL: None})
		if l, err := s.OpenList(raw, now); err != nil || l.Kind != KindDefects || l.Deviations[0].Fault != FaultSignerRevoked {
			t.Fatal(name, err)
		}
		if err := s.addList(ImportDefects, raw, &Import{Country: "UT"}, false); err != nil {
			t.Fatal(err)
		}
		expect(t, s.Chain(ds.cert).Judge(usual()), Revocation, Failed, CertificateRevoked)
		expect(t, s.Chain(other.cert).Judge(usual()), Revocation, Absent, CRLNotPublished)
	}
	wrong := sha256.Sum256(nil)
	list, err := parseDefectList(defectList(t, sid, wrong[:], append(slices.Clone(oidDefectList), 1, 1)))
	if err != nil || list[0].signer.names(ds.cert) {
		t.Error("a digest that differs is passed over:", err)
	}
}

func TestBlockedSigners(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds, other := newSigner(t, ca, nil), newSigner(t, ca, nil)
	by := ds.cert.Fingerprint()
	text := "[[signer]]\nsha256 = \"" + hex.EncodeToString(by[:]) + "\"\nsince = 2026-06-01\nreason = \"key stolen\"\n"
	serial := "[[signer]]\ncountry = \"ut\"\nserial = \"" + ds.cert.Serial.Text(16) + "\"\n"
	for _, b := range []string{text, serial} {
		list, err := parseBlocked([]byte(b))
		if err != nil {
			t.Fatal(err)
		}
		s := store([]*cert.Certificate{ca.cert}, []*cert.CRL{newCRL(t, ca, nil)}, Issuer{Country: "UT"})
		before := s.digest()
		s.adverse.blocked = list
		if s.digest() == before {
			t.Error("the store's digest does not cover blocked signers")
		}
		expect(t, s.Chain(ds.cert).Judge(usual()), Revocation, Failed, SignerBlocked)
		expect(t, s.Chain(other.cert).Judge(usual()), Revocation, Passed, "")
		stranger := store(nil, nil)
		stranger.adverse.blocked = list
		expect(t, stranger.Chain(ds.cert).Judge(usual()), Revocation, Failed, SignerBlocked)
	}
	for _, bad := range []string{
		"[[signer]]\n", "[[signer]]\nsha256=\"00\"\n", "[[signer]]\ncountry=\"VN\"\n", "[[signer]]\ncountry=\"VNM\"\nserial=\"1\"\n",
		"[[signer]]\ncountry=\"VN\"\nserial=\"xyz\"\n", text + "country=\"UT\"\nserial=\"1\"\n", "[[signer]]\nserials=\"1\"\n", "= nonsense",
	} {
		if _, err := parseBlocked([]byte(bad)); err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
}

func FuzzParseBlocked(f *testing.F) {
	f.Add([]byte("[[signer]]\ncountry=\"VN\"\nserial=\"1f\"\nsince=2026-01-01\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseBlocked(b)
		if err != nil && list != nil {
			t.Error("a list with an error")
		}
		for _, s := range list {
			_ = s.String()
		}
	})
}

// TestSpecimenDeviations: what is signed under a test key says nothing of real documents,
// neither in their favour nor against them.
func TestSpecimenDeviations(t *testing.T) {
	c := newCheckpoint(t)
	test, real := newCSCA(t, "SPECIMEN CSCA", nil), newCSCA(t, "CSCA", nil)
	c.lay("test.cer", test.cert.Raw)
	c.lay("csca.cer", real.cert.Raw)
	raw := signList(t, listSigner(t, test, deviationSigner), deviationList(t, entries{oid: deviationType(1, 2)}), signsDeviations)
	_, err := c.offer(raw, nil)
	c.must(err)
	s := c.load()
	q := usual()
	q.Specimen = true
	if r := s.Chain(newSigner(t, real, nil).cert).Judge(q); len(r.Deviations) != 0 {
		t.Error("a test key speaks of real documents:", r.Deviations)
	}
	if r := s.Chain(newSigner(t, test, nil).cert).Judge(q); len(r.Deviations) != 1 {
		t.Error("a test key does not speak of its own:", r.Deviations)
	}
}
