package cert

import (
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/dh"
)

var oidPrimeField = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}

// maxFieldOctets bounds explicit parameters; the largest known field has 66 octets.
const maxFieldOctets = 80

// parseCurve reads ECParameters (X9.62): a name, or parameters that must in all values
// be those of a known curve. A generator of one's own choosing makes any public key
// one's own (CVE-2020-0601), so comparing less would be no check.
func (f *findings) parseCurve(parameters []byte) (curve *dh.Curve, explicit bool, err error) {
	s := cryptobyte.String(parameters)
	if s.PeekASN1Tag(tags.OBJECT_IDENTIFIER) {
		var oid asn1.ObjectIdentifier
		if !ReadOID(&s, &oid) || !s.Empty() {
			return nil, false, malformed("curve name")
		}
		if curve, err = dh.ByOID(oid); err != nil {
			return nil, false, badKey("curve %v: %v", oid, err)
		}
		return curve, false, nil
	}
	p, err := f.readParameters(s)
	if err != nil {
		return nil, true, err
	}
	if curve, err = dh.ByParameters(p); err != nil {
		return nil, true, badKey("explicit domain parameters: %v", err)
	}
	return curve, true, nil
}

func (f *findings) readParameters(s cryptobyte.String) (dh.Parameters, error) {
	var content, field, coefficients, generator, seed cryptobyte.String
	var oid asn1.ObjectIdentifier
	var a, b cryptobyte.String
	bad := malformed("curve parameters")
	if !s.ReadASN1(&content, tags.SEQUENCE) || !s.Empty() {
		return dh.Parameters{}, bad
	}
	if _, ok := readSmall(&content, 3); !ok || !content.ReadASN1(&field, tags.SEQUENCE) || !ReadOID(&field, &oid) {
		return dh.Parameters{}, bad
	}
	if !oid.Equal(oidPrimeField) {
		return dh.Parameters{}, badKey("field type %v", oid)
	}
	p, _, ok := readInteger(&field)
	if !ok || !field.Empty() || !content.ReadASN1(&coefficients, tags.SEQUENCE) ||
		!coefficients.ReadASN1(&a, tags.OCTET_STRING) || !coefficients.ReadASN1(&b, tags.OCTET_STRING) ||
		!coefficients.SkipOptionalASN1(tags.BIT_STRING) || !coefficients.Empty() ||
		!content.ReadASN1(&generator, tags.OCTET_STRING) {
		return dh.Parameters{}, bad
	}
	n, _, ok := readInteger(&content)
	if !ok {
		return dh.Parameters{}, bad
	}
	h := 1
	if content.PeekASN1Tag(tags.INTEGER) {
		if h, ok = readSmall(&content, 1<<30); !ok {
			return dh.Parameters{}, bad
		}
	} else {
		f.note(DefectCofactor, "public key")
	}
	if !content.ReadOptionalASN1(&seed, nil, tags.SEQUENCE) || !content.Empty() { // X9.62 version 3: hash of the seed
		return dh.Parameters{}, bad
	}
	if p.BitLen() > 8*maxFieldOctets || n.BitLen() > 8*maxFieldOctets || len(a) > maxFieldOctets ||
		len(b) > maxFieldOctets || len(generator) > 2*maxFieldOctets+1 {
		return dh.Parameters{}, badKey("curve parameters are too large")
	}
	params := dh.Parameters{P: p, A: new(big.Int).SetBytes(a), B: new(big.Int).SetBytes(b), N: n, H: h}
	params.Gx, params.Gy, ok = readGenerator(params, generator)
	if !ok {
		return dh.Parameters{}, badKey("generator")
	}
	return params, nil
}

// readGenerator takes the uncompressed form, and the compressed one if the curve is
// known: then its y is the one that the parity names.
func readGenerator(p dh.Parameters, g []byte) (x, y *big.Int, ok bool) {
	size := (p.P.BitLen() + 7) / 8
	switch {
	case len(g) == 1+2*size && g[0] == 4:
		return new(big.Int).SetBytes(g[1 : 1+size]), new(big.Int).SetBytes(g[1+size:]), true
	case len(g) == 1+size && (g[0] == 2 || g[0] == 3):
		x = new(big.Int).SetBytes(g[1:])
		for _, c := range knownCurves() {
			k := c.Parameters()
			if k.P.Cmp(p.P) == 0 && k.Gx.Cmp(x) == 0 && k.Gy.Bit(0) == uint(g[0]&1) {
				return x, k.Gy, true
			}
		}
	}
	return nil, nil, false
}

func knownCurves() []*dh.Curve {
	return []*dh.Curve{
		dh.P192(), dh.P224(), dh.P256(), dh.P384(), dh.P521(), dh.BrainpoolP192r1(), dh.BrainpoolP224r1(),
		dh.BrainpoolP256r1(), dh.BrainpoolP320r1(), dh.BrainpoolP384r1(), dh.BrainpoolP512r1(),
	}
}

// curveByName maps the names of crypto/elliptic.
func curveByName(name string) (*dh.Curve, error) {
	switch name {
	case "P-224":
		return dh.P224(), nil
	case "P-256":
		return dh.P256(), nil
	case "P-384":
		return dh.P384(), nil
	case "P-521":
		return dh.P521(), nil
	}
	return nil, badKey("curve %q", name)
}

// addParameters writes SpecifiedECDomain, version 1: uncompressed generator, cofactor.
func addParameters(b *cryptobyte.Builder, c *dh.Curve) {
	p := c.Parameters()
	octets := func(n *big.Int) []byte { return n.FillBytes(make([]byte, c.Size())) }
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, oidPrimeField)
			b.AddASN1BigInt(p.P)
		})
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(octets(p.A))
			b.AddASN1OctetString(octets(p.B))
		})
		b.AddASN1OctetString(c.Generator().Bytes())
		b.AddASN1BigInt(p.N)
		b.AddASN1Int64(int64(p.H))
	})
}
