package cert

import (
	"crypto"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

var wycheproofHash = map[string]crypto.Hash{
	"SHA-1": crypto.SHA1, "SHA-224": crypto.SHA224, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512,
}

type wycheproofGroup struct {
	Type         string
	PublicKeyDer string
	SHA, MGFSHA  string
	SLen         int
	Tests        []struct {
		TcID             int
		Msg, Sig, Result string
		Flags            []string
	}
}

func (g wycheproofGroup) algorithm(t *testing.T) Algorithm {
	a := Algorithm{Hash: wycheproofHash[g.SHA]}
	switch {
	case strings.HasPrefix(g.Type, "RsassaPss"):
		a.Scheme, a.MGFHash, a.SaltLength = RSAPSS, wycheproofHash[g.MGFSHA], g.SLen
	case g.Type == "RsassaPkcs1Verify":
		a.Scheme = RSAPKCS1
	case g.Type == "EcdsaVerify":
		a.Scheme = ECDSA
	case g.Type == "EcdsaP1363Verify":
		a.Scheme = ECDSAPlain
	default:
		t.Fatalf("group type %q", g.Type)
	}
	return a
}

func TestWycheproof(t *testing.T) {
	for _, name := range []string{
		"rsa_pss_2048_sha1_mgf1_20_params", "rsa_pss_2048_sha256_mgf1_32_params", "rsa_pss_3072_sha256_mgf1_32_params",
		"rsa_pss_4096_sha384_mgf1_48", "rsa_pss_4096_sha512_mgf1_64_params", "rsa_pss_misc_params",
		"rsa_signature_2048_sha256", "rsa_signature_2048_sha512", "rsa_signature_3072_sha256",
		"rsa_signature_4096_sha512", "rsa_signature_8192_sha256",
		"ecdsa_brainpoolP224r1_sha224", "ecdsa_brainpoolP256r1_sha256", "ecdsa_brainpoolP320r1_sha384",
		"ecdsa_brainpoolP384r1_sha384", "ecdsa_brainpoolP512r1_sha512", "ecdsa_secp224r1_sha224",
		"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512",
		"ecdsa_brainpoolP256r1_sha256_p1363", "ecdsa_brainpoolP384r1_sha384_p1363", "ecdsa_secp256r1_sha256_p1363",
	} {
		t.Run(name, func(t *testing.T) {
			var file struct{ TestGroups []wycheproofGroup }
			if err := json.Unmarshal(testdata.Vectors(t, "wycheproof/"+name+".json"), &file); err != nil {
				t.Fatal(err)
			}
			for _, g := range file.TestGroups {
				der, _ := hex.DecodeString(g.PublicKeyDer)
				pub, err := ParsePublicKey(der)
				if err != nil {
					t.Fatal(err)
				}
				alg := g.algorithm(t)
				verifier, err := NewVerifier(pub)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range g.Tests {
					msg, _ := hex.DecodeString(c.Msg)
					sig, _ := hex.DecodeString(c.Sig)
					err := Verify(pub, alg, msg, sig)
					if prepared := verifier.Verify(alg, msg, sig); (err == nil) != (prepared == nil) {
						t.Errorf("test %d: %v, but %v from a verifier", c.TcID, err, prepared)
					}
					if c.Result != "acceptable" && (err == nil) != (c.Result == "valid") {
						t.Errorf("test %d is %s %v: %v", c.TcID, c.Result, c.Flags, err)
					}
				}
			}
		})
	}
}
