package cert

import (
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/dh"
)

// The algorithms of Diffie-Hellman keys: dhpublicnumber of ANSI X9.42 (RFC 3279 §2.3.3),
// which Doc 9303-11 §9.2.6 asks for, and that of PKCS #3, which chips name in its place.
var (
	oidDH    = asn1.ObjectIdentifier{1, 2, 840, 10046, 2, 1}
	oidPKCS3 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 3, 1}
)

// parseDH reads the parameters and the INTEGER of a key. Parameters without the order of
// the generator are taken for a standardised group or not at all.
func parseDH(id AlgorithmIdentifier, bits []byte) (*dh.Value, error) {
	params := cryptobyte.String(id.Parameters)
	var s cryptobyte.String
	if !params.ReadASN1(&s, tags.SEQUENCE) || !params.Empty() {
		return nil, malformed("Diffie-Hellman parameters")
	}
	p, _, ok1 := readInteger(&s)
	g, _, ok2 := readInteger(&s)
	if !ok1 || !ok2 {
		return nil, malformed("Diffie-Hellman parameters")
	}
	var group *dh.MODP
	var err error
	if id.OID.Equal(oidPKCS3) {
		group, err = dh.MODPByPG(p, g) // a length of private keys may follow
	} else {
		q, _, ok := readInteger(&s) // j and a seed may follow
		if !ok {
			return nil, malformed("Diffie-Hellman parameters")
		}
		group, err = dh.NewMODP(p, g, q)
	}
	if err != nil {
		return nil, badKey("Diffie-Hellman: %v", err)
	}
	return ParseValue(group, bits)
}

// ParseValue reads the INTEGER in the BIT STRING of a Diffie-Hellman key of a group.
// Errors wrap ErrKey or ErrMalformed.
func ParseValue(group *dh.MODP, bits []byte) (*dh.Value, error) {
	s := cryptobyte.String(bits)
	y, _, ok := readInteger(&s)
	if !ok || !s.Empty() || y.Sign() < 0 || y.BitLen() > 8*group.Size() {
		return nil, malformed("Diffie-Hellman key")
	}
	v, err := group.ParseValue(y.FillBytes(make([]byte, group.Size())))
	if err != nil {
		return nil, badKey("Diffie-Hellman: %v", err)
	}
	return v, nil
}

// marshalDH writes a key with dhpublicnumber.
func marshalDH(v *dh.Value) ([]byte, error) {
	p, g, q := v.MODP().Parameters()
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, oidDH)
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, n := range []*big.Int{p, g, q} {
					b.AddASN1BigInt(n)
				}
			})
		})
		b.AddASN1(tags.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			b.AddASN1BigInt(new(big.Int).SetBytes(v.Bytes()))
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, badKey("%v", err)
	}
	return der, nil
}
