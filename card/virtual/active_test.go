package virtual

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// TestActiveRSA proves RSA keys, through short commands too, where a long signature comes
// by GET RESPONSE.
func TestActiveRSA(t *testing.T) {
	for _, bits := range []int{1024, 2048, 3072, 4096} {
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA512} {
			if bits == 1024 && h == crypto.SHA512 {
				continue
			}
			if testing.Short() && bits > 2048 {
				continue
			}
			t.Run(fmt.Sprintf("%d/%v", bits, h), func(t *testing.T) {
				key := rsaKey(t, bits)
				files := documentFiles(t, nil, nil)
				spki, err := cert.MarshalPublicKey(&key.PublicKey, false)
				if err != nil {
					t.Fatal(err)
				}
				files[lds.DG15] = tlv.Encode(0x6F, spki)
				c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, ActiveRSA: key, ActiveHash: h, Limits: extended, Model: P71()})
				if err != nil {
					t.Fatal(err)
				}
				pub, err := lds.ParseDG15(files[lds.DG15])
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range []apdu.Limits{{}, extended} {
					s := openBy(t, c, l, auth.CAN(canDigits))
					before := c.Cost().PublicKey
					if _, err := s.Active(t.Context(), pub, 0); err != nil {
						t.Errorf("%+v: %v", l, err)
					}
					if c.Cost().PublicKey <= before {
						t.Error("the signature cost nothing")
					}
					s.Close()
				}
			})
		}
	}
}

var rsaKeys = map[int]*rsa.PrivateKey{}

// rsaKey makes one key of each size.
func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	if rsaKeys[bits] == nil {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		rsaKeys[bits] = k
	}
	return rsaKeys[bits]
}

// TestActiveDER has a chip give its ECDSA signature as DER, as some do (gmrtd#188).
func TestActiveDER(t *testing.T) {
	key := generated(t, dh.P256())
	files := documentFiles(t, key.Point(), nil)
	for _, der := range []bool{false, true} {
		c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, AA: key, Quirks: Quirks{DERSignature: der}})
		if err != nil {
			t.Fatal(err)
		}
		pub, err := lds.ParseDG15(files[lds.DG15])
		if err != nil {
			t.Fatal(err)
		}
		s := openBy(t, c, apdu.Limits{}, auth.CAN(canDigits))
		proof, err := s.Active(t.Context(), pub, crypto.SHA256)
		if err != nil || proof.DER != der {
			t.Errorf("DER %v: %+v, %v", der, proof, err)
		}
		s.Close()
	}
}
