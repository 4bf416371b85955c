package auth

import (
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

// TestChip1Product runs Chip Authentication over every group in every suite.
func TestChip1Product(t *testing.T) {
	for _, g := range groups(t) {
		secret, err := dh.GenerateSecret(g.Base())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range suites {
			t.Run(fmt.Sprintf("%s/%v", g.Name(), c), func(t *testing.T) {
				t.Parallel()
				if err := playChip1(t.Context(), c, secret, nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestChip1Implicit takes a chip that names no protocol for 3DES, by the kind of its key
// (Doc 9303-11 §6.2.2), and writes and reads keys in every form of a prime field.
func TestChip1Implicit(t *testing.T) {
	for id, kind := range map[int]int{0: 1, 2: 1, 12: 2} {
		g, err := dh.GroupByID(id)
		if err != nil {
			t.Fatal(err)
		}
		key, err := cert.NewPublicKey(g.Base())
		if err != nil {
			t.Fatal(err)
		}
		for _, standardised := range []bool{false, true} {
			raw, err := lds.EncodeDG14(lds.SecurityInfos{ChipKeys: []lds.ChipAuthPublicKey{{OID: arc(oidChipAuth[:8], 1, kind), Key: key, Standardised: standardised}}})
			if err != nil {
				t.Fatal(err)
			}
			infos, err := lds.ParseDG14(raw)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := ChipAuthKeys(infos)
			if err != nil || len(keys) != 1 || !keys[0].Public.Equal(g.Base()) || !keys[0].Info.OID.Equal(arc(oidChipAuth, kind, int(suite.TDES))) {
				t.Errorf("%s: %v, %v", g.Name(), keys, err)
			}
		}
	}
}

// TestChip1OfTheBSI runs against the published private key of the data set of TR-03105,
// which has its domain parameters in full.
func TestChip1OfTheBSI(t *testing.T) {
	infos, err := lds.ParseDG14(testdata.Vectors(t, "lds/bsi-reference/DG14.bin"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ChipAuthKeys(infos)
	if err != nil || len(keys) != 1 {
		t.Fatalf("%v, %v", keys, err)
	}
	curve := keys[0].Public.Group()
	if curve != dh.Group(dh.BrainpoolP224r1()) {
		t.Errorf("a key over %s", curve.Name())
	}
	secret, err := dh.BrainpoolP224r1().NewPrivateKey(testdata.Scalar(t, testdata.Vectors(t, "lds/bsi-reference/chip-auth-private.pkcs8")))
	if err != nil {
		t.Fatal(err)
	}
	if !secret.Point().Equal(keys[0].Public) {
		t.Fatal("the private key is another's")
	}
	if err := playChip1(t.Context(), suite.TDES, secret, nil); err != nil {
		t.Error(err)
	}
}
