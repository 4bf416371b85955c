package dh

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"

	"filippo.io/bigmod"
)

// Exponent is a private key of a MODP group with its base. It must not be copied. It is
// never printed, logged or marshalled; its owner calls Destroy, after which it only gives
// its public key. Until then it is safe for concurrent use.
type Exponent struct {
	_      noCopy
	base   *Value
	public *Value
	x      []byte // OrderSize octets; nil when destroyed
}

// NewExponent makes a key on the generator from an unsigned exponent of at most Size octets,
// which counts modulo the order q of the subgroup: others draw it below p-1 (RFC 2631
// §2.2). A longer one and a multiple of q are ErrScalar. It keeps a copy.
func (m *MODP) NewExponent(x []byte) (*Exponent, error) { return newExponent(m.base, x) }

func generateExponent(base *Value) (*Exponent, error) {
	m := base.group
	// 128 bits more than the order leave no bias.
	random := make([]byte, m.OrderSize()+16)
	defer clear(random)
	rand.Read(random) // never fails
	x := m.reduce(random, m.order).Bytes(m.order)
	defer clear(x)
	return newExponent(base, x)
}

func newExponent(base *Value, x []byte) (*Exponent, error) {
	m := base.group
	if len(x) > m.Size() {
		return nil, ErrScalar
	}
	n := m.reduce(x, m.order)
	if n.IsZero() == 1 {
		return nil, ErrScalar
	}
	k := &Exponent{base: base, x: n.Bytes(m.order)}
	k.public = &Value{m, bigmod.NewNat().Exp(base.n, k.x, m.field)}
	return k, nil
}

// Value returns the public key.
func (k *Exponent) Value() *Value { return k.public }

// Element returns Value.
func (k *Exponent) Element() Element { return k.public }

// Bytes returns the exponent in OrderSize octets, for a keystore, which wipes them. It is
// nil after Destroy.
func (k *Exponent) Bytes() []byte { return append([]byte(nil), k.x...) }

// Combine returns peer to the power of the key. Errors: ErrCurve, ErrDestroyed.
func (k *Exponent) Combine(peer Element) (Element, error) {
	v, ok := peer.(*Value)
	switch {
	case k.x == nil:
		return nil, ErrDestroyed
	case !ok || v == nil || !v.group.same(k.base.group):
		return nil, ErrCurve
	}
	m := k.base.group
	return m.element(bigmod.NewNat().Exp(v.n, k.x, m.field))
}

// Agree returns Combine's number in Size octets.
func (k *Exponent) Agree(peer Element) ([]byte, error) {
	v, err := k.Combine(peer)
	if err != nil {
		return nil, err
	}
	return v.(*Value).octets(), nil
}

// Destroy forgets the exponent. It may be repeated, but not while the key is in use.
func (k *Exponent) Destroy() {
	clear(k.x)
	k.x = nil
}

func (k *Exponent) redacted() string {
	return fmt.Sprintf("private key in %s (redacted)", k.base.group.name)
}

// String names the group only.
func (k *Exponent) String() string { return k.redacted() }

// GoString names the group only.
func (k *Exponent) GoString() string { return k.redacted() }

// Format names the group only, whatever the verb.
func (k *Exponent) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, k.redacted()) }

// LogValue names the group only.
func (k *Exponent) LogValue() slog.Value { return slog.StringValue(k.redacted()) }

// MarshalJSON names the group only.
func (k *Exponent) MarshalJSON() ([]byte, error) { return json.Marshal(k.redacted()) }
