package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/issuance/keystore/pkcs11"
	"github.com/tamthe/tamthe/testdata"
)

// TestTokens says why keys.txtar was skipped.
func TestTokens(t *testing.T) {
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		testdata.Missing(t, "softhsm", "softhsm2-util is not installed: no script kept its keys in a token")
	}
}

// tokenCommand makes a SoftHSM token, whose URI is then in the variable of its name in
// capitals, or has it make a key, whose URI likewise is:
//
//	token NAME
//	token NAME LABEL ALGORITHM
func tokenCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: token NAME [LABEL ALGORITHM]")
	}
	conf, pin := ts.MkAbs("softhsm2.conf"), ts.MkAbs("pin")
	variable := strings.ToUpper(args[0])
	if len(args) == 3 {
		// SoftHSM reads the variable when it is initialised; one script uses it.
		ts.Check(os.Setenv("SOFTHSM2_CONF", conf))
		defer os.Unsetenv("SOFTHSM2_CONF")
		var m pkcs11.Modules
		defer m.Close()
		u, err := pkcs11.ParseURI(ts.Getenv(variable))
		ts.Check(err)
		token, err := m.Open(context.Background(), u, pkcs11.Options{})
		ts.Check(err)
		_, err = token.Generate(context.Background(), args[1], args[2])
		ts.Check(err)
		u.Object = args[1]
		ts.Setenv(strings.ToUpper(args[1]), u.String())
		return
	}
	ts.Check(os.MkdirAll(ts.MkAbs("tokens"), 0o700))
	ts.Check(os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nlog.level = ERROR\n", ts.MkAbs("tokens")), 0o600))
	ts.Check(os.WriteFile(pin, []byte("271828\n"), 0o600))
	ts.Setenv("SOFTHSM2_CONF", conf)
	ts.Check(ts.Exec("softhsm2-util", "--init-token", "--free", "--label", args[0], "--pin", "271828", "--so-pin", "314159"))
	modules, err := filepath.Glob("/usr/lib/*/softhsm/libsofthsm2.so")
	ts.Check(err)
	if _, err := os.Stat("/usr/lib/softhsm/libsofthsm2.so"); err == nil {
		modules = append(modules, "/usr/lib/softhsm/libsofthsm2.so")
	}
	if len(modules) == 0 {
		ts.Fatalf("libsofthsm2.so is not found")
	}
	ts.Setenv(variable, fmt.Sprintf("pkcs11:token=%s?module-path=%s&pin-source=file:%s", args[0], modules[0], pin))
}
