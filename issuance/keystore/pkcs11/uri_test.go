package pkcs11

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The examples of RFC 7512 §3 that name a module by its path, and what we refuse of them.
func TestParseURI(t *testing.T) {
	for text, want := range map[string]URI{
		"pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1": {Object: "my-sign-key", ModulePath: "/mnt/libmypkcs11.so.1"},
		"pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=private;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin&module-path=/m.so": {
			Token: "Software PKCS#11 softtoken", Manufacturer: "Snake Oil, Inc.", Model: "1.0", Object: "my-certificate",
			ID: []byte{0x69, 0x95, 0x3E, 0x5C, 0xF4, 0xBD, 0xEC, 0x91}, PINSource: "file:/etc/token_pin", ModulePath: "/m.so",
		},
		"pkcs11:slot-id=327;token=a:b@c?module-path=/m.so&pin-source=fd:3": {Slot: "327", Token: "a:b@c", ModulePath: "/m.so", PINSource: "fd:3"},
		"pkcs11:?module-path=/m.so":                                        {ModulePath: "/m.so"},
		"pkcs11:token=%E1%BA%A5?module-path=/m.so":                         {Token: "ấ", ModulePath: "/m.so"},
	} {
		got, err := ParseURI(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		again, err := ParseURI(got.String())
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s: %+v, %v", got, again, err)
		}
	}
	for _, text := range []string{
		"", "pkcs11:", "PKCS11:token=a?module-path=/m.so", "file:x",
		"pkcs11:token=a",                                        // no module
		"pkcs11:token=a?module-path=m.so",                       // found in whatever folder we are
		"pkcs11:token=a;token=b?module-path=/m.so",              // twice
		"pkcs11:token=a?module-path=/m.so&module-path=/n.so",    // twice
		"pkcs11:token=a;colour=red?module-path=/m.so",           // unknown
		"pkcs11:token=a?module-path=/m.so&pin-value=1234",       // a secret
		"pkcs11:token=a?module-path=/m.so&module-name=softhsm2", // not looked up here
		"pkcs11:object=x;type=cert?module-path=/m.so",           // no key
		"pkcs11:slot-id=one?module-path=/m.so",                  //
		"pkcs11:token=a b?module-path=/m.so",                    // not written %20
		"pkcs11:token=%2?module-path=/m.so",                     //
		"pkcs11:token=%zz?module-path=/m.so",                    //
		"pkcs11:token?module-path=/m.so",                        // no value
		"pkcs11:token=a;?module-path=/m.so",                     //
		"pkcs11:token=" + strings.Repeat("a", 1025) + "?module-path=/m.so",
		"pkcs11:token=a?module-path=/" + strings.Repeat("a/", 1100),
	} {
		if u, err := ParseURI(text); !errors.Is(err, ErrURI) || !reflect.DeepEqual(u, URI{}) {
			t.Errorf("%.60q: %+v, %v", text, u, err)
		}
		if _, err := ParseURI(text); err != nil && strings.Contains(err.Error(), "1234") {
			t.Error("the PIN is in the error")
		}
	}
}

func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=a%20b;serial=1;slot-id=0;object=x;id=%00%FF?pin-source=fd:3&module-path=/m.so")
	f.Add("pkcs11:?module-path=/m")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			return
		}
		if again, err := ParseURI(u.String()); err != nil && len(u.String()) <= maxURI || err == nil && !reflect.DeepEqual(again, u) {
			t.Errorf("%q: %+v, %v", text, again, err)
		}
	})
}

func TestPINSource(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pin")
	if err := os.WriteFile(path, []byte("1234\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"file:" + path, path} {
		if b, err := sourced(source); err != nil || string(b) != "1234" {
			t.Errorf("%s: %q, %v", source, b, err)
		}
	}
	for _, source := range []string{"pin", "file:pin", "|cat", "fd:", "fd:1", "fd:x", "https://x/", dir, filepath.Join(dir, "no")} {
		if b, err := sourced(source); err == nil {
			t.Errorf("%s: %q", source, b)
		}
	}
	for _, content := range []string{"", "\n", strings.Repeat("1", maxPIN+1)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, _, err := askPIN(t.Context(), URI{PINSource: path}, Options{}, ""); !errors.Is(err, ErrPIN) {
			t.Errorf("%.8q: %q, %v", content, b, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("5678\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if b, err := fromDescriptor(r); err != nil || string(b) != "5678" {
		t.Errorf("%q, %v", b, err)
	}
}
