package dh

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"

	"filippo.io/bigmod"
)

// A MODP is the subgroup of prime order in the multiplicative group of a prime field:
// Diffie-Hellman as in RFC 2631. It is a Group and safe for concurrent use.
type MODP struct {
	name     string
	id       int // -1 for none
	p, g, q  *big.Int
	field    *bigmod.Modulus
	order    *bigmod.Modulus
	cofactor []byte // (p-1)/q
	base     *Value
}

// The bounds in bits of the groups that NewMODP takes.
const (
	minMODP, maxMODP   = 1024, 4096
	minOrder, maxOrder = 160, 512
)

// NewMODP returns the group with the prime p and the generator g of the prime order q.
// Parameters of a standardised group give that group. Others must have a p of 1,024 to
// 4,096 bits and a q of 160 to 512, both prime, and a g of that order; all else is
// ErrUnknownCurve. The numbers are public.
func NewMODP(p, g, q *big.Int) (*MODP, error) {
	if p == nil || g == nil || q == nil {
		return nil, ErrUnknownCurve
	}
	for _, known := range modps {
		if m := known(); m.p.Cmp(p) == 0 && m.g.Cmp(g) == 0 && m.q.Cmp(q) == 0 {
			return m, nil
		}
	}
	if n, k := p.BitLen(), q.BitLen(); p.Sign() < 0 || q.Sign() < 0 || n < minMODP || n > maxMODP || k < minOrder || k > maxOrder {
		return nil, fmt.Errorf("prime of %d bits, order of %d: %w", n, k, ErrUnknownCurve)
	}
	key := [3]string{string(p.Bytes()), string(g.Bytes()), string(q.Bytes())}
	if known, ok := judged.Load(key); ok {
		if m := known.(*MODP); m != nil {
			return m, nil
		}
		return nil, fmt.Errorf("no group of prime order: %w", ErrUnknownCurve)
	}
	m, err := newMODP("", -1, p, g, q) // the order of g is told sooner than primes are
	if err == nil && (!q.ProbablyPrime(primality) || !p.ProbablyPrime(primality)) {
		m, err = nil, fmt.Errorf("a number that has to be prime is none: %w", ErrUnknownCurve)
	}
	if judgedCount.Add(1) > maxJudged {
		judged.Clear()
		judgedCount.Store(1)
	}
	judged.Store(key, m)
	return m, err
}

// primality is how many rounds of Miller and Rabin NewMODP plays beside the test of
// Baillie: an attacker is wrong about a number of his own once in 4⁸ tries.
const primality = 8

// judged are the groups that NewMODP has met, nil for what is none, so that a card whose
// keys are read again and again costs their primes once. It forgets all beyond maxJudged.
var (
	judged      sync.Map
	judgedCount atomic.Int32
)

const maxJudged = 32

// MODPByPG returns the standardised group with this prime and generator, else
// ErrUnknownCurve: an encoding without the order (PKCS #3) says too little about any
// other to refuse elements outside its subgroup.
func MODPByPG(p, g *big.Int) (*MODP, error) {
	for _, known := range modps {
		if m := known(); p != nil && g != nil && m.p.Cmp(p) == 0 && m.g.Cmp(g) == 0 {
			return m, nil
		}
	}
	return nil, ErrUnknownCurve
}

// modps are the groups of domain parameters 0 to 2.
var modps = func() (list [len(modpNumbers)]func() *MODP) {
	for id, n := range modpNumbers {
		list[id] = sync.OnceValue(func() *MODP {
			m, err := newMODP(n.name, id, integer(n.p), integer(n.g), integer(n.q))
			if err != nil {
				panic("dh: group " + n.name)
			}
			return m
		})
	}
	return list
}()

func integer(digits string) *big.Int {
	b, _ := hex.DecodeString(digits)
	return new(big.Int).SetBytes(b)
}

func newMODP(name string, id int, p, g, q *big.Int) (*MODP, error) {
	one := big.NewInt(1)
	cofactor, rest := new(big.Int).DivMod(new(big.Int).Sub(p, one), q, new(big.Int))
	if rest.Sign() != 0 || g.Cmp(one) <= 0 || g.Cmp(p) >= 0 || new(big.Int).Exp(g, q, p).Cmp(one) != 0 {
		return nil, fmt.Errorf("the generator has not the order: %w", ErrUnknownCurve)
	}
	m := &MODP{name: name, id: id, p: p, g: g, q: q, cofactor: cofactor.Bytes()}
	var err error
	if m.field, err = bigmod.NewModulus(p.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownCurve, err)
	}
	if m.order, err = bigmod.NewModulus(q.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownCurve, err)
	}
	if name == "" {
		m.name = fmt.Sprintf("%d-bit MODP with %d-bit subgroup", p.BitLen(), q.BitLen())
	}
	n, err := bigmod.NewNat().SetBytes(g.FillBytes(make([]byte, m.Size())), m.field)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownCurve, err)
	}
	m.base = &Value{m, n}
	return m, nil
}

// Name returns the group's name as RFC 5114 writes it.
func (m *MODP) Name() string { return m.name }

// String returns the name.
func (m *MODP) String() string { return m.name }

// ID returns the standardised domain parameter id of TR-03110-3 table 4, if there is one.
func (m *MODP) ID() (int, bool) { return m.id, m.id >= 0 }

// Bits is the length of the prime.
func (m *MODP) Bits() int { return m.p.BitLen() }

// Size returns the octets of the prime, of an element and of a shared secret.
func (m *MODP) Size() int { return m.field.Size() }

// OrderSize returns the octets of a private key.
func (m *MODP) OrderSize() int { return m.order.Size() }

// Parameters returns the prime, the generator and its order, in numbers of the caller's.
func (m *MODP) Parameters() (p, g, q *big.Int) {
	return new(big.Int).Set(m.p), new(big.Int).Set(m.g), new(big.Int).Set(m.q)
}

// Base returns the generator.
func (m *MODP) Base() Element { return m.base }

// Generate makes a key on the generator.
func (m *MODP) Generate() (*Exponent, error) { return generateExponent(m.base) }

// ParseElement reads an unsigned integer in at most Size octets, with or without leading
// zeros, that is an element of the subgroup other than 1, else ErrPoint. So 0, 1, p-1 and
// what is not below p are refused.
func (m *MODP) ParseElement(b []byte) (Element, error) {
	v, err := m.ParseValue(b)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// ParseValue is ParseElement.
func (m *MODP) ParseValue(b []byte) (*Value, error) {
	if len(b) > m.Size() {
		return nil, ErrPoint
	}
	n, err := bigmod.NewNat().SetBytes(append(make([]byte, m.Size()-len(b)), b...), m.field)
	if err != nil {
		return nil, ErrPoint
	}
	inside := bigmod.NewNat().Exp(n, m.q.Bytes(), m.field)
	if n.IsOne() == 1 || inside.IsOne() == 0 {
		return nil, ErrPoint
	}
	return &Value{m, n}, nil
}

// MapGeneric returns g^s · h (Doc 9303-11 §4.4.3.3.1). Errors: ErrCurve, and ErrInfinity
// if h was chosen against the nonce.
func (m *MODP) MapGeneric(nonce []byte, h Element) (Element, error) {
	v, ok := h.(*Value)
	if !ok || v.group != m {
		return nil, ErrCurve
	}
	r := bigmod.NewNat().Exp(m.base.n, nonce, m.field)
	return m.element(r.Mul(v.n, m.field))
}

// MapIntegrated returns x^a with a = (p-1)/q (Doc 9303-11 §4.4.3.3.2): x is random mod p.
func (m *MODP) MapIntegrated(random []byte) (Element, error) {
	x := m.reduce(random, m.field)
	return m.element(bigmod.NewNat().Exp(x, m.cofactor, m.field))
}

// element takes a computed number for an element, unless it is 0 or 1.
func (m *MODP) element(n *bigmod.Nat) (Element, error) {
	if n.IsOne()|n.IsZero() == 1 {
		return nil, ErrInfinity
	}
	return &Value{m, n}, nil
}

// reduce returns the number b mod a modulus. Time depends on the length of b only.
func (m *MODP) reduce(b []byte, mod *bigmod.Modulus) *bigmod.Nat {
	word := make([]byte, mod.Size())
	word[mod.Size()-2] = 1
	shift, _ := bigmod.NewNat().SetBytes(word, mod) // 256, below every modulus here
	clear(word)
	sum, _ := bigmod.NewNat().SetBytes(word, mod)
	digit := bigmod.NewNat()
	for _, v := range b {
		word[mod.Size()-1] = v
		digit, _ = digit.SetBytes(word, mod)
		sum.Mul(shift, mod)
		sum.Add(digit, mod)
	}
	return sum
}

// Value is an element of a MODP group, never 0 or 1. It doesn't change and is safe for
// concurrent use. Printing shows its group only, for it may be a shared secret.
type Value struct {
	group *MODP
	n     *bigmod.Nat
}

// Group returns MODP.
func (v *Value) Group() Group { return v.group }

// MODP returns the group.
func (v *Value) MODP() *MODP { return v.group }

// Bytes returns the integer in as few octets as hold it: in a data object no octet 00 may
// stand in front (Doc 9303-11 §9.4.1, TR-03110-3 §D.2.1.1).
func (v *Value) Bytes() []byte {
	b := v.octets()
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// octets returns the integer in Size octets.
func (v *Value) octets() []byte { return v.n.Bytes(v.group.field) }

// Equal reports whether other is a *Value of the same group and number. Time does not
// depend on the numbers.
func (v *Value) Equal(other crypto.PublicKey) bool {
	w, ok := other.(*Value)
	return ok && w != nil && v.group.same(w.group) && v.n.Equal(w.n) == 1
}

// same compares groups that no table holds.
func (m *MODP) same(o *MODP) bool {
	return m == o || m.p.Cmp(o.p) == 0 && m.g.Cmp(o.g) == 0 && m.q.Cmp(o.q) == 0
}

// Format writes the name of the group, whatever the verb.
func (v *Value) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "element of %s", v.group.name) }
