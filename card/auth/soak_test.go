package auth

import (
	"bytes"
	"context"
	"fmt"
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

// TestSoakPACE runs random handshakes of both ends over the whole product of mapping,
// group, suite and password, each followed by an exchange. Every fourth has a leading zero
// forced into a public value or the secret, where zeros has some for its cell.
func TestSoakPACE(t *testing.T) {
	list, forced := cells(t), map[string][]zeros{}
	for _, c := range zeroCells(t) {
		forced[c.mapping+c.group.Name()] = findZeros(t, c)
	}
	parallel(t, handshakes(), func(i int) error {
		c := list[i%len(list)]
		password := allPasswords[i/len(list)%len(allPasswords)]
		ends := [2]paceFresh{}
		if z := forced[c.mapping+c.group.Name()]; len(z) > 0 && i%4 == 0 && (c.mapping != "IM" || c.cipher == suite.AES128) {
			ends = z[i/4%len(z)].ends(i%8 == 0)
		}
		if err := c.play(t.Context(), password, ends[0], ends[1]); err != nil {
			return fmt.Errorf("%v with %s: %w", c, password.Name(), err)
		}
		return nil
	})
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

// groups are all of the standardised domain parameters.
func groups(t testing.TB) []dh.Group {
	t.Helper()
	var list []dh.Group
	for _, id := range []int{0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18} {
		g, err := dh.GroupByID(id)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, g)
	}
	return list
}

// TestSoakChip1 runs random Chip Authentication handshakes of both ends over every group;
// one in four has a leading zero forced into our key or the secret.
func TestSoakChip1(t *testing.T) {
	list := groups(t)
	secrets := make([]dh.Secret, len(list))
	forced := map[string][][]byte{}
	for i, g := range list {
		var err error
		if secrets[i], err = dh.NewSecret(g.Base(), small(g, 7)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range zeroCells(t) {
		if c.mapping == "GM" {
			forced[c.group.Name()] = zeroScalars(t, c.group.Base())
		}
	}
	parallel(t, handshakes(), func(i int) error {
		n := i % len(list)
		var fresh []byte
		if z := forced[list[n].Name()]; len(z) > 0 && i%4 == 0 {
			fresh = z[i/4%len(z)]
		}
		return playChip1(t.Context(), suites[i/len(list)%4], secrets[n], fresh)
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

// small is a scalar of the group in full length.
func small(g dh.Group, k int) []byte {
	n := 0
	switch g := g.(type) {
	case *dh.Curve:
		n = g.OrderSize()
	case *dh.MODP:
		n = g.OrderSize()
	}
	return big.NewInt(int64(k)).FillBytes(make([]byte, n))
}

// zeroLed reports whether the coordinate X, or the integer, begins with a zero octet in
// full length, as one in 256 does by chance: where an encoding drops or adds such zeros, a
// handshake fails.
func zeroLed(e dh.Element) bool {
	if p, ok := e.(*dh.Point); ok {
		return p.X()[0] == 0
	}
	v := e.(*dh.Value)
	return len(v.Bytes()) < v.MODP().Size()
}

// zeroScalars are two scalars on a base: of the first the public key begins with a zero, of
// the second the secret shared with the scalar 7.
func zeroScalars(t testing.TB, base dh.Element) [][]byte {
	t.Helper()
	seven, err := dh.NewSecret(base, small(base.Group(), 7))
	if err != nil {
		t.Fatal(err)
	}
	list := make([][]byte, 2)
	for k := 8; list[0] == nil || list[1] == nil; k++ {
		if k > 20_000 {
			t.Fatal("no scalar gives a leading zero")
		}
		scalar := small(base.Group(), k)
		own, err := dh.NewSecret(base, scalar)
		if err != nil {
			t.Fatal(err)
		}
		if list[0] == nil && zeroLed(own.Element()) {
			list[0] = scalar
		}
		if list[1] != nil {
			continue
		}
		if z, err := own.Combine(seven.Element()); err != nil {
			t.Fatal(err)
		} else if zeroLed(z) {
			list[1] = scalar
		}
	}
	return list
}

// zeros are values of one end of PACE that make something begin with a zero; the other end
// has the scalar 7 everywhere.
type zeros struct {
	group              dh.Group
	nonces             [2][]byte // of the chip and, with integrated mapping, of the terminal
	mapping, agreement []byte
}

// ends are what chip and terminal draw.
func (z zeros) ends(chip bool) [2]paceFresh {
	seven := small(z.group, 7)
	one := paceFresh{z.nonces[0], z.mapping, z.agreement}
	other := paceFresh{z.nonces[0], seven, seven}
	ends := [2]paceFresh{other, one}
	if chip {
		ends = [2]paceFresh{one, other}
	}
	if z.nonces[1] != nil {
		ends[0].mapping, ends[1].mapping = nil, z.nonces[1]
	}
	return ends
}

// zeroCells are the cells for which zeros are looked for, one a mapping and group, in AES-128: in the
// soak all, else those of quick groups and of chips in the field.
func zeroCells(t testing.TB) []cell {
	t.Helper()
	var list []cell
	for _, c := range cells(t) {
		field := c.info.ParameterID == 0 || c.info.ParameterID == 12 || c.info.ParameterID == 13
		if c.cipher == suite.AES128 && (field || os.Getenv("TAMTHE_SOAK") == "1") {
			list = append(list, c)
		}
	}
	return list
}

// findZeros finds all four kinds for a cell: a zero in the mapping key or its secret, and
// in the ephemeral key or its secret.
func findZeros(t testing.TB, c cell) []zeros {
	t.Helper()
	v, err := newPACEVariant(c.info)
	if err != nil {
		t.Fatal(err)
	}
	nonce := bytes.Repeat([]byte{1}, v.nonceSize())
	if c.mapping == "IM" {
		theirs := bytes.Repeat([]byte{2}, v.cipher.KeySize())
		base, err := v.mapIntegrated(nonce, theirs)
		if err != nil {
			t.Fatal(err)
		}
		var list []zeros
		for _, scalar := range zeroScalars(t, base) {
			list = append(list, zeros{c.group, [2][]byte{nonce, theirs}, nil, scalar})
		}
		return list
	}
	other, err := dh.NewSecret(c.group.Base(), small(c.group, 7))
	if err != nil {
		t.Fatal(err)
	}
	var list []zeros
	for _, mapping := range zeroScalars(t, c.group.Base()) {
		own, err := dh.NewSecret(c.group.Base(), mapping)
		if err != nil {
			t.Fatal(err)
		}
		base, err := mapGenerator(c.group, nonce, own, other.Element())
		if err != nil {
			t.Fatal(err)
		}
		for _, scalar := range zeroScalars(t, base) {
			list = append(list, zeros{c.group, [2][]byte{nonce, nil}, mapping, scalar})
		}
	}
	return list
}

// TestPACELeadingZeros forces a leading zero into each value of PACE, at either end, in
// every suite. Nonces of 16 octets go with every suite but with integrated mapping, where
// the length of the key counts.
func TestPACELeadingZeros(t *testing.T) {
	forced := map[string][]zeros{}
	for _, c := range zeroCells(t) {
		forced[c.mapping+c.group.Name()] = findZeros(t, c)
	}
	played := 0
	for _, c := range cells(t) {
		if c.mapping == "IM" && c.cipher != suite.AES128 {
			continue
		}
		for _, z := range forced[c.mapping+c.group.Name()] {
			for _, chip := range []bool{false, true} {
				played++
				ends := z.ends(chip)
				if err := c.play(t.Context(), CAN("123456"), ends[0], ends[1]); err != nil {
					t.Errorf("%v, at the chip: %v, scalars %X and %X: %v", c, chip, z.mapping, z.agreement, err)
				}
			}
		}
	}
	if played < 100 {
		t.Errorf("%d handshakes", played)
	}
}

// TestChip1LeadingZeros forces a leading zero into our key and into the shared secret.
func TestChip1LeadingZeros(t *testing.T) {
	for _, c := range zeroCells(t) {
		if c.mapping != "GM" {
			continue
		}
		secret, err := dh.NewSecret(c.group.Base(), small(c.group, 7))
		if err != nil {
			t.Fatal(err)
		}
		for _, fresh := range zeroScalars(t, c.group.Base()) {
			for _, cipher := range suites {
				if err := playChip1(t.Context(), cipher, secret, fresh); err != nil {
					t.Errorf("%s, %v, scalar %X: %v", c.group.Name(), cipher, fresh, err)
				}
			}
		}
	}
}
