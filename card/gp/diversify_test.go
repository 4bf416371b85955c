package gp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestVISA compares with keys computed with OpenSSL 3: des-ede of the input's octets.
func TestVISA(t *testing.T) {
	master := DESMaster("@ABCDEFGHIJKLMNO")
	k, err := VISA.Keys(t.Context(), master, KDD{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 0x20, 16)
	if err != nil || fmt.Sprintf("%X", k.MAC) != "AE524656B2ED8D61223340F95097336F" {
		t.Errorf("%X, %v", k.MAC, err)
	}
}

type failingMaster struct{ answer []byte }

var errHSM = errors.New("the HSM is gone")

func (m failingMaster) Derive(context.Context, []byte) ([]byte, error) {
	if m.answer != nil {
		return m.answer, nil
	}
	return nil, errHSM
}

func TestDiversifyFails(t *testing.T) {
	for name, c := range map[string]struct {
		rule   Rule
		master Master
		size   int
		want   error
	}{
		"no HSM":           {KDF3, failingMaster{}, 32, errHSM},
		"short answer":     {KDF3, failingMaster{make([]byte, 8)}, 32, ErrKeys},
		"long answer":      {KDF3, failingMaster{make([]byte, 32)}, 32, ErrKeys},
		"size":             {KDF3, AESMaster(make([]byte, 16)), 20, ErrKeys},
		"AES-256 by VISA2": {VISA2, DESMaster(make([]byte, 16)), 32, ErrKeys},
		"unknown rule":     {9, DESMaster(make([]byte, 16)), 16, ErrKeys},
		"short master":     {KDF3, AESMaster(make([]byte, 15)), 16, ErrKeys},
		"3DES master":      {EMV, DESMaster(make([]byte, 24)), 16, ErrKeys},
	} {
		if k, err := c.rule.Keys(t.Context(), c.master, KDD{}, 0x31, c.size); !errors.Is(err, c.want) || k.Enc != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, m := range []any{AESMaster("secretsecretsecr"), DESMaster("secretsecretsecr")} {
		if s := fmt.Sprintf("%v %s %x %#v", m, m, m, m); strings.Contains(s, "secret") || strings.Contains(s, "736563") {
			t.Errorf("prints %s", s)
		}
	}
}
