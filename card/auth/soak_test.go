package auth

import (
	"bytes"
	"context"
	"math/big"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// soakCurves are those of chips in the field, the quick ones twice as often.
func soakCurves() []*dh.Curve {
	return []*dh.Curve{dh.P256(), dh.BrainpoolP256r1(), dh.P256(), dh.BrainpoolP256r1(), dh.P384(), dh.BrainpoolP384r1()}
}

// handshakes is how many random handshakes of each protocol are run: 10⁵ where
// TAMTHE_SOAK is set.
func handshakes() int {
	if os.Getenv("TAMTHE_SOAK") == "1" {
		return 100_000
	}
	return 300
}

// parallel runs f for 0 to n-1 on all processors, until one fails.
func parallel(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var next, failed atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := f(int(i)); err != nil {
					t.Errorf("handshake %d: %v", i, err)
					if failed.Add(1) > 10 {
						return
					}
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d handshakes, %d failed", n, failed.Load())
}

// TestSoakPACE runs random PACE handshakes of both ends, each followed by an exchange.
func TestSoakPACE(t *testing.T) {
	secret := []byte("123456")
	list, password := soakCurves(), CAN("123456")
	parallel(t, handshakes(), func(i int) error {
		info := paceInfo(suites[i%4], list[i%len(list)])
		chip, err := NewPACEChip([]lds.PACEInfo{info}, map[byte][]byte{RefCAN: secret})
		if err != nil {
			return err
		}
		return playPACE(t.Context(), &process{chip: chip}, password, info, paceFresh{})
	})
}

func playPACE(ctx context.Context, p *process, password Password, info lds.PACEInfo, fresh paceFresh) error {
	result, err := pace(ctx, p, password, info, PACEOptions{}, fresh)
	if err != nil {
		return err
	}
	p.chip = echo{sm.NewChip(*p.keys)}
	_, err = result.Channel.Transmit(ctx, readFirst)
	return err
}

type echo struct{ chip *sm.Chip }

func (e echo) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	if _, err := e.chip.Open(c); err != nil {
		return apdu.Response{Status: apdu.SMIncorrect}, nil
	}
	r, err := e.chip.Seal(apdu.Response{Data: []byte("data"), Status: apdu.OK})
	if err != nil {
		return apdu.Response{Status: apdu.Unknown}, nil
	}
	return r, nil
}

// TestSoakChip1 runs random Chip Authentication handshakes of both ends.
func TestSoakChip1(t *testing.T) {
	list := soakCurves()
	secrets := make([]*dh.PrivateKey, len(list))
	for i, c := range list {
		secrets[i], _ = c.Generate()
	}
	parallel(t, handshakes(), func(i int) error {
		return playChip1(t.Context(), suites[i%4], secrets[i%len(list)], nil)
	})
}

func playChip1(ctx context.Context, c suite.Cipher, secret dh.Secret, fresh []byte) error {
	oid := arc(oidChipAuth, agreementArc(secret.Element()), int(c))
	chip, err := NewChipAuthChip(ChipAuthSecret{oid, big.NewInt(1), secret})
	if err != nil {
		return err
	}
	card := &chipCard{auth: chip, channel: sm.NewChip(sm.Derive([]byte("pace"), suite.AES128))}
	ch := sm.New(card, sm.Derive([]byte("pace"), suite.AES128))
	_, err = chip1(ctx, ch, lds.ChipAuthKey{KeyID: big.NewInt(1), Public: secret.Element(), Info: lds.ChipAuthInfo{OID: oid, Version: 1, KeyID: big.NewInt(1)}}, readFirst, fresh)
	return err
}

// leadingZeros are scalars that make x coordinates begin with a zero octet, as one in
// 256 does by chance: where an encoding drops leading zeros, such a handshake fails. The
// other end has the scalar 7 everywhere, and the nonce is fixedNonce.
var leadingZeros = []struct {
	curve   *dh.Curve
	mapping [2]zeros
}{
	{dh.P256(), [2]zeros{{379, 135, 409}, {119, 191, 461}}},
	{dh.BrainpoolP256r1(), [2]zeros{{856, 623, 326}, {265, 222, 197}}},
	{dh.P384(), [2]zeros{{197, 172, 264}, {405, 183, 556}}},
	{dh.BrainpoolP384r1(), [2]zeros{{163, 101, 420}, {191, 284, 486}}},
}

type zeros struct {
	scalar        int // of the mapping: first our public key begins with zero, then the shared point
	point, secret int // of the agreement over it: our public key, the shared secret
}

var fixedNonce = bytes.Repeat([]byte{1}, 16)

// scalarOf is a small scalar of the curve in full length.
func scalarOf(c *dh.Curve, k int) []byte {
	return big.NewInt(int64(k)).FillBytes(make([]byte, c.OrderSize()))
}

// TestLeadingZeros holds the table to what it says.
func TestLeadingZeros(t *testing.T) {
	for _, z := range leadingZeros {
		on := func(base *dh.Point, k int) *dh.PrivateKey {
			key, err := dh.NewPrivateKeyOn(base, scalarOf(z.curve, k))
			if err != nil {
				t.Fatal(err)
			}
			return key
		}
		check := func(what string, x []byte, err error) {
			if err != nil || len(x) != z.curve.Size() || x[0] != 0 {
				t.Errorf("%s: %s is %X, %v", z.curve.Name(), what, x, err)
			}
		}
		other := on(z.curve.Generator(), 7)
		check("mapping key", on(z.curve.Generator(), z.mapping[0].scalar).Point().X(), nil)
		x, err := on(z.curve.Generator(), z.mapping[1].scalar).ECDH(other.Point())
		check("mapping secret", x, err)
		for _, m := range z.mapping {
			mapped, err := mapGenerator(z.curve, fixedNonce, on(z.curve.Generator(), m.scalar), other.Point())
			if err != nil {
				t.Fatal(err)
			}
			base := mapped.(*dh.Point)
			check("ephemeral key", on(base, m.point).Point().X(), nil)
			x, err := on(base, m.secret).ECDH(on(base, 7).Point())
			check("shared secret", x, err)
		}
	}
}

// TestPACELeadingZeros forces a leading zero into each value of PACE, at either end.
func TestPACELeadingZeros(t *testing.T) {
	for _, z := range leadingZeros {
		seven := scalarOf(z.curve, 7)
		for _, m := range z.mapping {
			for _, agreement := range []int{m.point, m.secret} {
				one := paceFresh{fixedNonce, scalarOf(z.curve, m.scalar), scalarOf(z.curve, agreement)}
				other := paceFresh{fixedNonce, seven, seven}
				for _, cipher := range suites {
					for _, ends := range [][2]paceFresh{{one, other}, {other, one}} {
						info := paceInfo(cipher, z.curve)
						p := newPACEProcess(t, CAN("123456"), info)
						p.chip.(*PACEChip).fresh = ends[0]
						if err := playPACE(t.Context(), p, CAN("123456"), info, ends[1]); err != nil {
							t.Errorf("%s, %v, scalars %d and %d: %v", z.curve.Name(), cipher, m.scalar, agreement, err)
						}
					}
				}
			}
		}
	}
}

// TestChip1LeadingZeros forces a leading zero into our key and into the shared secret.
func TestChip1LeadingZeros(t *testing.T) {
	for _, z := range leadingZeros {
		secret, err := z.curve.NewPrivateKey(scalarOf(z.curve, 7))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range z.mapping {
			for _, cipher := range suites {
				if err := playChip1(t.Context(), cipher, secret, scalarOf(z.curve, m.scalar)); err != nil {
					t.Errorf("%s, %v, scalar %d: %v", z.curve.Name(), cipher, m.scalar, err)
				}
			}
		}
	}
}
