// Package softhsmtest makes tokens of SoftHSM 2 for tests: a real PKCS #11 module, whose
// tokens lie in a folder of the test.
package softhsmtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// PIN is the user's PIN of every token.
const PIN = "271828"

// Token is an initialised token.
type Token struct {
	Label   string
	Module  string // the library
	Dir     string // holds the configuration, the PIN and the tokens
	PINFile string
}

// modules are where Debian and others put the library.
var modules = []string{
	"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so",
}

// New makes a folder with one token and points this process and its children at it, until
// the test ends. Without SoftHSM the test is skipped.
func New(t testing.TB, label string) *Token {
	t.Helper()
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		testdata.Missing(t, "softhsm", "softhsm2-util is not installed")
	}
	k := &Token{Label: label, Dir: t.TempDir()}
	for _, m := range modules {
		if _, err := os.Stat(m); err == nil {
			k.Module = m
			break
		}
	}
	if k.Module == "" {
		testdata.Missing(t, "softhsm", "libsofthsm2.so is not found")
	}
	k.PINFile = filepath.Join(k.Dir, "pin")
	conf := filepath.Join(k.Dir, "softhsm2.conf")
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", k.tokens())
	for name, content := range map[string]string{k.PINFile: PIN + "\n", conf: text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(k.tokens(), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	k.Init(t, label)
	return k
}

func (k *Token) tokens() string { return filepath.Join(k.Dir, "tokens") }

// Init makes a token with the label in the folder.
func (k *Token) Init(t testing.TB, label string) {
	t.Helper()
	k.util(t, "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "314159")
}

// Delete destroys the token of that label.
func (k *Token) Delete(t testing.TB, label string) {
	t.Helper()
	k.util(t, "--delete-token", "--token", label)
}

// Import brings a PKCS #8 file in under a label.
func (k *Token) Import(t testing.TB, label, path string) {
	t.Helper()
	k.util(t, "--import", path, "--token", k.Label, "--pin", PIN, "--label", label, "--id", "A1")
}

// ImportAES brings the octets of a file in as an AES key under a label.
func (k *Token) ImportAES(t testing.TB, label, path string) {
	t.Helper()
	k.util(t, "--import", path, "--aes", "--token", k.Label, "--pin", PIN, "--label", label, "--id", "A2")
}

func (k *Token) util(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("softhsm2-util", args...).CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util %v: %v\n%s", args, err, out)
	}
}

// Away takes the tokens away as unplugging would, and back again.
func (k *Token) Away(t testing.TB, away bool) {
	t.Helper()
	from, to := k.tokens(), k.tokens()+".away"
	if !away {
		from, to = to, from
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	if away {
		if err := os.Mkdir(k.tokens(), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// URI names the token, with its PIN in a file.
func (k *Token) URI() string {
	return fmt.Sprintf("pkcs11:token=%s?module-path=%s&pin-source=file:%s", k.Label, k.Module, k.PINFile)
}
