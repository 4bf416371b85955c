package dh

import (
	"crypto"
	"slices"
)

// PseudonymGroup is what chips of a group share for pseudonymous signatures with ECSchnorr
// (TR-03110-2 §3.1.6.1): the key of the group's manager, in the standard PK_M, and that of
// the group, PK_ICC, which is in many chips.
type PseudonymGroup struct {
	Manager, Group *Point
}

// Pseudonyms are the points that a chip is known by in one sector. Either may be nil, and
// is then no part of a signature.
type Pseudonyms [2]*Point

// PseudonymKey is a chip's own pair of keys, SK_ICC,1 and SK_ICC,2. It keeps its secrets as a
// PrivateKey does.
type PseudonymKey struct {
	manager  *Point
	one, two *PrivateKey
}

// NewPseudonymKey makes a chip's pair over a manager's key. It takes over both keys, which
// are on the generator of the manager's curve; else it is ErrCurve.
func NewPseudonymKey(manager *Point, one, two *PrivateKey) (*PseudonymKey, error) {
	if manager == nil || one.base.curve != manager.curve || two.base.curve != manager.curve {
		return nil, ErrCurve
	}
	return &PseudonymKey{manager, one, two}, nil
}

// Curve returns the curve of all keys.
func (k *PseudonymKey) Curve() *Curve { return k.manager.curve }

// Parts returns the manager's key and the chip's two, for a keystore.
func (k *PseudonymKey) Parts() (manager *Point, one, two *PrivateKey) { return k.manager, k.one, k.two }

// Group returns what the chip shares with its group: SK_1·G + SK_2·PK_M is the key of all.
// Errors: ErrInfinity, ErrDestroyed.
func (k *PseudonymKey) Group() (PseudonymGroup, error) {
	second, err := k.two.Multiply(k.manager)
	if err != nil {
		return PseudonymGroup{}, err
	}
	group, err := k.one.point.plus(second)
	return PseudonymGroup{Manager: k.manager, Group: group}, err
}

// Destroy forgets the keys.
func (k *PseudonymKey) Destroy() {
	k.one.Destroy()
	k.two.Destroy()
}

// Pseudonyms returns those that are wanted, of a sector. Errors: ErrCurve, ErrDestroyed.
func (k *PseudonymKey) Pseudonyms(sector *Point, want [2]bool) (ids Pseudonyms, err error) {
	for i, key := range []*PrivateKey{k.one, k.two} {
		if want[i] && err == nil {
			ids[i], err = key.Multiply(sector)
		}
	}
	return ids, err
}

// Sign is the function PSign (TR-03110-2 §3.1.6.2): a signature of message under the
// pseudonyms in the sector, as c‖s1‖s2 of the length of the hash and twice that of the
// order. info is the DER object identifier of the protocol. Errors: ErrCurve, ErrDestroyed.
func (k *PseudonymKey) Sign(h crypto.Hash, sector *Point, ids Pseudonyms, info, message []byte) ([]byte, error) {
	for {
		sig, err := k.signOnce(h, sector, ids, info, message)
		if sig != nil || err != nil {
			return sig, err
		}
	}
}

// signOnce gives nothing where a number came out as zero.
func (k *PseudonymKey) signOnce(h crypto.Hash, sector *Point, ids Pseudonyms, info, message []byte) ([]byte, error) {
	first, err := k.Curve().Generate()
	if err != nil {
		return nil, err
	}
	defer first.Destroy()
	second, err := k.Curve().Generate()
	if err != nil {
		return nil, err
	}
	defer second.Destroy()
	other, err := second.Multiply(k.manager)
	if err != nil {
		return nil, err
	}
	q, err := first.point.plus(other)
	if err != nil {
		return nil, nil // infinity: once more
	}
	var witnesses Pseudonyms
	for i, nonce := range []*PrivateKey{first, second} {
		if ids[i] == nil {
			continue
		}
		if witnesses[i], err = nonce.Multiply(sector); err != nil {
			return nil, err
		}
	}
	c := witness(h, q, ids, witnesses, sector, info, message)
	s1, err := k.one.assign(first, c)
	if err != nil {
		return nil, err
	}
	s2, err := k.two.assign(second, c)
	if s1 == nil || s2 == nil || err != nil {
		return nil, err
	}
	return slices.Concat(c, s1, s2), nil
}

// assign returns nonce - c·k mod the order in OrderSize octets, nil for zero or if c is.
func (k *PrivateKey) assign(nonce *PrivateKey, c []byte) ([]byte, error) {
	if k.scalar == nil {
		return nil, ErrDestroyed
	}
	order := k.base.curve.group.order
	var e, x element
	order.reduce(&e, c)
	if isZero(&e) == 1 {
		return nil, nil
	}
	order.enter(&e, &e)
	order.mul(&x, &e, k.scalar)
	order.sub(&x, nonce.scalar, &x)
	if isZero(&x) == 1 {
		return nil, nil
	}
	return order.bytes(&x), nil
}

// VerifyPseudonym is the function PVerify (TR-03110-2 §3.1.6.2): it reports whether sig is a
// signature of message by a chip of the group that is known by ids in the sector. Without
// any pseudonym it is none.
func VerifyPseudonym(g PseudonymGroup, h crypto.Hash, sector *Point, ids Pseudonyms, info, message, sig []byte) bool {
	if g.Manager == nil || g.Group == nil || sector == nil || ids == (Pseudonyms{}) {
		return false
	}
	curve := g.Manager.curve
	for _, p := range []*Point{g.Group, sector, ids[0], ids[1]} {
		if p != nil && p.curve != curve {
			return false
		}
	}
	size := curve.OrderSize()
	if len(sig) != h.Size()+2*size {
		return false
	}
	c := sig[:h.Size()]
	var e, s1, s2 element
	order := curve.group.order
	if order.setBytes(&s1, sig[len(c):len(c)+size])&order.setBytes(&s2, sig[len(c)+size:]) == 0 || isZero(&s1)|isZero(&s2) == 1 {
		return false
	}
	if order.reduce(&e, c); isZero(&e) == 1 {
		return false
	}
	q, ok := sum(term{g.Group, &e}, term{curve.generator, &s1}, term{g.Manager, &s2})
	if !ok {
		return false
	}
	var witnesses Pseudonyms
	for i, s := range []*element{&s1, &s2} {
		if ids[i] == nil {
			continue
		}
		if witnesses[i], ok = sum(term{ids[i], &e}, term{sector, s}); !ok {
			return false
		}
	}
	return slices.Equal(c, witness(h, q, ids, witnesses, sector, info, message))
}

// witness is the hash of a pseudonymous signature, over x coordinates in full length
// (TR-03110-3 §A.6.4).
func witness(h crypto.Hash, q *Point, ids, witnesses Pseudonyms, sector *Point, info, message []byte) []byte {
	d := h.New()
	d.Write(q.X())
	for i, id := range ids {
		if id != nil {
			d.Write(id.X())
			d.Write(witnesses[i].X())
		}
	}
	d.Write(sector.X())
	d.Write(info)
	d.Write(message)
	return d.Sum(nil)
}

type term struct {
	p *Point
	s *element
}

// sum returns the sum of s·p over the terms, false for infinity.
func sum(terms ...term) (*Point, bool) {
	g := &terms[0].p.curve.group
	total := g.infinity()
	for _, t := range terms {
		var r projective
		g.multiply(&r, t.p.projective(), t.s)
		g.add(&total, &total, &r)
	}
	p, err := terms[0].p.curve.newPoint(&total)
	return p, err == nil
}

// plus returns p + q of one curve; their sum is not secret. Error: ErrInfinity.
func (p *Point) plus(q *Point) (*Point, error) {
	var r projective
	p.curve.group.add(&r, p.projective(), q.projective())
	return p.curve.newPoint(&r)
}
