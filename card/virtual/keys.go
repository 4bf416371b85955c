package virtual

import (
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
)

// keyUse is what a chip does with a key that it was given, beside the pairs that it made.
type keyUse byte

const (
	useAgreement  keyUse = iota + 1 // Chip Authentication, and its mapping
	useRestricted                   // Restricted Identification
	useActive                       // Active Authentication with RSA
	usePseudonym                    // Chip Authentication version 3
)

// given is a key that the chip was given: for useActive the modulus and private exponent of
// an RSA key, else a secret.
type given struct {
	use    keyUse
	secret dh.Secret
	name   auth.ChipAuthSecret // protocol and identifier, for useRestricted
	rsa    *rsa.PrivateKey
	hash   crypto.Hash // with rsa
	group3 *dh.PseudonymKey
}

func (g given) destroy() {
	if g.secret != nil {
		g.secret.Destroy()
	}
	if g.group3 != nil {
		g.group3.Destroy()
	}
}

// ownGroup stands for domain parameters that have no standardised id.
const ownGroup = 0xFF

// errKey says that a chip can't hold a key.
var errKey = errors.New("a key of a kind that the chip can't hold")

// keyRecord is the record of a given key: its use, and its hash, modulus and
// private exponent, or (for useRestricted its protocol and identifier,) its group and
// scalar, or for usePseudonym what pseudonymRecord says.
func keyRecord(g given) (record, error) {
	b := []byte{byte(g.use)}
	if g.use == useActive {
		n := g.rsa.N.Bytes()
		b = append(binary.BigEndian.AppendUint16(append(b, byte(g.hash)), uint16(len(n))), n...)
		return record{recKey, append(b, g.rsa.D.Bytes()...)}, nil
	}
	if g.use == usePseudonym {
		return pseudonymRecord(g)
	}
	if g.use == useRestricted {
		der, err := asn1.Marshal(g.name.Protocol)
		if err != nil {
			return record{}, fmt.Errorf("chip key: %w", err)
		}
		var id []byte
		if g.name.KeyID != nil {
			id = g.name.KeyID.FillBytes(make([]byte, 8))
		}
		b = append(append(b, byte(len(der))), der...)
		b = append(append(b, byte(len(id))), id...)
	}
	scalar, ok := g.secret.(interface{ Bytes() []byte })
	if !ok {
		return record{}, fmt.Errorf("%T: %w", g.secret, errKey)
	}
	group := g.secret.Element().Group()
	if id, ok := group.ID(); ok {
		b = append(b, byte(id))
	} else if m, ok := group.(*dh.MODP); ok {
		p, gen, q := m.Parameters()
		b = append(b, ownGroup)
		for _, n := range []*big.Int{p, gen, q} {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(n.Bytes()))), n.Bytes()...)
		}
	} else {
		return record{}, fmt.Errorf("chip key on %s: %w", group.Name(), dh.ErrUnknownCurve)
	}
	return record{recKey, append(b, scalar.Bytes()...)}, nil
}

// applyKey reads what keyRecord wrote.
func (m *image) applyKey(b *fields) {
	g := given{use: keyUse(b.octet())}
	var err error
	switch g.use {
	case useActive:
		g.hash = crypto.Hash(b.octet())
		g.rsa = &rsa.PrivateKey{}
		g.rsa.N = new(big.Int).SetBytes(b.take(int(b.u16())))
		g.rsa.D = new(big.Int).SetBytes(b.rest())
	case usePseudonym:
		err = g.readPseudonym(b)
	case useAgreement, useRestricted:
		if g.use == useRestricted {
			_, err = asn1.Unmarshal(b.take(int(b.octet())), &g.name.Protocol)
			if id := b.take(int(b.octet())); len(id) > 0 {
				g.name.KeyID = new(big.Int).SetBytes(id)
			}
			if err != nil {
				break
			}
		}
		var group dh.Group
		if group, err = b.group(); err == nil {
			scalar := b.rest()
			defer clear(scalar)
			g.secret, err = dh.NewSecret(group.Base(), scalar)
		}
	default:
		err = errKey
	}
	if err != nil {
		b.ok = false
		return
	}
	m.given = append(m.given, g)
}

func (f *fields) group() (dh.Group, error) {
	id := f.octet()
	if id != ownGroup {
		return dh.GroupByID(int(id))
	}
	var n [3]*big.Int
	for i := range n {
		n[i] = new(big.Int).SetBytes(f.take(int(f.u16())))
	}
	return dh.NewMODP(n[0], n[1], n[2])
}

// agreements are the chip's keys of Chip Authentication: its own pair and those given.
func (m *image) agreements() []dh.Secret {
	var out []dh.Secret
	if p := m.pairs[gp.KeyCA]; p != nil {
		out = append(out, p.key)
	}
	for _, g := range m.given {
		if g.use == useAgreement {
			out = append(out, g.secret)
		}
	}
	return out
}

// holder returns the agreement key that the chip answers with for a public key of DG14: its
// private key, or with a counterfeit chip another one in its group; nil if there is none.
func (m *image) holder(pub dh.Element) dh.Secret {
	var substitute dh.Secret
	for _, k := range m.agreements() {
		if k.Element().Equal(pub) {
			return k
		}
		if k.Element().Group() == pub.Group() {
			substitute = k
		}
	}
	return substitute
}
