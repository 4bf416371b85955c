package evidence

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/tamthe/tamthe/card/dh"
)

func TestEncrypt(t *testing.T) {
	one, two, other := must[*age.X25519Identity](t)(age.GenerateX25519Identity()), must[*age.X25519Identity](t)(age.GenerateX25519Identity()), must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	plain := []byte(schemaPrefix + "1\" and what follows")
	file, err := Encrypt(plain, []byte("# the court\n"+one.Recipient().String()+"\n"+two.Recipient().String()+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !Encrypted(file) || !Is(file) || bytes.Contains(file, plain) {
		t.Error("not encrypted")
	}
	for _, id := range []*age.X25519Identity{one, two} {
		got, err := Decrypt(file, []byte(id.String()+"\n"))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%q, %v", got, err)
		}
		for at := range file {
			changed := slices.Clone(file)
			changed[at] ^= 1
			if got, err := Decrypt(changed, []byte(id.String())); err == nil && !bytes.Equal(got, plain) || err != nil && got != nil {
				t.Fatalf("octet %d changed: %q, %v", at, got, err)
			}
		}
	}
	for name, key := range map[string]string{
		"another key": other.String(), "no key": "", "not a key": "AGE-SECRET-KEY-1SECRET", "a recipient": one.Recipient().String(),
	} {
		if got, err := Decrypt(file, []byte(key)); !errors.Is(err, ErrIdentity) || got != nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := Decrypt(file[:len(file)-1], []byte(one.String())); !errors.Is(err, ErrIdentity) {
		t.Errorf("cut short: %v", err)
	}
	large, err := Encrypt(make([]byte, MaxSize+1), []byte(one.Recipient().String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decrypt(large, []byte(one.String())); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string]string{
		"nobody": "", "a comment": "# nobody\n", "a word": "court\n", "an identity": one.String(),
		"another kind": one.Recipient().String() + "\n" + hybrid.Recipient().String(),
		"too many":     strings.Repeat(one.Recipient().String()+"\n", maxRecipients+1),
	} {
		if _, err := Encrypt(plain, []byte(list)); !errors.Is(err, ErrRecipients) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseDevice(t *testing.T) {
	for _, d := range []*Device{newDevice(t), newEd25519(t)} {
		id, err := ParseDevice(d.PublicPEM())
		if err != nil || id != d.ID() {
			t.Error(err)
		}
		for _, bad := range [][]byte{nil, d.PublicPEM()[5:], append(d.PublicPEM(), d.PublicPEM()...), bytes.ReplaceAll(d.PublicPEM(), []byte("PUBLIC"), []byte("PRIVATE"))} {
			if _, err := ParseDevice(bad); !errors.Is(err, ErrDeviceKey) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
	if _, err := NewDevice(must[*dh.PrivateKey](t)(dh.P384().Generate())); !errors.Is(err, ErrDeviceKey) {
		t.Errorf("P-384: %v", err)
	}
}

func FuzzParseDevice(f *testing.F) {
	f.Add(newDevice(f).PublicPEM())
	f.Add(newEd25519(f).PublicPEM())
	f.Fuzz(func(t *testing.T, text []byte) {
		if id, err := ParseDevice(text); err != nil && (id != [32]byte{} || !errors.Is(err, ErrDeviceKey)) {
			t.Errorf("%x, %v", id, err)
		}
	})
}
