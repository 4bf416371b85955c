package browsertest

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
)

// agent is `tamthe agent serve`, and the codes that it shows.
type agent struct {
	at string

	mu   sync.Mutex
	pair string
}

func serveAgent(t *testing.T, program string, args ...string) *agent {
	t.Helper()
	cmd := exec.Command(program, append([]string{"agent", "serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	a, shown, ended := &agent{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			word, rest, _ := strings.Cut(lines.Text(), " ")
			a.mu.Lock()
			first := a.pair == ""
			switch word {
			case "ready":
				a.at = rest
			case "pair":
				a.pair = rest
			}
			if first && a.pair != "" {
				close(shown)
			}
			a.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 { // interrupted
			t.Errorf("tamthe agent serve: %v", err)
		}
	})
	select {
	case <-shown:
	case <-ended:
		t.Fatal("tamthe agent serve shows no code")
	}
	return a
}

// A citizen logs in at a portal with the card in this computer's reader, by pcscd: the page
// asks the agent, which asks the service's page for nothing.
func TestAgent(t *testing.T) {
	program, dir := needs(t), t.TempDir()
	b := newTable(t)
	must(t, b.put(func() (*virtual.Chip, error) { return virtual.Load(older(t)) }))
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<!doctype html><html lang=vi><link rel=icon href=data:,><title>Cổng</title>")
	}))
	defer portal.Close()
	for name, text := range map[string]string{
		"trust/csca.cer": string(testdata.Read(t, "history/b/trust/csca.cer")),
		// The lists of that authority have long expired when this is read.
		"trust/issuers.toml": "[[issuer]]\ncountry = \"VN\"\ndocuments = [\"I\"]\ncrl = \"none\"\nstatus = \"none\"\nchip = \"required\"\n",
		"policy.toml":        "name = \"without-status\"\nbase = \"online\"\ndemand = []\n",
		"can.txt":            "000017\n",
		"parties.toml": fmt.Sprintf("[[party]]\nid = \"tax\"\nname = \"Cục Thuế\"\nkind = \"state\"\npurposes = [\"nộp tờ khai thuế\"]\nfields = [\"birth\"]\n"+
			"proofs = [\"active\", \"relay\"]\nsecret_sha256 = \"%x\"\nredirects = [\"%s/back\"]\n", sha256.Sum256([]byte("tax-secret")), portal.URL),
	} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	t.Setenv("TAMTHE_HOME", file("home"))
	run(t, program, "serve", "eid", "--dir", file("eid"), "--init")
	// The page looks for the agent where that is, which it has to be told: the port is free.
	holder := httptest.NewServer(http.NotFoundHandler())
	at := strings.TrimPrefix(holder.URL, "http://")
	holder.Close()
	service := serve(t, program, "serve", "eid", "--dir", file("eid"), "--parties", file("parties.toml"), "--trust", file("trust"), "--policy", file("policy.toml"), "--specimen", "--listen", "127.0.0.1:0", "--agent", "http://"+at)
	a := serveAgent(t, program, "--server", service, "--listen", at, "--can-file", file("can.txt"), "--agree", "tax:nộp tờ khai thuế:birth", "--lang", "vi")
	challenge := sha256.Sum256([]byte("a verifier that is long enough for the standard, and used once"))
	ask := url.Values{
		"client_id": {"tax"}, "response_type": {"code"}, "redirect_uri": {portal.URL + "/back"}, "scope": {"openid eid:birth"},
		"state": {"s"}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	hostile := httptest.NewServer(portal.Config.Handler)
	defer hostile.Close()
	play(t, "agent.mjs", map[string]any{
		"authorize": service + "/authorize?" + ask.Encode(), "agent": a.at, "portal": portal.URL, "hostile": hostile.URL,
		"rebound": "http://rebound.example:" + a.at[strings.LastIndex(a.at, ":")+1:] + "/", "resolver": "MAP rebound.example 127.0.0.1",
	}, map[string]hand{
		"pair": func([]string) (any, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.pair, nil
		},
		"away": func([]string) (any, error) { return nil, b.clear() },
	})
}
