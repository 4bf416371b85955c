package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/eid"
)

// The SPECIMEN of these tests: an earlier desk made it; its password is in the demonstration.
const (
	eidMade = "history/b"
	eidCAN  = "000017"
)

// eidService is `tamthe serve eid` in a process of its own, its clock on from the day on
// which the card was made.
type eidService struct {
	dir, url string
	flags    []string
	cmd      *exec.Cmd
	said     *bytes.Buffer // standard error
	at       time.Time
	speed    int // of its clock
}

// eidPolicy is online without the lists of card status, which this issuer has none of: what
// they cost is the same for whoever judges.
const eidPolicy = "name = \"trial\"\nbase = \"online\"\ndemand = []\n"

const eidParties = `[[party]]
id = "tax"
name = "Cục Thuế"
kind = "state"
purposes = ["nộp tờ khai thuế"]
fields = ["name", "birth"]
rate = 1000000
redirects = ["https://tax.example/back"]
secret_sha256 = "9792ab9d5299bb82a4b403da1bfa99def25e8884e678dd67281da34aedf5e881"
[[party]]
id = "bank"
name = "Ngân hàng"
kind = "organisation"
purposes = ["nộp tờ khai thuế"]
fields = ["name", "birth"]
rate = 100000
secret_sha256 = "9792ab9d5299bb82a4b403da1bfa99def25e8884e678dd67281da34aedf5e881"
`

func newEIDService(t testing.TB, flags ...string) *eidService {
	t.Helper()
	s := &eidService{dir: t.TempDir(), flags: flags}
	var report struct{ At time.Time }
	check(t, json.Unmarshal(testdata.Read(t, eidMade+"/can.json"), &report))
	s.at = report.At
	folder, err := fs.Sub(testdata.FS, eidMade+"/trust")
	check(t, err)
	check(t, os.CopyFS(s.path("trust"), folder))
	issuers := strings.Replace(string(testdata.Read(t, eidMade+"/trust/issuers.toml")), `status = "required"`, `status = "none"`, 1)
	check(t, os.WriteFile(s.path("trust/issuers.toml"), []byte(issuers), 0o600))
	check(t, os.WriteFile(s.path("parties.toml"), []byte(eidParties), 0o600))
	check(t, os.WriteFile(s.path("policy.toml"), []byte(eidPolicy), 0o600))
	if out, err := s.tamthe("serve", "eid", "--dir", s.path("eid"), "--init").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *eidService) path(name string) string { return filepath.Join(s.dir, name) }

// tamthe is the program in a process of its own.
func (s *eidService) tamthe(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c := exec.Command(self)
	c.Args = append([]string{"tamthe"}, args...)
	c.Env = append(os.Environ(), "TAMTHE_HOME="+s.path("home"), "TEST_NOW="+s.at.Format(time.RFC3339), "TEST_CLOCK="+strconv.Itoa(max(s.speed, 1)), "GOCOVERDIR="+s.dir)
	return c
}

// start runs the service until stop or kill.
func (s *eidService) start(t testing.TB) {
	t.Helper()
	args := []string{"serve", "eid", "--dir", s.path("eid"), "--parties", s.path("parties.toml"), "--trust", s.path("trust"), "--policy", s.path("policy.toml"), "--specimen"}
	s.cmd, s.said = s.tamthe(append(args, s.flags...)...), &bytes.Buffer{}
	s.cmd.Stderr = s.said
	out, err := s.cmd.StdoutPipe()
	check(t, err)
	check(t, s.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.cmd.Wait()
		t.Fatalf("the service does not start: %v: %s", err, s.said)
	}
	s.url = strings.TrimSpace(strings.TrimPrefix(line, "ready "))
}

// end sends it a signal and waits for it.
func (s *eidService) end(t testing.TB, how os.Signal) {
	t.Helper()
	check(t, s.cmd.Process.Signal(how))
	s.cmd.Wait()
	s.cmd = nil
}

// bearer is a citizen's side: a chip, and the files that were read from it before.
type bearer struct {
	chip    *virtual.Chip
	session *card.Session
	files   map[string]string
	key     cert.PublicKey
	read    map[lds.File][]byte
}

func newBearer(t testing.TB) *bearer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chip")
	check(t, os.WriteFile(path, testdata.Read(t, eidMade+"/can.chip"), 0o600))
	chip, err := virtual.Load(path)
	check(t, err)
	t.Cleanup(func() { chip.Close() })
	b := &bearer{chip: chip, files: map[string]string{}}
	check(t, b.insert(t.Context()))
	e, err := eid.Gather(t.Context(), b.session, eid.Request{Fields: []string{"name"}}, "")
	check(t, err)
	b.read = e.Files
	for f, raw := range e.Files {
		b.files[f.Name()] = hex.EncodeToString(raw)
	}
	b.key, err = lds.ParseDG15(e.Files[lds.DG15])
	check(t, err)
	return b
}

// insert opens the card anew, up to where it would be asked.
func (b *bearer) insert(ctx context.Context) (err error) {
	if b.session != nil {
		b.session.Close()
	}
	b.chip.Reset()
	b.session, err = card.Open(ctx, apdu.Over(b.chip, apdu.Limits{}), card.Options{Passwords: []auth.Password{auth.CAN(eidCAN)}})
	return err
}

// caller speaks the protocol of e-authentication, and measures how long it waits.
type caller struct {
	url    string
	party  string // tax, whose agreement asks for both proofs, or bank, whose does for any
	web    *http.Client
	waited time.Duration
}

func newCaller(url, party string) *caller {
	return &caller{url: url, party: party, web: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: 20 * time.Second}}
}

func (c *caller) call(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	q.SetBasicAuth(c.party, "portal-secret")
	began := time.Now()
	resp, err := c.web.Do(q)
	if err != nil {
		return err
	}
	reply, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	c.waited += time.Since(began)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var p eid.Problem
		if json.Unmarshal(reply, &p) != nil || p.Code == "" {
			return fmt.Errorf("%s: HTTP status %d: %s", path, resp.StatusCode, reply)
		}
		return &eid.Refusal{Code: p.Code, Reasons: p.Reasons}
	}
	return json.Unmarshal(reply, out)
}

// shown is a login that can be redeemed.
type shown struct{ session, browser, finish string }

// show is a login up to where the citizen has the code that ends it.
func (c *caller) show(ctx context.Context, b *bearer) (*shown, error) {
	var begun eid.Begun
	ask := map[string]any{"purpose": "nộp tờ khai thuế", "fields": []string{"name", "birth"}, "nonce": "n"}
	if err := c.call(ctx, "/eid/v1/logins", ask, &begun); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	var r eid.Request
	agent := eid.NewNonce()
	if err := c.call(ctx, "/eid/v2/agent/open", map[string]string{"code": begun.Code, "commitment": eid.Commitment(agent)}, &r); err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	signature, err := b.session.InternalAuthenticate(ctx, b.key, r.Challenge(agent))
	if err != nil {
		return nil, err
	}
	var n eid.Next
	present := eid.Presented{Agent: agent, Files: b.files, Signature: hex.EncodeToString(signature)}
	if err := c.call(ctx, "/eid/v2/agent/"+r.Session+"/present", present, &n); err != nil {
		return nil, fmt.Errorf("present: %w", err)
	}
	if n.Agreement == nil {
		return &shown{begun.Session, begun.Browser, n.Finish}, nil
	}
	step := &eid.Step{}
	for _, text := range append(n.Agreement, n.First) {
		raw, err := hex.DecodeString(text)
		if err != nil {
			return nil, err
		}
		cmd, err := apdu.ParseCommand(raw)
		if err != nil {
			return nil, err
		}
		step.Agreement = append(step.Agreement, cmd)
	}
	last := len(step.Agreement) - 1
	step.First, step.Agreement = step.Agreement[last], step.Agreement[:last]
	answer, err := eid.Carry(ctx, b.session, step)
	if err != nil {
		return nil, err
	}
	n = eid.Next{}
	if err := c.call(ctx, "/eid/v2/agent/"+r.Session+"/answer", map[string]string{"agent": agent, "answer": hex.EncodeToString(answer.Bytes())}, &n); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if n.Finish == "" {
		return nil, errors.New("no code to finish with")
	}
	return &shown{begun.Session, begun.Browser, n.Finish}, nil
}

// redeem is the end of a login: the assertion.
func (c *caller) redeem(ctx context.Context, s *shown) (string, error) {
	var out struct{ Assertion string }
	err := c.call(ctx, "/eid/v1/logins/"+s.session+"/redeem", map[string]string{"browser": s.browser, "finish": s.finish}, &out)
	return out.Assertion, err
}
