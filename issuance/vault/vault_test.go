package vault

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func newKey(t *testing.T, version uint32, fill byte) *Key {
	t.Helper()
	k, err := NewKey(version, bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var here = Place{"attachment", "0192", "person"}

func TestSealOpen(t *testing.T) {
	k := newKey(t, 7, 1)
	for _, plain := range []string{"", "x", strings.Repeat("Nguyễn ", 1000)} {
		one, err := k.Seal(here, []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		two, _ := k.Seal(here, []byte(plain))
		if bytes.Equal(one, two) {
			t.Error("sealing twice gives the same octets")
		}
		if len(plain) > 1 && bytes.Contains(one, []byte(plain)) {
			t.Error("sealed data hold the plain text")
		}
		if v := binary.BigEndian.Uint32(one[1:]); v != 7 {
			t.Errorf("key version %d", v)
		}
		s, err := k.Open(here, one)
		if err != nil || string(s.Bytes()) != plain {
			t.Errorf("Open = %v", err)
		}
	}
}

// TestPlaces: data moved to another row, column or table do not open, whatever the
// lengths of the parts of a place's name.
func TestPlaces(t *testing.T) {
	k := newKey(t, 1, 1)
	sealed, _ := k.Seal(here, []byte("secret"))
	for _, at := range []Place{
		{"attachment", "0193", "person"},
		{"attachment", "0192", "portrait"},
		{"attachments", "0192", "person"},
		{"attachment0", "192", "person"},
		{"attachment", "0192p", "erson"},
		{},
	} {
		if _, err := k.Open(at, sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func TestWrongKey(t *testing.T) {
	sealed, _ := newKey(t, 1, 1).Seal(here, []byte("secret"))
	if _, err := newKey(t, 1, 2).Open(here, sealed); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	if _, err := newKey(t, 2, 1).Open(here, sealed); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
	relabelled := bytes.Clone(sealed)
	relabelled[4] = 2
	if _, err := newKey(t, 2, 1).Open(here, relabelled); !errors.Is(err, ErrSealed) {
		t.Error("the version is not authenticated:", err)
	}
	if _, err := NewKey(1, make([]byte, 16)); err == nil {
		t.Error("a short key is taken")
	}
}

func TestEveryOctetCounts(t *testing.T) {
	k := newKey(t, 1, 1)
	sealed, _ := k.Seal(here, []byte("secret"))
	for i := range sealed {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		if _, err := k.Open(here, b); err == nil {
			t.Errorf("octet %d may be changed", i)
		}
		if _, err := k.Open(here, sealed[:i]); !errors.Is(err, ErrSealed) {
			t.Errorf("%d octets: %v", i, err)
		}
	}
}

func TestDestroy(t *testing.T) {
	secret := bytes.Repeat([]byte{9}, KeySize)
	k, err := NewKey(1, secret)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := k.Seal(here, []byte("secret"))
	k.Destroy()
	k.Destroy()
	if !bytes.Equal(secret, make([]byte, KeySize)) {
		t.Error("the secret is still there")
	}
	if _, err := k.Open(here, sealed); err == nil {
		t.Error("a destroyed key opens")
	}
	if _, err := k.Seal(here, nil); err == nil {
		t.Error("a destroyed key seals")
	}
}

func TestPerson(t *testing.T) {
	name := func(k *Key, identity string) string {
		n, err := k.Person(identity)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	k := newKey(t, 1, 1)
	a := name(k, "003002000017")
	if a != name(k, "003002000017") || len(a) != 64 {
		t.Error("a person has two names")
	}
	if a == name(k, "003002000018") || a == name(newKey(t, 1, 2), "003002000017") {
		t.Error("two persons have one name")
	}
	k.Destroy()
	if _, err := k.Person("003002000017"); err == nil {
		t.Error("a destroyed key names persons")
	}
}

func TestHidden(t *testing.T) {
	s := &Secret{[]byte("Nguyễn Văn An")}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "person", s)
	j, err := json.Marshal(map[string]any{"person": s})
	if err != nil {
		t.Fatal(err)
	}
	k := newKey(t, 1, 'K')
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %v", s, s, s, s, *s), log.String(), string(j),
		fmt.Sprintf("%v %+v %#v %v %d", k, k, k, *k, k), fmt.Sprintf("%d", s),
	} {
		if strings.Contains(text, "Nguy") || strings.Contains(text, "KKK") || strings.Contains(text, "75") {
			t.Errorf("it prints: %s", text)
		}
	}
	s.Destroy()
	if s.Bytes() != nil {
		t.Error("destroyed data are still there")
	}
}

func FuzzOpen(f *testing.F) {
	k, _ := NewKey(1, make([]byte, KeySize))
	sealed, _ := k.Seal(here, []byte("secret"))
	f.Add(sealed)
	f.Add([]byte{format})
	f.Fuzz(func(t *testing.T, b []byte) {
		// Each process of a fuzzer seals its own seed.
		if s, err := k.Open(here, b); err == nil && string(s.Bytes()) != "secret" {
			t.Fatalf("forged: %x", s.Bytes())
		}
	})
}
