package auth

import (
	"context"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/suite"
)

// A cell is one combination that PACE may be asked for.
type cell struct {
	mapping string
	info    lds.PACEInfo
	group   dh.Group
	cipher  suite.Cipher
}

func (c cell) String() string { return fmt.Sprintf("%s/%s/%v", c.mapping, c.group.Name(), c.cipher) }

// cells are the whole product of mapping, group and suite, without what does not exist:
// Chip Authentication Mapping over prime fields or in 3DES, and the encoding of points
// of P-224.
func cells(t testing.TB) []cell {
	t.Helper()
	var list []cell
	for _, id := range []int{0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18} {
		g, err := dh.GroupByID(id)
		if err != nil {
			t.Fatal(err)
		}
		protocols := map[string]int{"GM": 1, "IM": 3}
		if id >= 8 {
			protocols = map[string]int{"GM": 2, "IM": 4, "CAM": 6}
		}
		if g == dh.Group(dh.P224()) {
			delete(protocols, "IM")
		}
		for name, arcBelow := range protocols {
			for _, c := range suites {
				if name == "CAM" && c == suite.TDES {
					continue
				}
				list = append(list, cell{name, lds.PACEInfo{OID: arc(oidPACE, arcBelow, int(c)), Version: 2, ParameterID: id}, g, c})
			}
		}
	}
	return list
}

// allPasswords are one of each kind.
var allPasswords = []Password{MRZ("T22000129364081251010318"), CAN("123456"), PIN("98765"), PUK("9876543210"), CAN("654321").At(0x0A)}

// play runs a cell with a password at both ends and exchanges a command under its keys.
func (c cell) play(ctx context.Context, password Password, chipFresh, fresh paceFresh) error {
	secret, err := password.PACESecret()
	if err != nil {
		return err
	}
	var static []*dh.PrivateKey
	if curve, ok := c.group.(*dh.Curve); ok {
		k, err := curve.Generate()
		if err != nil {
			return err
		}
		static = append(static, k)
	}
	chip, err := NewPACEChip([]lds.PACEInfo{c.info}, map[byte][]byte{password.Reference(): secret}, static...)
	if err != nil {
		return err
	}
	chip.fresh = chipFresh
	p := &process{chip: chip}
	result, err := pace(ctx, p, password, c.info, PACEOptions{}, fresh)
	if err != nil {
		return err
	}
	if result.Password != password.Name() || result.Own == nil || result.ChipKey == nil || (result.MappingKey == nil) != (c.mapping == "IM") {
		return fmt.Errorf("result %+v", result)
	}
	if c.mapping == "CAM" {
		if _, err := result.Mapped(lds.ChipAuthKey{Public: static[0].Point()}); err != nil {
			return err
		}
	}
	p.chip = echo{newChipEnd(p)}
	_, err = result.Channel.Transmit(ctx, readFirst)
	return err
}

// TestPACEProduct plays every cell with every password.
func TestPACEProduct(t *testing.T) {
	list := cells(t)
	if len(list) != 3*2*4+11*(4+4+3)-4 {
		t.Errorf("%d cells", len(list))
	}
	for _, c := range list {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			for i, p := range allPasswords {
				if testing.Short() && i != int(c.cipher)%len(allPasswords) {
					continue
				}
				t.Run(fmt.Sprintf("%s-%02X", p.Name(), p.Reference()), func(t *testing.T) {
					if err := c.play(t.Context(), p, paceFresh{}, paceFresh{}); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

func TestVariantName(t *testing.T) {
	names := map[string]bool{}
	for _, c := range cells(t) {
		names[VariantName(c.info)] = true
	}
	if len(names) != len(cells(t)) || !names["PACE-ECDH-GM-AES-CBC-CMAC-128 on brainpoolP256r1"] || VariantName(lds.PACEInfo{}) != "" {
		t.Errorf("%d names", len(names))
	}
}
