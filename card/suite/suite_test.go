package suite

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestKeyDerivation checks Doc 9303-11 App. D.1 and App. G.1: BAC keys with parity, and
// K_π and session keys of AES-128.
func TestKeyDerivation(t *testing.T) {
	for _, c := range []struct {
		name, secret, want string
		counter            uint32
		cipher             Cipher
	}{
		{"D.1 K_Enc", "239AB9CB282DAF66231DC5A4DF6BFBAE", "AB94FDECF2674FDFB9B391F85D7F76F2", CounterEnc, TDES},
		{"D.1 K_MAC", "239AB9CB282DAF66231DC5A4DF6BFBAE", "7962D9ECE03D1ACD4C76089DCE131543", CounterMAC, TDES},
		{"D.3 KS_Enc", "0036D272F5C350ACAC50C3F572D23600", "979EC13B1CBFE9DCD01AB0FED307EAE5", CounterEnc, TDES},
		{"D.3 KS_MAC", "0036D272F5C350ACAC50C3F572D23600", "F1CB1F1FB5ADF208806B89DC579DC1F8", CounterMAC, TDES},
		{"G.1 K_π", "7E2D2A41C74EA0B38CD36F863939BFA8E9032AAD", "89DED1B26624EC1E634C1989302849DD", CounterPACE, AES128},
		{"G.1 KS_Enc", "28768D20701247DAE81804C9E780EDE582A9996DB4A315020B2733197DB84925", "F5F0E35C0D7161EE6724EE513A0D9A7F", CounterEnc, AES128},
		{"G.1 KS_MAC", "28768D20701247DAE81804C9E780EDE582A9996DB4A315020B2733197DB84925", "FE251C7858B356B24514B3BD5F4297D1", CounterMAC, AES128},
	} {
		if got := KDF(unhex(t, c.secret), c.counter, c.cipher); !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s: %X, want %s", c.name, got, c.want)
		}
	}
	for _, c := range []Cipher{TDES, AES128, AES192, AES256} {
		if n := len(KDF([]byte("secret"), CounterEnc, c)); n != c.KeySize() {
			t.Errorf("%v: key of %d octets, want %d", c, n, c.KeySize())
		}
	}
}

// TestCMACOfSP80038B runs the examples of NIST SP 800-38B, for AES and for 3DES.
func TestCMACOfSP80038B(t *testing.T) {
	var file struct {
		Cases []struct{ ID, Key, Message, MAC, Cipher string }
	}
	if err := json.Unmarshal(testdata.Vectors(t, "crypto/cmac.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 10 {
		t.Fatalf("only %d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		key := unhex(t, c.Key)
		var b cipher.Block
		var err error
		if c.Cipher == "3des" {
			b, err = des.NewTripleDESCipher(key)
		} else {
			b, err = aes.NewCipher(key)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := CMAC(b, unhex(t, c.Message)); !bytes.Equal(got, unhex(t, c.MAC)) {
			t.Errorf("%s: %x, want %s", c.ID, got, c.MAC)
		}
	}
}

func TestCMACOfWycheproof(t *testing.T) {
	var file struct {
		TestGroups []struct {
			KeySize, TagSize int
			Tests            []struct {
				TcID                           int
				Comment, Key, Msg, Tag, Result string
			}
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "wycheproof/aes_cmac.json"), &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range file.TestGroups {
		for _, c := range g.Tests {
			b, err := aes.NewCipher(unhex(t, c.Key))
			ok := err == nil && bytes.Equal(CMAC(b, unhex(t, c.Msg))[:g.TagSize/8], unhex(t, c.Tag))
			if ok != (c.Result == "valid") {
				t.Errorf("case %d (%s): accepted is %v, want %s", c.TcID, c.Comment, ok, c.Result)
			}
			n++
		}
	}
	if n < 100 {
		t.Fatalf("only %d cases", n)
	}
}

// TestRetailMAC checks the tokens of Doc 9303-11 App. D.3.
func TestRetailMAC(t *testing.T) {
	key := unhex(t, "7962D9ECE03D1ACD4C76089DCE131543")
	for _, c := range [][2]string{
		{"72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2", "5F1448EEA8AD90A7"},
		{"46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F", "2F2D235D074D7449"},
	} {
		got, err := RetailMAC(key, unhex(t, c[0]))
		if err != nil || !bytes.Equal(got, unhex(t, c[1])) {
			t.Errorf("%X, %v; want %s", got, err, c[1])
		}
	}
}

func TestVerifyTakesWholeMAC(t *testing.T) {
	for _, c := range []Cipher{TDES, AES128, AES192, AES256} {
		key, message := bytes.Repeat([]byte{1}, c.KeySize()), []byte("message")
		mac, err := c.MAC(key, message)
		if err != nil || len(mac) != MACSize {
			t.Fatalf("%v: %X, %v", c, mac, err)
		}
		if !c.Verify(key, message, mac) {
			t.Errorf("%v: own MAC is refused", c)
		}
		for n := range mac {
			if c.Verify(key, message, mac[:n]) {
				t.Errorf("%v: MAC of %d octets is taken", c, n)
			}
			mac[n] ^= 1
			if c.Verify(key, message, mac) {
				t.Errorf("%v: MAC with a wrong octet %d is taken", c, n)
			}
			mac[n] ^= 1
		}
		if c.Verify(key, message, append(mac, 0)) || c.Verify(key[1:], message, mac) {
			t.Errorf("%v: a longer MAC or a short key is taken", c)
		}
	}
}

func TestPadding(t *testing.T) {
	for _, size := range []int{8, 16} {
		for n := range 3 * size {
			data := bytes.Repeat([]byte{0x80}, n)
			p := Pad(data, size)
			if len(p)%size != 0 || len(p) <= n || len(p) > n+size {
				t.Fatalf("%d octets padded to %d", n, len(p))
			}
			if got, err := Unpad(p, size); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d octets come back as %x, %v", n, got, err)
			}
		}
	}
	for _, bad := range []string{
		"", "80", "00000000000000", "0000000000000000", "6014000000000001", "6014000000008001",
		"8000000000000000" + "0000000000000000", "FFFFFFFFFFFFFFFF",
	} {
		if got, err := Unpad(unhex(t, bad), 8); err == nil {
			t.Errorf("%s is taken as %x", bad, got)
		}
	}
}

func TestEncryptRefusesWrongSizes(t *testing.T) {
	key := make([]byte, 16)
	for _, err := range []error{
		second(AES128.Encrypt(key, nil, make([]byte, 15))),
		second(AES128.Encrypt(key, make([]byte, 8), make([]byte, 16))),
		second(AES256.Encrypt(key, nil, make([]byte, 16))),
		second(Cipher(0).Encrypt(key, nil, make([]byte, 16))),
		second(TDES.Decrypt(key[:8], nil, make([]byte, 8))),
		second(RetailMAC(key[:8], nil)),
		second(AES192.MAC(key, nil)),
	} {
		if err == nil {
			t.Error("a wrong size is taken")
		}
	}
}

func second(_ []byte, err error) error { return err }

func FuzzUnpad(f *testing.F) {
	f.Add([]byte("\x01\x80\x00\x00\x00\x00\x00\x00"))
	f.Add(make([]byte, 16))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, size := range []int{8, 16} {
			data, err := Unpad(b, size)
			if err == nil && !bytes.Equal(Pad(data, size), b) {
				t.Errorf("%x is taken as %x", b, data)
			}
		}
	})
}
