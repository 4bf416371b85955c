package verify

import (
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// signedParts is a SOD cut into what can be put together anew without its signer.
type signedParts struct {
	version, digests, content []byte // version, digestAlgorithms, encapContentInfo
	certificates              [][]byte
	signer                    [][]byte // children of the SignerInfo
}

func cutSOD(t *testing.T, sod []byte) signedParts {
	t.Helper()
	var p signedParts
	one := func(path ...int) []byte {
		for _, e := range elements(sod) {
			if slices.Equal(e.path, path) {
				return sod[e.start:e.end]
			}
		}
		return nil
	}
	p.version, p.digests, p.content = one(0, 0, 1, 0, 0), one(0, 0, 1, 0, 1), one(0, 0, 1, 0, 2)
	for i := 0; ; i++ {
		c := one(0, 0, 1, 0, 3, i)
		if c == nil {
			break
		}
		p.certificates = append(p.certificates, c)
	}
	for i := 0; ; i++ {
		c := one(0, 0, 1, 0, 4, 0, i)
		if c == nil {
			break
		}
		p.signer = append(p.signer, c)
	}
	if p.content == nil || len(p.certificates) != 1 || len(p.signer) != 6 {
		t.Fatalf("no SOD: %d certificates, %d parts of the signer", len(p.certificates), len(p.signer))
	}
	return p
}

// joined encodes the parts. Where indefinite is set the outer structures have no length.
func (p signedParts) joined(indefinite bool) []byte {
	wrap := func(tag byte, parts ...[]byte) []byte {
		content := slices.Concat(parts...)
		if indefinite && tag&0x20 != 0 {
			return slices.Concat([]byte{tag, 0x80}, content, []byte{0, 0})
		}
		var b cryptobyte.Builder
		b.AddASN1(tags.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(content) })
		return b.BytesOrPanic()
	}
	oid, _ := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
	data := wrap(0x30, p.version, p.digests, p.content, wrap(0xa0, p.certificates...), wrap(0x31, wrap(0x30, p.signer...)))
	return lds.WrapSOD(wrap(0x30, oid, wrap(0xa0, data)))
}

// chunked cuts the eContent into octet strings of that size.
func chunked(t *testing.T, content []byte, size int) []byte {
	t.Helper()
	s := cryptobyte.String(content)
	var info, oid, explicit, octets cryptobyte.String
	if !s.ReadASN1(&info, tags.SEQUENCE) || !info.ReadASN1Element(&oid, tags.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&explicit, tags.Tag(0xa0)) || !explicit.ReadASN1(&octets, tags.OCTET_STRING) {
		t.Fatal("no content")
	}
	var chunks []byte
	for c := range slices.Chunk([]byte(octets), size) {
		b, _ := asn1.Marshal(c)
		chunks = append(chunks, b...)
	}
	return slices.Concat([]byte{0x30, 0x80}, oid, []byte{0xa0, 0x80, 0x24, 0x80}, chunks, make([]byte, 6))
}

// otherSignature turns (r, s) into (r, n−s), which verifies as well.
func otherSignature(t *testing.T, signature []byte) []byte {
	t.Helper()
	var octets []byte
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &octets); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(octets, &rs); err != nil {
		t.Fatal(err)
	}
	rs.S.Sub(dh.P256().Parameters().N, rs.S)
	b, err := asn1.Marshal(rs)
	if err != nil {
		t.Fatal(err)
	}
	b, _ = asn1.Marshal(b)
	return b
}

// TestMalleabilityTrial changes what no signature covers of a card that is revoked, in
// both ways of revoking: it stays revoked.
func TestMalleabilityTrial(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	stranger := newOffice(t, "CSCA 2")
	base := cutSOD(t, s.files[lds.SODFile])
	unsigned := unhex(t, "a10d300b06032a0304310404026162") // [1] { { 1.2.3.4, { 'ab'O } } }
	ways := []struct {
		name   string
		change func(p *signedParts) []byte // nil: joined as changed
	}{
		{"as issued", func(p *signedParts) []byte { return nil }},
		{"(r, n−s)", func(p *signedParts) []byte { p.signer[5] = otherSignature(t, p.signer[5]); return nil }},
		{"indefinite lengths", func(p *signedParts) []byte { return p.joined(true) }},
		{"eContent in chunks of 7", func(p *signedParts) []byte { p.content = chunked(t, p.content, 7); return p.joined(true) }},
		{"eContent in chunks of 1", func(p *signedParts) []byte { p.content = chunked(t, p.content, 1); return p.joined(true) }},
		{"an unsigned attribute more", func(p *signedParts) []byte { p.signer = append(p.signer, unsigned); return nil }},
		{"a certificate more", func(p *signedParts) []byte {
			p.certificates = append(p.certificates, stranger.cscaCert.Raw)
			return nil
		}},
		{"certificates in another order", func(p *signedParts) []byte {
			p.certificates = [][]byte{stranger.cscaCert.Raw, p.certificates[0]}
			return nil
		}},
		{"the certificate twice", func(p *signedParts) []byte { p.certificates = append(p.certificates, p.certificates[0]); return nil }},
		{"no certificate, the signer's in the trust folder", func(p *signedParts) []byte { p.certificates = nil; return nil }},
	}
	var table strings.Builder
	for _, w := range ways {
		p := base
		p.signer, p.certificates = slices.Clone(base.signer), slices.Clone(base.certificates)
		sod := w.change(&p)
		if sod == nil {
			sod = p.joined(false)
		}
		files := maps.Clone(s.files)
		files[lds.SODFile] = sod
		row := []string{w.name}
		for _, how := range []string{"sound", "card", "signer"} {
			opts := o.options("archive")
			extra := []pki.Material{{Cert: o.cscaCert, Source: "csca.cer"}, {Cert: o.certificate(o.dsTemplate), Source: "ds.cer"}}
			crl := o.crl
			switch how {
			case "card":
				opts.Status = revoked{sha256.Sum256(contentOf(t, s.files[lds.SODFile]))}
				opts.Policy.Need = append(slices.Clone(opts.Policy.Need), InForce)
			case "signer":
				crl = o.list(2)
			}
			opts.Trust = pki.NewStore(extra, []*cert.CRL{crl}, []pki.Issuer{{Country: "VN", Status: map[bool]pki.Requirement{true: pki.Required, false: pki.None}[how == "card"]}})
			r := judgeOne(t, files, opts)
			said := fmt.Sprintf("%v", r.Verdict)
			want := map[string]Reason{"card": ReasonCardRevoked, "signer": ReasonSignerRevoked}[how]
			if want != "" {
				said += ", " + string(want)
				if r.Verdict != Refuse || !slices.Contains(r.Reasons(), want) {
					t.Errorf("%s, %s revoked: %v %v", w.name, how, r.Verdict, r.Reasons())
				}
			} else if r.Verdict == Refuse {
				t.Errorf("%s: %v: the way of changing is no trial", w.name, r.Reasons())
			}
			row = append(row, said)
		}
		fmt.Fprintf(&table, "| %s |\n", strings.Join(row, " | "))
	}
	trial(t, "Malleability", "What no signature covers is changed on a card; it stays the same card, and revoked where it is.\n\n| changed | not revoked | card revoked by its name | signer revoked by a list |\n|---|---|---|---|\n"+table.String())
}

// contentOf is the LDSSecurityObject whose hash names the card.
func contentOf(t *testing.T, sod []byte) []byte {
	t.Helper()
	x, err := lds.ParseSOD(sod)
	if err != nil {
		t.Fatal(err)
	}
	return x.Signed.Content
}

// revoked is a source that knows one revoked card by its name.
type revoked struct{ id CardID }

func (r revoked) Status(_ context.Context, c CardRef) (StatusAnswer, error) {
	state := StateUnknown
	if c.ID == r.id {
		state = StateRevoked
	}
	return StatusAnswer{State: state, AsOf: judged, Exact: true}, nil
}
