package keystore

import (
	"bytes"
	"errors"
	"testing"
)

func TestWrap(t *testing.T) {
	ctx := t.Context()
	s, other := &Secret{bytes.Repeat([]byte{1}, SecretSize)}, &Secret{bytes.Repeat([]byte{2}, SecretSize)}
	key := []byte("0123456789abcdef0123456789abcdef")
	wrapped, err := s.Wrap(ctx, key, []byte("label"))
	if err != nil || bytes.Contains(wrapped, key) {
		t.Fatal(err)
	}
	if got, err := s.Unwrap(ctx, wrapped, []byte("label")); err != nil || !bytes.Equal(got, key) {
		t.Error("it does not come back:", err)
	}
	for name, f := range map[string]func() ([]byte, error){
		"another label": func() ([]byte, error) { return s.Unwrap(ctx, wrapped, []byte("lable")) },
		"no label":      func() ([]byte, error) { return s.Unwrap(ctx, wrapped, nil) },
		"another key":   func() ([]byte, error) { return other.Unwrap(ctx, wrapped, []byte("label")) },
		"nothing":       func() ([]byte, error) { return s.Unwrap(ctx, nil, []byte("label")) },
	} {
		if _, err := f(); !errors.Is(err, ErrWrapped) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range wrapped {
		b := bytes.Clone(wrapped)
		b[i] ^= 1
		if _, err := s.Unwrap(ctx, b, []byte("label")); !errors.Is(err, ErrWrapped) {
			t.Errorf("octet %d may be changed: %v", i, err)
		}
	}
	s.Destroy()
	if _, err := s.Wrap(ctx, key, nil); err == nil {
		t.Error("a destroyed key wraps")
	}
}
