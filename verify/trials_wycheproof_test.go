package verify

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

// wycheGroup is what the groups of all kinds have in common.
type wycheGroup struct {
	Type, Curve, Encoding, SHA, MGFSHA, PublicKeyDer string
	SLen, TagSize                                    int
	Tests                                            []wycheTest
}

type wycheTest struct {
	Flags                         []string
	TcID                          int
	Result, Msg, Sig, Key, Tag    string
	Public, Private, Shared       string
	Name, OID, P, N, A, B, GX, GY string
	H                             int
}

// noCofactor is a departure that is read: every value that is there must be the curve's.
const noCofactor = "explicit parameters without the cofactor, which X9.62 leaves open and Doc 9303-12 §4.1.6 demands of issuers: read and noted, the secret is right"

// wycheAnswer is what we say to one test: taken or not, or why it does not apply.
type wycheAnswer struct {
	taken bool
	na    string
}

// notHere are files about what no travel document uses.
var notHere = map[string]string{
	"DsaVerify": "DSA: in no SOD known, refused as a key",

	"IndCpaTest":       "padding of PKCS #5: cards pad by ISO 7816-4",
	"hmac_sha256.json": "HMAC: no protocol of the card uses it",
}

// TestWycheproofTrial runs every file through the functions that judge a card.
func TestWycheproofTrial(t *testing.T) {
	long(t)
	names, err := filepath.Glob(filepath.Join(testdata.Dir(t), "wycheproof/*.json"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	var b strings.Builder
	b.WriteString("0 wrong accepts, 0 wrong refusals. \"Either\" are tests that Wycheproof leaves open.\n\n| file | cases | accepted | refused | either: accepted | refused | not applicable | because |\n|---|---|---|---|---|---|---|---|\n")
	for _, path := range names {
		name := filepath.Base(path)
		var file struct{ TestGroups []wycheGroup }
		if err := json.Unmarshal(testdata.Vectors(t, "wycheproof/"+name), &file); err != nil {
			t.Fatal(name, err)
		}
		var n, taken, refused, either, eitherNot, na int
		because := ""
		for _, g := range file.TestGroups {
			run := g.runner(t, name)
			for _, c := range g.Tests {
				n++
				a := run(c)
				switch {
				case a.na != "":
					na++
					because = a.na
				case a.taken && c.Result == "invalid" && slices.Contains(c.Flags, "NoCofactor"):
					na++
					because = noCofactor
				case a.taken && c.Result == "invalid":
					t.Errorf("%s: test %d: a wrong accept", name, c.TcID)
				case !a.taken && c.Result == "valid":
					t.Errorf("%s: test %d: a wrong refusal", name, c.TcID)
				case c.Result == "acceptable" && a.taken:
					either++
				case c.Result == "acceptable":
					eitherNot++
				case a.taken:
					taken++
				default:
					refused++
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %s |\n", strings.TrimSuffix(name, ".json"), n, taken, refused, either, eitherNot, na, because)
	}
	trial(t, "Wycheproof", b.String())
}

// runner is how a group's tests are run.
func (g wycheGroup) runner(t *testing.T, file string) func(wycheTest) wycheAnswer {
	if why := notHere[file] + notHere[g.Type]; why != "" {
		return func(wycheTest) wycheAnswer { return wycheAnswer{na: why} }
	}
	switch g.Type {
	case "EcdhTest", "EcdhEcpointTest":
		return func(c wycheTest) wycheAnswer { return wycheAnswer{taken: g.agree(t, c)} }
	case "MacTest":
		return func(c wycheTest) wycheAnswer {
			b, err := aes.NewCipher(unhex(t, c.Key))
			return wycheAnswer{taken: err == nil && bytes.Equal(suite.CMAC(b, unhex(t, c.Msg))[:g.TagSize/8], unhex(t, c.Tag))}
		}
	case "EcCurveTest":
		return func(c wycheTest) wycheAnswer { return c.curve() }
	}
	alg := cert.Algorithm{Hash: map[string]crypto.Hash{
		"SHA-1": crypto.SHA1, "SHA-224": crypto.SHA224, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512,
	}[g.SHA]}
	switch g.Type {
	case "RsassaPkcs1Verify":
		alg.Scheme = cert.RSAPKCS1
	case "EcdsaVerify":
		alg.Scheme = cert.ECDSA
	case "EcdsaP1363Verify":
		alg.Scheme = cert.ECDSAPlain
	case "RsassaPssVerify", "RsassaPssWithParametersVerify":
		alg.Scheme, alg.SaltLength = cert.RSAPSS, g.SLen
		alg.MGFHash = map[string]crypto.Hash{"SHA-1": crypto.SHA1, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512, "SHA-224": crypto.SHA224}[g.MGFSHA]
	default:
		t.Fatalf("%s: group %q", file, g.Type)
	}
	key, err := cert.ParsePublicKey(unhex(t, g.PublicKeyDer))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return func(c wycheTest) wycheAnswer {
		return wycheAnswer{taken: cert.Verify(key, alg, unhex(t, c.Msg), unhex(t, c.Sig)) == nil}
	}
}

// agree says whether we come to the shared secret of the test.
func (g wycheGroup) agree(t *testing.T, c wycheTest) bool {
	var curve *dh.Curve
	for id := 8; id <= 18; id++ {
		if k, err := dh.ByID(id); err == nil && (k.Name() == g.Curve || "secp"+strings.TrimPrefix(k.Name(), "P-")+"r1" == g.Curve) {
			curve = k
		}
	}
	if curve == nil {
		t.Fatalf("no curve %s", g.Curve)
	}
	var peer *dh.Point
	if g.Encoding == "asn" {
		key, err := cert.ParsePublicKey(unhex(t, c.Public))
		if err != nil || key.EC == nil || key.EC.Curve() != curve {
			return false
		}
		peer = key.EC
	} else {
		var err error
		if peer, err = curve.ParsePoint(unhex(t, c.Public)); err != nil {
			return false
		}
	}
	v, ok := new(big.Int).SetString(c.Private, 16)
	if !ok || v.BitLen() > 8*curve.OrderSize() {
		return false
	}
	k, err := curve.NewPrivateKey(v.FillBytes(make([]byte, curve.OrderSize())))
	if err != nil {
		return false
	}
	secret, err := k.ECDH(peer)
	return err == nil && hex.EncodeToString(secret) == c.Shared
}

// curve looks for the curve by all its parameters, and by its name.
func (c wycheTest) curve() wycheAnswer {
	p := dh.Parameters{H: c.H}
	for _, f := range []struct {
		to   **big.Int
		from string
	}{{&p.P, c.P}, {&p.N, c.N}, {&p.A, c.A}, {&p.B, c.B}, {&p.Gx, c.GX}, {&p.Gy, c.GY}} {
		*f.to, _ = new(big.Int).SetString(f.from, 16)
	}
	var oid asn1.ObjectIdentifier
	for _, s := range strings.Split(c.OID, ".") {
		n, _ := strconv.Atoi(s)
		oid = append(oid, n)
	}
	byValue, err := dh.ByParameters(p)
	if err != nil {
		return wycheAnswer{na: "curves that no passport may use (TR-03110-3 table 4): refused, by name and by values"}
	}
	byName, err := dh.ByOID(oid)
	return wycheAnswer{taken: err == nil && byName == byValue}
}
