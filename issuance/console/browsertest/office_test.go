package browsertest

import (
	"os"
	"path/filepath"
	"testing"
)

// passphrase seals the keys of the test's officers, which are SPECIMEN.
const passphrase = "mật khẩu thử"

// office is a home with three officers, an authority and a batch of blank cards, as the
// real program made them.
type office struct {
	program, dir string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{program: needs(t), dir: t.TempDir()}
	t.Setenv("TAMTHE_HOME", filepath.Join(o.dir, "home"))
	t.Setenv("TAMTHE_LANG", "en")
	must(t, os.WriteFile(o.file("passphrase"), []byte(passphrase+"\n"), 0o600))
	for _, args := range [][]string{
		{
			"init", "--roles", "admin,registrar,personaliser,custodian,stock-keeper",
			"--second-roles", "admin,approver,inspector,clerk,revoker,custodian,stock-keeper",
		},
		{"pki", "csca"},
		{"pki", "ds"},
		{"pki", "crl"},
		{"operator", "add", "chi", "--roles", "auditor", "--new-passphrase-file", o.file("passphrase")},
	} {
		o.both(t, args...)
	}
	return o
}

func (o *office) file(name string) string { return filepath.Join(o.dir, name) }

// both runs a verb as the officers An and Bình.
func (o *office) both(t *testing.T, args ...string) string {
	t.Helper()
	pass := o.file("passphrase")
	return run(t, o.program, append(args, "--operator", "an", "--passphrase-file", pass, "--second", "binh", "--second-passphrase-file", pass)...)
}

// invited is what each officer registers a passkey with.
func (o *office) invited(t *testing.T, names ...string) map[string]any {
	t.Helper()
	codes := map[string]string{}
	for _, n := range names {
		codes[n] = run(t, o.program, "operator", "invite", n)
	}
	return map[string]any{"codes": codes, "passphrase": passphrase}
}

// The console in the browser: one office, for passphrases take time.
func TestConsole(t *testing.T) {
	o := newOffice(t)
	t.Run("Login", o.login)
	t.Run("Day", o.day)
}

// An officer registers a passkey, comes in by it and goes; strangers stay outside.
func (o *office) login(t *testing.T) {
	config := o.invited(t, "an", "binh")
	config["url"] = serve(t, o.program, "serve", "console", "--specimen", "--listen", "127.0.0.1:0")
	config["hasty"] = serve(t, o.program, "serve", "console", "--specimen", "--listen", "127.0.0.1:0", "--idle", "4s")
	play(t, "login.mjs", config, nil)
}
