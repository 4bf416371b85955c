package dh

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
)

var _ crypto.Signer = (*PrivateKey)(nil)

func TestScalarsAtTheEdges(t *testing.T) {
	for _, c := range every(t) {
		n := c.Parameters().N
		edge := func(d int64) []byte {
			return new(big.Int).Add(n, big.NewInt(d)).FillBytes(make([]byte, c.OrderSize()))
		}
		zero := make([]byte, c.OrderSize())
		one := append(zero[1:], 1)
		for _, s := range [][]byte{one, edge(-1), edge(-2)} {
			if k, err := c.NewPrivateKey(s); err != nil || !bytes.Equal(k.Bytes(), s) {
				t.Errorf("%s refuses %x: %v", c, s, err)
			}
		}
		refused := [][]byte{
			nil, {1}, zero, edge(0), edge(1), bytes.Repeat([]byte{0xFF}, c.OrderSize()), one[1:], append([]byte{0}, one...),
		}
		for _, s := range refused {
			if k, err := c.NewPrivateKey(s); !errors.Is(err, ErrScalar) || k != nil {
				t.Errorf("%s takes %x: %v", c, s, err)
			}
		}
	}
}

func TestKeysOfTwoCurves(t *testing.T) {
	k, _ := pair(t, P256())
	for _, other := range []*Point{BrainpoolP256r1().Generator(), P384().Generator(), nil} {
		if _, err := k.Multiply(other); !errors.Is(err, ErrCurve) {
			t.Errorf("Multiply: %v", err)
		}
		if _, err := k.ECDH(other); !errors.Is(err, ErrCurve) {
			t.Errorf("ECDH: %v", err)
		}
		if _, err := Map(P256(), []byte{1}, other); !errors.Is(err, ErrCurve) {
			t.Errorf("Map: %v", err)
		}
	}
}

func TestNewPrivateKeyKeepsACopy(t *testing.T) {
	s := append(make([]byte, 31), 7)
	k, err := P256().NewPrivateKey(s)
	if err != nil {
		t.Fatal(err)
	}
	clear(s)
	clear(k.Bytes())
	if got, err := k.Multiply(P256().Generator()); err != nil || !got.Equal(k.Point()) || k.Bytes()[31] != 7 {
		t.Errorf("the key changed with its octets: %v", err)
	}
}

func TestDestroy(t *testing.T) {
	k, p := pair(t, P256())
	held := k.scalar
	k.Destroy()
	k.Destroy()
	if *held != (element{}) || k.Bytes() != nil {
		t.Error("the scalar is still there")
	}
	if _, err := k.ECDH(p); !errors.Is(err, ErrDestroyed) {
		t.Errorf("ECDH: %v", err)
	}
	if _, err := k.SignPlain(make([]byte, 32)); !errors.Is(err, ErrDestroyed) {
		t.Errorf("SignPlain: %v", err)
	}
	if k.Point() == nil || k.Base() != P256().Generator() {
		t.Error("the public key is gone")
	}
}

func TestPrintingHidesKeys(t *testing.T) {
	k, _ := pair(t, BrainpoolP256r1())
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q", "%T"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", struct{ Key *PrivateKey }{k})
		fmt.Fprintf(&out, verb+"\n", []any{k})
	}
	fmt.Fprintln(&out, k.String(), k.GoString())
	slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", k)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "key", struct{ Key *PrivateKey }{k})
	if err := json.NewEncoder(&out).Encode(map[string]any{"key": k}); err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(out.String())
	secrets := []string{hex.EncodeToString(k.Bytes()[:4]), fmt.Sprint(k.Bytes()[:4])}
	for _, limb := range k.scalar[:4] {
		secrets = append(secrets, fmt.Sprint(limb), fmt.Sprintf("%x", limb))
	}
	for _, secret := range secrets {
		if strings.Contains(text, strings.Trim(secret, "[]")) {
			t.Fatalf("a private key is printed: %s", text)
		}
	}
	if !strings.Contains(text, "brainpoolp256r1 (redacted)") {
		t.Errorf("printed as %s", text)
	}
}
