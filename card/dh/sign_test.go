package dh

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"math/big"
	"testing"
)

func TestSignatures(t *testing.T) {
	for _, c := range every(t) {
		t.Run(c.Name(), func(t *testing.T) { checkSignatures(t, c) })
	}
}

// checkSignatures signs and verifies digests of every length in both encodings.
func checkSignatures(t *testing.T, c *Curve) {
	k, other := pair(t, c)
	for _, length := range []int{1, 20, 28, 32, 48, 64, 80} {
		digest := make([]byte, length)
		if _, err := rand.Read(digest); err != nil {
			t.Fatal(err)
		}
		rs, err := k.SignPlain(digest)
		if err != nil || len(rs) != 2*c.OrderSize() || !VerifyPlain(k.Point(), digest, rs) {
			t.Fatalf("plain signature of %d octets: %v", length, err)
		}
		sig, err := k.Sign(nil, digest, nil)
		if err != nil || !VerifyDER(k.Point(), digest, sig) {
			t.Fatalf("DER signature of %d octets: %v", length, err)
		}
		if VerifyPlain(other, digest, rs) || VerifyDER(other, digest, sig) {
			t.Error("verifies with another key")
		}
		if bytes.Contains(sig, rs[:c.OrderSize()]) {
			t.Error("a nonce was used twice")
		}
		digest[0] ^= 0x80
		if VerifyPlain(k.Point(), digest, rs) || VerifyDER(k.Point(), digest, sig) {
			t.Error("verifies with another digest")
		}
	}
}

func TestSignaturesAsCryptoECDSA(t *testing.T) {
	for c, e := range map[*Curve]elliptic.Curve{P224(): elliptic.P224(), P256(): elliptic.P256(), P384(): elliptic.P384(), P521(): elliptic.P521()} {
		for range 5 {
			k, _ := pair(t, c)
			theirs, err := ecdsa.ParseRawPrivateKey(e, k.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range []crypto.Hash{crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				digest := make([]byte, h.Size())
				if _, err := rand.Read(digest); err != nil {
					t.Fatal(err)
				}
				sig, err := k.Sign(nil, digest, h)
				if err != nil || !ecdsa.VerifyASN1(&theirs.PublicKey, digest, sig) {
					t.Fatalf("%s, %v: our signature does not verify: %v", c, h, err)
				}
				if sig, err = theirs.Sign(rand.Reader, digest, h); err != nil || !VerifyDER(k.Point(), digest, sig) {
					t.Fatalf("%s, %v: their signature does not verify: %v", c, h, err)
				}
			}
		}
	}
}

// RFC 6979 §A.2.3–A.2.7: key, hash, nonce and signature, message "sample".
func TestSignWithNonceOfRFC6979(t *testing.T) {
	for _, v := range []struct {
		curve    *Curve
		key      string
		hash     crypto.Hash
		k, r, sv string
	}{
		{
			P192(), "6fab034934e4c0fc9ae67f5b5659a9d7d1fefd187ee09fd4", crypto.SHA256,
			"32b1b6d7d42a05cb449065727a84804fb1a3e34d8f261496",
			"4b0b8ce98a92866a2820e20aa6b75b56382e0f9bfd5ecb55",
			"ccdb006926ea9565cbadc840829d8c384e06de1f1e381b85",
		},
		{
			P192(), "6fab034934e4c0fc9ae67f5b5659a9d7d1fefd187ee09fd4", crypto.SHA512,
			"a2ac7ab055e4f20692d49209544c203a7d1f2c0bfbc75db1",
			"4d60c5ab1996bd848343b31c00850205e2ea6922dac2e4b8",
			"3f6e837448f027a1bf4b34e796e32a811cbb4050908d8f67",
		},
		{
			P224(), "f220266e1105bfe3083e03ec7a3a654651f45e37167e88600bf257c1", crypto.SHA224,
			"c1d1f2f10881088301880506805feb4825fe09acb6816c36991aa06d",
			"1cdfe6662dde1e4a1ec4cdedf6a1f5a2fb7fbd9145c12113e6abfd3e",
			"a6694fd7718a21053f225d3f46197ca699d45006c06f871808f43ebc",
		},
		{
			P224(), "f220266e1105bfe3083e03ec7a3a654651f45e37167e88600bf257c1", crypto.SHA512,
			"9db103ffededf9cfdba05184f925400c1653b8501bab89cea0fbec14",
			"074bd1d979d5f32bf958ddc61e4fb4872adcafeb2256497cdac30397",
			"a4ceca196c3d5a1ff31027b33185dc8ee43f288b21ab342e5d8eb084",
		},
		{
			P256(), "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", crypto.SHA256,
			"a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60",
			"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
			"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
		},
		{
			P256(), "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", crypto.SHA512,
			"5fa81c63109badb88c1f367b47da606da28cad69aa22c4fe6ad7df73a7173aa5",
			"8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00",
			"2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
		},
		{
			P384(), "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5", crypto.SHA256,
			"180ae9f9aec5438a44bc159a1fcb277c7be54fa20e7cf404b490650a8acc414e375572342863c899f9f2edf9747a9b60",
			"21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd",
			"f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0",
		},
		{
			P384(), "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5", crypto.SHA384,
			"94ed910d1a099dad3254e9242ae85abde4ba15168eaf0ca87a555fd56d10fbca2907e3e83ba95368623b8c4686915cf9",
			"94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
			"99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
		},
		{
			P521(), "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538", crypto.SHA256,
			"00edf38afcaaecab4383358b34d67c9f2216c8382aaea44a3dad5fdc9c32575761793fef24eb0fc276dfc4f6e3ec476752f043cf01415387470bcbd8678ed2c7e1a0",
			"01511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b3526012659d16876e25c7c1e57648f23b73564d67f61c6f14d527d54972810421e7d87589e1a7",
			"004a171143a83163d6df460aaf61522695f207a58b95c0644d87e52aa1a347916e4f7a72930b1bc06dbe22ce3f58264afd23704cbb63b29b931f7de6c9d949a7ecfc",
		},
		{
			P521(), "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538", crypto.SHA512,
			"01dae2ea071f8110dc26882d4d5eae0621a3256fc8847fb9022e2b7d28e6f10198b1574fdd03a9053c08a1854a168aa5a57470ec97dd5ce090124ef52a2f7ecbffd3",
			"00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa",
			"00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
		},
	} {
		k, err := v.curve.NewPrivateKey(unhex(t, v.key))
		if err != nil {
			t.Fatal(err)
		}
		h := v.hash.New()
		h.Write([]byte("sample"))
		digest := h.Sum(nil)
		nonce := limbsOf(new(big.Int).SetBytes(unhex(t, v.k)))
		r, s, ok := k.signWith(&nonce, digest)
		if !ok || !bytes.Equal(r, unhex(t, v.r)) || !bytes.Equal(s, unhex(t, v.sv)) {
			t.Errorf("%s, %v: %x %x", v.curve, v.hash, r, s)
		}
		if !VerifyPlain(k.Point(), digest, append(r, s...)) {
			t.Errorf("%s, %v does not verify", v.curve, v.hash)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	k, p := pair(t, P256())
	for name, digest := range map[string][]byte{"no digest": nil, "a short digest": make([]byte, 20)} {
		if _, err := k.Sign(nil, digest, crypto.SHA256); !errors.Is(err, ErrDigest) {
			t.Errorf("signs %s: %v", name, err)
		}
	}
	if _, err := k.SignPlain(nil); !errors.Is(err, ErrDigest) {
		t.Errorf("signs no digest: %v", err)
	}
	mapped, err := GenerateOn(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mapped.SignPlain(make([]byte, 32)); !errors.Is(err, ErrBase) {
		t.Errorf("signs on another base: %v", err)
	}
	if _, _, ok := k.signWith(&element{}, make([]byte, 32)); ok {
		t.Error("signs with a nonce of zero")
	}
}

// Nonces differ for one digest, and depend on key and digest besides the randomness.
func TestNonces(t *testing.T) {
	k, _ := pair(t, P521())
	seen := map[element]bool{}
	for range 50 {
		var n element
		if err := k.nonce(&n, []byte("digest")); err != nil {
			t.Fatal(err)
		}
		if isZero(&n) == 1 || !less(&n, &P521().group.order.value) || seen[n] {
			t.Fatal("bad nonce")
		}
		seen[n] = true
	}
}

func TestLeftBits(t *testing.T) {
	digest := []byte{0xAB, 0xCD, 0xEF}
	for n, want := range map[int]int64{24: 0xABCDEF, 30: 0xABCDEF, 23: 0x55E6F7, 20: 0xABCDE, 17: 0x1579B, 16: 0xABCD, 9: 0x157, 8: 0xAB, 7: 0x55, 1: 1} {
		if got := new(big.Int).SetBytes(leftBits(digest, n)); got.Int64() != want {
			t.Errorf("the left %d bits are %x, want %x", n, got, want)
		}
	}
	if !bytes.Equal(digest, []byte{0xAB, 0xCD, 0xEF}) {
		t.Error("the digest was changed")
	}
}
