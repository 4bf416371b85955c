package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

var (
	here = Place{"attachment", "0192", "person"}
	ctx  = context.Background()
)

// memory keeps keys as the databases do.
type memory struct {
	keys map[string][]byte
	fail error
}

func name(subject string, class uint32) string { return fmt.Sprintf("%d %s", class, subject) }

func (m *memory) Key(_ context.Context, subject string, class uint32) ([]byte, bool, error) {
	wrapped, known := m.keys[name(subject, class)]
	return bytes.Clone(wrapped), known, m.fail
}

func (m *memory) Add(_ context.Context, subject string, class uint32, wrapped []byte) error {
	if _, known := m.keys[name(subject, class)]; !known {
		m.keys[name(subject, class)] = wrapped
	}
	return m.fail
}

func (m *memory) Destroy(_ context.Context, subject string, class uint32) error {
	m.keys[name(subject, class)] = nil
	return m.fail
}

// mask is a wrapper with which one can see that the label counts.
type mask byte

var errMask = errors.New("another label")

func (m mask) Wrap(_ context.Context, key, label []byte) ([]byte, error) {
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(label))), label...)
	for _, b := range key {
		out = append(out, b^byte(m))
	}
	return out, nil
}

func (m mask) Unwrap(_ context.Context, wrapped, label []byte) ([]byte, error) {
	prefix := append(binary.BigEndian.AppendUint32(nil, uint32(len(label))), label...)
	rest, ok := bytes.CutPrefix(wrapped, prefix)
	if !ok {
		return nil, errMask
	}
	for i := range rest {
		rest[i] ^= byte(m)
	}
	return rest, nil
}

func newVault(t *testing.T) (*Vault, *memory) {
	t.Helper()
	m := &memory{keys: map[string][]byte{}}
	v, err := Create(ctx, m, mask(7))
	if err != nil {
		t.Fatal(err)
	}
	return v, m
}

func seal(t *testing.T, v *Vault, subject string, class Class, plain string) []byte {
	t.Helper()
	b, err := v.Seal(ctx, subject, class, here, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealOpen(t *testing.T) {
	v, m := newVault(t)
	for _, class := range []Class{Technical, Personal, Biometric} {
		for _, plain := range []string{"", "x", strings.Repeat("Nguyễn ", 1000)} {
			one, two := seal(t, v, "A-1", class, plain), seal(t, v, "A-1", class, plain)
			if bytes.Equal(one, two) {
				t.Error("sealing twice gives the same octets")
			}
			if len(plain) > 1 && bytes.Contains(one, []byte(plain)) {
				t.Error("sealed data hold the plain text")
			}
			if c, err := ClassOf(one); err != nil || c != class || binary.BigEndian.Uint32(one[1:]) != uint32(class) || one[0] != 1 {
				t.Errorf("class %d, %v", c, err)
			}
			s, err := v.Open(ctx, "A-1", here, one)
			if err != nil || string(s.Bytes()) != plain {
				t.Errorf("Open = %v", err)
			}
			again, err := Open(ctx, m, mask(7))
			if err != nil {
				t.Fatal(err)
			}
			if s, err := again.Open(ctx, "A-1", here, one); err != nil || string(s.Bytes()) != plain {
				t.Errorf("another program: %v", err)
			}
		}
	}
}

// TestSubjects: a subject's data open with no other subject's key, and not before the
// subject has one.
func TestSubjects(t *testing.T) {
	v, _ := newVault(t)
	for _, class := range []Class{Personal, Biometric} {
		sealed := seal(t, v, "A-1", class, "secret")
		if _, err := v.Open(ctx, "A-2", here, sealed); !errors.Is(err, ErrNoKey) {
			t.Error("before there is a key:", err)
		}
		seal(t, v, "A-2", class, "other")
		if _, err := v.Open(ctx, "A-2", here, sealed); !errors.Is(err, ErrSealed) {
			t.Error("with another's key:", err)
		}
		for _, other := range []Class{Technical, Personal, Biometric, pseudonym, 0, 9} {
			relabelled := bytes.Clone(sealed)
			binary.BigEndian.PutUint32(relabelled[1:], uint32(other))
			if _, err := v.Open(ctx, "A-1", here, relabelled); (err == nil) != (other == class) {
				t.Errorf("class %d as %d: %v", class, other, err)
			}
		}
	}
	for _, class := range []Class{0, pseudonym, 9} {
		if _, err := v.Seal(ctx, "A-1", class, here, nil); err == nil {
			t.Errorf("it seals under class %d", class)
		}
	}
	if _, err := v.Seal(ctx, "", Personal, here, nil); !errors.Is(err, ErrNoKey) {
		t.Error("personal data of nobody:", err)
	}
}

// TestShred: after it neither this nor another program opens, or seals anew, what was
// the subject's; all else stays.
func TestShred(t *testing.T) {
	v, m := newVault(t)
	portrait, data, other := seal(t, v, "A-1", Biometric, "p"), seal(t, v, "A-1", Personal, "d"), seal(t, v, "A-2", Biometric, "o")
	technical := seal(t, v, "A-1", Technical, "t")
	gone := func(sealed []byte, class Class) {
		t.Helper()
		again, err := Open(ctx, m, mask(7))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []*Vault{v, again} {
			if _, err := v.Open(ctx, "A-1", here, sealed); !errors.Is(err, ErrShredded) {
				t.Error("it opens:", err)
			}
			if _, err := v.Seal(ctx, "A-1", class, here, nil); !errors.Is(err, ErrShredded) {
				t.Error("it seals anew:", err)
			}
		}
	}
	stays := func(subject string, sealed []byte) {
		t.Helper()
		if _, err := v.Open(ctx, subject, here, sealed); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := v.Shred(ctx, "A-1", Biometric); err != nil {
			t.Fatal(err)
		}
		gone(portrait, Biometric)
		stays("A-1", data)
	}
	if err := v.Shred(ctx, "A-1", Personal, Biometric); err != nil {
		t.Fatal(err)
	}
	gone(portrait, Biometric)
	gone(data, Personal)
	stays("A-1", technical)
	stays("A-2", other)
	if err := v.Shred(ctx, "A-9", Personal); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Seal(ctx, "A-9", Personal, here, nil); !errors.Is(err, ErrShredded) {
		t.Error("a subject that was shredded before it had a key gets one:", err)
	}
	for _, err := range []error{v.Shred(ctx, "", Personal), v.Shred(ctx, "A-1", Technical), v.Shred(ctx, "", pseudonym)} {
		if !errors.Is(err, ErrNoKey) {
			t.Error("the office's keys can be shredded:", err)
		}
	}
}

// TestWrapped: a key opens only as whose and what it was wrapped, and with its wrapper.
func TestWrapped(t *testing.T) {
	v, m := newVault(t)
	sealed := seal(t, v, "A-1", Personal, "secret")
	seal(t, v, "A-2", Personal, "other")
	m.keys[name("A-2", 2)], m.keys[name("A-1", 3)] = m.keys[name("A-1", 2)], m.keys[name("A-1", 2)]
	if _, err := v.Open(ctx, "A-2", here, sealed); !errors.Is(err, errMask) {
		t.Error("a key moved to another subject opens:", err)
	}
	if _, err := v.Seal(ctx, "A-1", Biometric, here, nil); !errors.Is(err, errMask) {
		t.Error("a key moved to another class seals:", err)
	}
	m.fail = errors.New("no disk")
	for _, err := range []error{v.Shred(ctx, "A-1", Personal), second(v.Seal(ctx, "A-3", Personal, here, nil)), second(v.Open(ctx, "A-1", here, sealed))} {
		if !errors.Is(err, m.fail) {
			t.Error(err)
		}
	}
	m.fail = nil
	m.keys[name("", 1)] = []byte("short")
	if _, err := Open(ctx, m, mask(7)); err == nil {
		t.Error("a vault without its own key opens")
	}
}

func second[T any](_ T, err error) error { return err }

// TestPlaces: data moved to another row, column or table do not open, whatever the
// lengths of the parts of a place's name.
func TestPlaces(t *testing.T) {
	v, _ := newVault(t)
	sealed := seal(t, v, "A-1", Personal, "secret")
	for _, at := range []Place{
		{"attachment", "0193", "person"},
		{"attachment", "0192", "portrait"},
		{"attachments", "0192", "person"},
		{"attachment0", "192", "person"},
		{"attachment", "0192p", "erson"},
		{},
	} {
		if _, err := v.Open(ctx, "A-1", at, sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func TestEveryOctetCounts(t *testing.T) {
	v, _ := newVault(t)
	sealed := seal(t, v, "A-1", Personal, "secret")
	for i := range sealed {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		if _, err := v.Open(ctx, "A-1", here, b); err == nil {
			t.Errorf("octet %d may be changed", i)
		}
		if _, err := v.Open(ctx, "A-1", here, sealed[:i]); err == nil {
			t.Errorf("%d octets open", i)
		}
	}
}

// What the version with one key made of the key 01…01.
const (
	sealedByOneKey = "01000000015729673f52f9c0e49c92882bb7d3f7d270cbb27131ad4609c49dfc0f8a117ffccb6acd33"
	personByOneKey = "77dec1111cc6d844489e9b2592f0dc4beed39e77f7c8d4eca8d7d1b3bc4209f2"
)

// TestImport: what an office of an earlier version sealed under its only key opens, and
// persons have the names that they had.
func TestImport(t *testing.T) {
	secret := bytes.Repeat([]byte{1}, KeySize)
	m := &memory{keys: map[string][]byte{}}
	v, err := Import(ctx, m, mask(7), secret)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := hex.DecodeString(sealedByOneKey)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := v.Open(ctx, "A-1", here, sealed); err != nil || string(s.Bytes()) != "Nguyễn" {
		t.Error("what was sealed:", err)
	}
	if who, err := v.Person("003002000017"); err != nil || who != personByOneKey {
		t.Error(who, err)
	}
	if !bytes.Equal(secret, bytes.Repeat([]byte{1}, KeySize)) {
		t.Error("the secret was changed")
	}
	if _, err := Import(ctx, m, mask(7), secret[1:]); err == nil {
		t.Error("a short key is taken")
	}
}

func TestPerson(t *testing.T) {
	who := func(v *Vault, identity string) string {
		n, err := v.Person(identity)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	v, _ := newVault(t)
	other, _ := newVault(t)
	a := who(v, "003002000017")
	if a != who(v, "003002000017") || len(a) != 64 {
		t.Error("a person has two names")
	}
	if a == who(v, "003002000018") || a == who(other, "003002000017") {
		t.Error("two persons have one name")
	}
	v.Destroy()
	v.Destroy()
	if _, err := v.Person("003002000017"); err == nil {
		t.Error("a destroyed vault names persons")
	}
	if _, err := v.Seal(ctx, "A-1", Technical, here, nil); err == nil {
		t.Error("a destroyed vault seals")
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
	k, err := newKey(1, bytes.Repeat([]byte{'K'}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	v := &Vault{own: map[Class]*key{Technical: k}}
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %v", s, s, s, s, *s), log.String(), string(j),
		fmt.Sprintf("%v %+v %#v %v %d", k, k, k, *k, k), fmt.Sprintf("%d", s), fmt.Sprintf("%v %+v", v, *v),
	} {
		if strings.Contains(text, "Nguy") || strings.Contains(text, "KKK") || strings.Contains(text, "75 75") {
			t.Errorf("it prints: %s", text)
		}
	}
	s.Destroy()
	if s.Bytes() != nil {
		t.Error("destroyed data are still there")
	}
}

func FuzzOpen(f *testing.F) {
	m := &memory{keys: map[string][]byte{}}
	v, err := Create(ctx, m, mask(7))
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := v.Seal(ctx, "A-1", Personal, here, []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{format})
	f.Fuzz(func(t *testing.T, b []byte) {
		// Each process of a fuzzer seals its own seed.
		if s, err := v.Open(ctx, "A-1", here, b); err == nil && string(s.Bytes()) != "secret" {
			t.Fatalf("forged: %x", s.Bytes())
		}
	})
}

// A desk that joined names persons as its office does and opens what is technical, and
// nothing of the office's subjects.
func TestJoin(t *testing.T) {
	office, err := Create(ctx, &memory{keys: map[string][]byte{}}, mask(1))
	if err != nil {
		t.Fatal(err)
	}
	shared := office.Share()
	apart, err := Join(ctx, &memory{keys: map[string][]byte{}}, mask(2), shared.Bytes())
	shared.Destroy()
	if err != nil {
		t.Fatal(err)
	}
	one, err1 := office.Person("003190000017")
	two, err2 := apart.Person("003190000017")
	if err1 != nil || err2 != nil || one != two {
		t.Errorf("a person is %q and %q", one, two)
	}
	for class, want := range map[Class]error{Technical: nil, Personal: ErrNoKey, Biometric: ErrNoKey} {
		sealed, err := office.Seal(ctx, "A-1", class, here, []byte("sealed"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := apart.Open(ctx, "A-1", here, sealed)
		if !errors.Is(err, want) || want == nil && string(got.Bytes()) != "sealed" {
			t.Errorf("class %d opens with %v, want %v", class, err, want)
		}
	}
	for _, n := range []int{0, KeySize, 2*KeySize + 1} {
		if _, err := Join(ctx, &memory{keys: map[string][]byte{}}, mask(2), make([]byte, n)); err == nil {
			t.Errorf("joined with %d octets", n)
		}
	}
}
