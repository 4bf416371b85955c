package dh

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// wycheproof is what its files for ECDH and ECDSA have in common.
type wycheproof struct {
	TestGroups []struct {
		Curve     string
		Encoding  string
		SHA       string
		PublicKey struct{ Curve, Uncompressed string }
		Tests     []struct {
			TcID                    int
			Comment, Result         string
			Public, Private, Shared string
			Msg, Sig                string
		}
	}
}

func readWycheproof(t *testing.T, name string) *wycheproof {
	t.Helper()
	var file wycheproof
	if err := json.Unmarshal(testdata.Vectors(t, "wycheproof/"+name+".json"), &file); err != nil {
		t.Fatal(err)
	}
	return &file
}

func curveNamed(t *testing.T, name string) *Curve {
	t.Helper()
	for _, c := range every(t) {
		if c.Name() == name || "secp"+strings.TrimPrefix(c.Name(), "P-")+"r1" == name {
			return c
		}
	}
	t.Fatalf("no curve %s", name)
	return nil
}

func TestWycheproofECDH(t *testing.T) {
	for _, name := range []string{
		"brainpoolP224r1", "brainpoolP256r1", "brainpoolP320r1", "brainpoolP384r1", "brainpoolP512r1",
		"secp256r1", "secp256r1_ecpoint", "secp384r1", "secp521r1",
	} {
		t.Run(name, func(t *testing.T) {
			agreed := 0
			for _, group := range readWycheproof(t, "ecdh_"+name).TestGroups {
				c := curveNamed(t, group.Curve)
				for _, v := range group.Tests {
					public := unhex(t, v.Public)
					got, err := agree(c, group.Encoding, public, v.Private)
					want := unhex(t, v.Shared)
					switch {
					case err == nil && (v.Result == "invalid" || !bytes.Equal(got, want)):
						t.Errorf("%d (%s, %s): %x, want %x", v.TcID, v.Comment, v.Result, got, want)
					case err != nil && v.Result == "valid":
						t.Errorf("%d (%s): %v", v.TcID, v.Comment, err)
					case err == nil:
						agreed++
					}
				}
			}
			if agreed < 100 {
				t.Errorf("only %d secrets agreed", agreed)
			}
		})
	}
}

func agree(c *Curve, encoding string, public []byte, private string) ([]byte, error) {
	if encoding == "asn" {
		var err error
		if public, err = subjectPublicKey(c, public); err != nil {
			return nil, err
		}
	}
	peer, err := c.ParsePoint(public)
	if err != nil {
		return nil, err
	}
	v, ok := new(big.Int).SetString(private, 16)
	if !ok || v.BitLen() > 8*c.OrderSize() {
		return nil, ErrScalar
	}
	k, err := c.NewPrivateKey(v.FillBytes(make([]byte, c.OrderSize())))
	if err != nil {
		return nil, err
	}
	return k.ECDH(peer)
}

// subjectPublicKey returns the point of an X.509 public key on the curve c, which is
// named or has all of its parameters.
func subjectPublicKey(c *Curve, der []byte) ([]byte, error) {
	var spki struct {
		Algorithm struct {
			ID         asn1.ObjectIdentifier
			Parameters asn1.RawValue
		}
		Point asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &spki); err != nil || len(rest) > 0 {
		return nil, errors.Join(errors.New("bad public key"), err)
	}
	found, err := curveOf(spki.Algorithm.Parameters.FullBytes)
	if err != nil {
		return nil, err
	}
	if found != c {
		return nil, ErrCurve
	}
	return spki.Point.RightAlign(), nil
}

func curveOf(der []byte) (*Curve, error) {
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(der, &oid); err == nil {
		return ByOID(oid)
	}
	var explicit struct {
		Version int
		Field   struct {
			ID    asn1.ObjectIdentifier
			Prime *big.Int
		}
		Curve struct {
			A, B []byte
			Seed asn1.BitString `asn1:"optional"`
		}
		G        []byte
		N        *big.Int
		Cofactor int `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &explicit); err != nil {
		return nil, err
	}
	if len(explicit.G)%2 == 0 || explicit.G[0] != 4 {
		return nil, ErrPoint
	}
	half := len(explicit.G) / 2
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	return ByParameters(Parameters{
		explicit.Field.Prime, number(explicit.Curve.A), number(explicit.Curve.B),
		number(explicit.G[1 : 1+half]), number(explicit.G[1+half:]), explicit.N, explicit.Cofactor,
	})
}

func TestWycheproofECDSA(t *testing.T) {
	hashes := map[string]crypto.Hash{"SHA-224": crypto.SHA224, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512}
	for _, name := range []string{
		"brainpoolP224r1_sha224", "brainpoolP256r1_sha256", "brainpoolP256r1_sha256_p1363",
		"brainpoolP320r1_sha384", "brainpoolP384r1_sha384", "brainpoolP384r1_sha384_p1363",
		"brainpoolP512r1_sha512", "secp224r1_sha224", "secp256r1_sha256", "secp256r1_sha256_p1363",
		"secp384r1_sha256", "secp384r1_sha384", "secp521r1_sha512",
	} {
		t.Run(name, func(t *testing.T) {
			verify := verifyDER
			if strings.HasSuffix(name, "p1363") {
				verify = verifyPlain
			}
			verified := 0
			for _, group := range readWycheproof(t, "ecdsa_"+name).TestGroups {
				c := curveNamed(t, group.PublicKey.Curve)
				pub, err := c.ParsePoint(unhex(t, group.PublicKey.Uncompressed))
				if err != nil {
					t.Fatal(err)
				}
				width := keyComb
				if len(group.Tests) < 10 { // there are hundreds of such keys
					width = 2
				}
				prepared := &tables{c.comb(), newComb(pub, width)}
				for _, v := range group.Tests {
					h := hashes[group.SHA].New()
					h.Write(unhex(t, v.Msg))
					sig, err := hex.DecodeString(v.Sig)
					if err != nil {
						t.Fatal(err)
					}
					digest := h.Sum(nil)
					ok := verify(pub, nil, digest, sig)
					if verify(pub, prepared, digest, sig) != ok {
						t.Errorf("%d (%s): %v, but not from tables", v.TcID, v.Comment, ok)
					}
					// Acceptable ones are not in DER.
					if ok != (v.Result == "valid") {
						t.Errorf("%d (%s, %s): %v", v.TcID, v.Comment, v.Result, ok)
					}
					if ok {
						verified++
					}
				}
			}
			if verified < 50 {
				t.Errorf("only %d signatures verified", verified)
			}
		})
	}
}
