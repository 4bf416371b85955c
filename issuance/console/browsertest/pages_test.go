package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/sheet"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// page is one for play/pages.mjs.
type page struct {
	Name string   `json:"name"`
	URL  string   `json:"url"`
	Lang string   `json:"lang"`
	Has  []string `json:"has"`
}

// The page on which a citizen logs in at a portal, of the real service.
func TestLoginPage(t *testing.T) {
	program := needs(t)
	dir := t.TempDir()
	parties := fmt.Sprintf(`[[party]]
id = "tax"
name = "Cục Thuế"
kind = "state"
purposes = ["nộp tờ khai thuế thu nhập cá nhân"]
fields = ["name", "birth", "sex", "residence"]
secret_sha256 = "%x"
redirects = ["http://127.0.0.1:9/back"]
`, sha256.Sum256([]byte("tax-secret")))
	file := filepath.Join(dir, "parties.toml")
	must(t, os.WriteFile(file, []byte(parties), 0o600))
	run(t, program, "serve", "eid", "--dir", filepath.Join(dir, "eid"), "--init")
	at := serve(t, program, "serve", "eid", "--dir", filepath.Join(dir, "eid"), "--parties", file, "--trust", dir, "--listen", "127.0.0.1:0")
	challenge := sha256.Sum256([]byte("a verifier that is long enough for the standard, and used once"))
	ask := url.Values{
		"client_id": {"tax"}, "response_type": {"code"}, "redirect_uri": {"http://127.0.0.1:9/back"}, "scope": {"openid eid:name eid:birth eid:sex eid:residence"},
		"state": {"s"}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	play(t, "pages.mjs", map[string]any{"pages": []page{
		{"eid-login", at + "/authorize?" + ask.Encode(), "vi", []string{"Cục Thuế", "nộp tờ khai thuế"}},
	}}, nil)
}

// run runs the program to its end.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	var out, errw bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errw
	if err := cmd.Run(); err != nil {
		t.Fatalf("tamthe %s: %v\n%s", strings.Join(args, " "), err, &errw)
	}
	return strings.TrimSpace(out.String())
}

// serve starts the program as a server, waits until it is ready, and returns its address.
func serve(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 { // interrupted
			t.Errorf("tamthe %s: %v", args[0], err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		t.Fatalf("tamthe %s: %q %v", strings.Join(args, " "), line, err)
	}
	return address
}

// The report of each verdict as a page to print, in both languages.
func TestSheets(t *testing.T) {
	needs(t)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	var pages []page
	for verdict, r := range reports(t) {
		for _, lang := range []verify.Lang{verify.Vietnamese, verify.English} {
			var b bytes.Buffer
			must(t, sheet.Write(t.Context(), &b, r, lang, sheet.Options{}))
			path := "/" + verdict.String() + "-" + string(lang)
			mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b.Bytes()) })
			pages = append(pages, page{"sheet-" + path[1:], server.URL + path, string(lang), []string{r.View(lang).Word}})
		}
	}
	mux.HandleFunc("/favicon.ico", func(http.ResponseWriter, *http.Request) {})
	play(t, "pages.mjs", map[string]any{"pages": pages}, nil)
}

// reports are three of the card that issue B left: as it is, copied onto another chip, and
// read by somebody who does not know who signed it.
func reports(t *testing.T) map[verify.Verdict]*verify.Report {
	t.Helper()
	var made struct{ At time.Time }
	must(t, json.Unmarshal(testdata.Read(t, "history/b/can.json"), &made))
	path := older(t)
	chip, err := virtual.Load(path)
	must(t, err)
	folder, err := fs.Sub(testdata.FS, "history/b/trust")
	must(t, err)
	trust, err := pki.LoadStore(folder, pki.LoadOptions{})
	must(t, err)
	o := verify.Options{
		Trust: trust, At: made.At, Specimen: true, Status: inForce{made.At}, Holder: verify.HolderMatch,
		Passwords: []auth.Password{auth.CAN(citizen().Number.CAN())},
	}
	inspect := func(c *virtual.Chip) *verify.Report {
		c.Reset()
		r, err := verify.Inspect(t.Context(), apdu.Over(c, apdu.Limits{}), o)
		must(t, err)
		return r
	}
	accepted := inspect(chip)
	must(t, chip.Close())
	clone, err := copied(t, path)
	must(t, err)
	defer clone.Close()
	refused := inspect(clone)
	chip, err = virtual.Load(path)
	must(t, err)
	defer chip.Close()
	o.Trust = nil
	list := map[verify.Verdict]*verify.Report{verify.Accept: accepted, verify.Refuse: refused, verify.Refer: inspect(chip)}
	for want, r := range list {
		if r.Verdict != want {
			t.Fatalf("%s, where %s was wanted", r.Verdict, want)
		}
	}
	return list
}

// read copies what can be read of a chip into an EF folder, whoever signed it.
func read(t *testing.T, chip *virtual.Chip, folder string) {
	t.Helper()
	chip.Reset()
	_, err := verify.Inspect(t.Context(), apdu.Over(chip, apdu.Limits{}), verify.Options{
		At: time.Now(), Passwords: []auth.Password{auth.CAN(citizen().Number.CAN())},
		Save: func(f lds.File, b []byte) error {
			return os.WriteFile(filepath.Join(folder, f.String()+".bin"), b, 0o600)
		},
	})
	must(t, err)
}

// inForce is an issuer who says of every card that it is in force.
type inForce struct{ at time.Time }

func (i inForce) Status(context.Context, verify.CardRef) (verify.StatusAnswer, error) {
	return verify.StatusAnswer{State: verify.StateActive, AsOf: i.at, Exact: true}, nil
}
