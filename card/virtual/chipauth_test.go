package virtual

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// agreementInfo is a key of Chip Authentication in DG14, and its variant unless cipher is 0.
func agreementInfo(t testing.TB, infos *lds.SecurityInfos, k dh.Secret, cipher, id int) {
	t.Helper()
	pub, err := cert.NewPublicKey(k.Element())
	if err != nil {
		t.Fatal(err)
	}
	kind := 2
	if _, ok := k.(*dh.PrivateKey); !ok {
		kind = 1
	}
	var keyID *big.Int
	if id > 0 {
		keyID = big.NewInt(int64(id))
	}
	oid := func(last ...int) asn1.ObjectIdentifier {
		return append(asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2}, last...)
	}
	infos.ChipKeys = append(infos.ChipKeys, lds.ChipAuthPublicKey{OID: oid(1, kind), Key: pub, KeyID: keyID})
	if cipher > 0 {
		infos.Chip = append(infos.Chip, lds.ChipAuthInfo{OID: oid(3, kind, cipher), Version: 1, KeyID: keyID})
	}
}

func secretIn(t testing.TB, id int) dh.Secret {
	t.Helper()
	g, err := dh.GroupByID(id)
	if err != nil {
		t.Fatal(err)
	}
	k, err := dh.GenerateSecret(g.Base())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestChipAuthenticationWithManyKeys proves each of several keys of one chip: curves and
// prime fields, all ciphers, chosen by their identifier, from a memory that is read anew.
func TestChipAuthenticationWithManyKeys(t *testing.T) {
	var infos lds.SecurityInfos
	var keys []dh.Secret
	for id, group := range []int{12, 13, 16, 0, 2} {
		keys = append(keys, secretIn(t, group))
		agreementInfo(t, &infos, keys[id], 1+id%4, id+1)
	}
	playChipAuthentication(t, infos, keys, len(keys))
}

// TestChipAuthenticationByOneKey proves a chip with a single key that names no variant,
// which stands for 3DES (Doc 9303-11 §6.2.2).
func TestChipAuthenticationByOneKey(t *testing.T) {
	for _, group := range []int{11, 13, 1} {
		var infos lds.SecurityInfos
		k := secretIn(t, group)
		agreementInfo(t, &infos, k, 0, 0)
		playChipAuthentication(t, infos, []dh.Secret{k}, 1)
	}
}

func playChipAuthentication(t *testing.T, infos lds.SecurityInfos, held []dh.Secret, want int) {
	t.Helper()
	files := documentFiles(t, nil, nil)
	dg14, err := lds.EncodeDG14(infos)
	if err != nil {
		t.Fatal(err)
	}
	files[lds.DG14] = dg14
	for name, o := range map[string]FolderOptions{"genuine": {Keys: held}, "copied": {}} {
		o.CAN, o.Limits, o.Model = canDigits, extended, P71()
		c, err := FromFolder(folder(files), o)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := lds.ParseDG14(dg14)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := auth.ChipAuthKeys(signed)
		if err != nil || len(keys) != want {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			t.Run(fmt.Sprintf("%s/%s/%v", name, k.Public.Group().Name(), k.Info.OID[8:]), func(t *testing.T) {
				s := openBy(t, c, extended, auth.CAN(canDigits))
				defer s.Close()
				before := c.Cost().PublicKey
				_, err := s.Chip1(t.Context(), k, lds.DG1)
				switch {
				case name == "copied" && (err == nil || !isStatus(err)):
					t.Errorf("a chip without keys: %v", err)
				case name == "genuine" && err != nil:
					t.Error(err)
				case name == "genuine" && c.Cost().PublicKey <= before:
					t.Error("the agreement cost nothing")
				}
			})
		}
	}
}

func isStatus(err error) bool {
	_, ok := errors.AsType[apdu.Status](err)
	return ok
}

// TestCounterfeitOfOtherKinds copies a document with keys in prime fields and of RSA: the
// copy answers, with keys that aren't the document's.
func TestCounterfeitOfOtherKinds(t *testing.T) {
	var infos lds.SecurityInfos
	agreementInfo(t, &infos, secretIn(t, 1), 2, 1)
	dg14, err := lds.EncodeDG14(infos)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := cert.NewPublicKey(&rsaKey(t, 1024).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	files := documentFiles(t, nil, nil)
	if files[lds.DG15], err = lds.EncodeDG15(pub); err != nil {
		t.Fatal(err)
	}
	files[lds.DG14] = dg14
	c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, Limits: extended, Counterfeit: true})
	if err != nil {
		t.Fatal(err)
	}
	s := openBy(t, c, extended, auth.CAN(canDigits))
	if _, err := s.Active(t.Context(), pub, 0); !errors.Is(err, auth.ErrSignature) {
		t.Errorf("Active Authentication: %v", err)
	}
	keys := infos.ChipAuthKeys()
	if _, err := s.Chip1(t.Context(), keys[0], lds.DG1); !errors.Is(err, sm.ErrProtection) {
		t.Errorf("Chip Authentication: %v", err)
	}
}
