package keystore

import (
	"bytes"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/gp"
)

// component writes a component with its check value as package gp computes it.
func component(t *testing.T, octets []byte) *Component {
	t.Helper()
	c, err := ParseComponent(fmt.Appendf(nil, "%X / %s", octets, gpCheck(t, octets)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func xor(a, b []byte) []byte {
	c := make([]byte, len(a))
	subtle.XORBytes(c, a, b)
	return c
}

func gpCheck(t *testing.T, key []byte) KCV {
	t.Helper()
	v, err := (gp.Keys{Enc: key, MAC: key, DEK: key}).CheckValues()
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

// TestComponents: the exclusive or of the components is GlobalPlatform's transport key,
// whose check value the whole trade knows: 404142…4F has 504A77.
func TestComponents(t *testing.T) {
	key := gp.TransportKeys().Enc
	want, err := ParseKCV("504A77")
	if err != nil || gpCheck(t, key) != want {
		t.Fatalf("%s, %v", gpCheck(t, key), err)
	}
	one, two := bytes.Repeat([]byte{0xA5}, 16), bytes.Repeat([]byte{0x3C}, 16)
	three := make([]byte, 16)
	for i := range three {
		three[i] = key[i] ^ one[i] ^ two[i]
	}
	parts := []*Component{component(t, one), component(t, two), component(t, three)}
	got, err := Combine(want, parts...)
	if err != nil || !bytes.Equal(got.Bytes(), key) {
		t.Fatalf("%v, %v", got, err)
	}
	zero := component(t, make([]byte, 16))
	long := component(t, append(bytes.Clone(xor(key, one)), two...)) // its first half would make the key
	for what, c := range map[string][]*Component{
		"none": nil, "one": parts[:1], "one missing": parts[:2], "one of zeros": {parts[0], zero}, "one twice": {parts[0], parts[1], parts[0]},
		"another length": {parts[0], long},
	} {
		if got, err := Combine(want, c...); !errors.Is(err, ErrComponent) || got != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, text := range []string{
		"", "A5A5", strings.Repeat("A5", 16), strings.Repeat("A5", 16) + "/000000", strings.Repeat("A5", 15) + "/504A77",
		strings.Repeat("A5", 16) + "/50", "hello / 504A77", strings.Repeat(" ", maxComponent+1),
	} {
		if c, err := ParseComponent([]byte(text)); !errors.Is(err, ErrComponent) || c != nil || text != "" && strings.Contains(err.Error(), "A5A5A5") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		if out := fmt.Sprintf(verb, parts[0]); strings.Contains(strings.ToLower(out), "a5a5") {
			t.Errorf("%s prints %s", verb, out)
		}
	}
	parts[0].Destroy()
	if _, err := Combine(want, parts...); !errors.Is(err, ErrComponent) {
		t.Errorf("destroyed: %v", err)
	}
}

func TestStoreWrapped(t *testing.T) {
	ctx := t.Context()
	f := Folder{Dir: t.TempDir()}
	for _, name := range []string{"kek", "other"} {
		if err := f.GenerateSecret(ctx, name, UseTransport); err != nil {
			t.Fatal(err)
		}
	}
	kek, err := f.Wrapper(ctx, "kek")
	if err != nil {
		t.Fatal(err)
	}
	key := bytes.Repeat([]byte{0x11}, 24)
	kcv := gpCheck(t, key)
	if err := StoreWrapped(ctx, f, "transport-b1", kcv, &Secret{bytes.Clone(key)}, kek); err != nil {
		t.Fatal(err)
	}
	got, check, err := OpenWrapped(ctx, f, "transport-b1", kek)
	if err != nil || check != kcv || !bytes.Equal(got.Bytes(), key) {
		t.Errorf("%v %v", check, err)
	}
	if err := StoreWrapped(ctx, f, "transport-b1", kcv, got, kek); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	raw, err := os.ReadFile(filepath.Join(f.Dir, "transport-b1"))
	if err != nil || bytes.Contains(raw, []byte(hex.EncodeToString(key))) || bytes.Contains(raw, key) {
		t.Errorf("%v\n%s", err, raw)
	}
	other, err := f.Wrapper(ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenWrapped(ctx, f, "transport-b1", other); !errors.Is(err, ErrWrapped) {
		t.Errorf("another wrapper: %v", err)
	}
	if err := os.Rename(filepath.Join(f.Dir, "transport-b1"), filepath.Join(f.Dir, "transport-b2")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenWrapped(ctx, f, "transport-b2", kek); !errors.Is(err, ErrWrapped) {
		t.Errorf("another name: %v", err)
	}
	if _, _, err := OpenWrapped(ctx, f, "transport-b1", kek); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
}

// TestWrappedCheckValue: whoever may wrap cannot have a key taken for another's check value.
func TestWrappedCheckValue(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	if err := f.GenerateSecret(t.Context(), "kek", UseTransport); err != nil {
		t.Fatal(err)
	}
	kek, err := f.Wrapper(t.Context(), "kek")
	if err != nil {
		t.Fatal(err)
	}
	key, other := bytes.Repeat([]byte{0x11}, 16), bytes.Repeat([]byte{0x12}, 16)
	if err := StoreWrapped(t.Context(), f, "transport-b1", gpCheck(t, other), &Secret{key}, kek); err != nil {
		t.Fatal(err)
	}
	if got, _, err := OpenWrapped(t.Context(), f, "transport-b1", kek); got != nil || !errors.Is(err, ErrFormat) {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzParseComponent(f *testing.F) {
	f.Add([]byte("404142434445464748494A4B4C4D4E4F / 504A77"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseComponent(text)
		if (err == nil) == (c == nil) {
			t.Errorf("%v, %v", c, err)
		}
	})
}
