package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/eid"
)

// fetch is what an address answers.
func fetch(t testing.TB, address string) (int, string) {
	t.Helper()
	resp, err := http.Get(address)
	check(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	check(t, err)
	return resp.StatusCode, string(b)
}

// freeAddress is an address of this machine that nobody listened at a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().String()
}

// What the service shows and logs is what it did, and not a word of who it was; what is being
// answered while it is stopped has its answer, and then it is gone.
func TestEIDRunning(t *testing.T) {
	at := freeAddress(t)
	s := newEIDService(t)
	s.flags = []string{"--metrics", at, "--log", s.path("log")}
	s.start(t)
	for _, path := range []string{"/health", "/healthz", "/readyz"} {
		if status, body := fetch(t, s.url+path); status != 200 || body != "ok\n" {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := fetch(t, s.url+"/metrics"); status != http.StatusNotFound {
		t.Errorf("the network sees /metrics: %d", status)
	}
	b, c := newBearer(t), newCaller(s.url, "tax")
	first, err := c.show(t.Context(), b)
	check(t, err)
	token, err := c.redeem(t.Context(), first)
	check(t, err)
	if _, err := c.redeem(t.Context(), first); eid.CodeOf(err) != eid.CodeReplayed {
		t.Error(err)
	}
	c.party = "bank"
	check(t, b.insert(t.Context()))
	second, err := c.show(t.Context(), b)
	check(t, err)

	_, shown := fetch(t, "http://"+at+"/metrics")
	for _, want := range []string{
		`tamthe_eid_logins_begun_total{party="tax"} 1`, `tamthe_eid_logins_decided_total{code="accepted",level="possession",party="tax"} 1`,
		`tamthe_eid_assertions_total{level="possession",party="tax"} 1`, `tamthe_eid_calls_refused_total{call="redeem",code="replayed"} 1`,
		"tamthe_eid_judge_seconds_count 2", `tamthe_eid_store_seconds_count{outcome="kept"} 2`, "tamthe_eid_logins_open 1", "tamthe_eid_logins_remembered 1",
		`tamthe_eid_crl_age_seconds{issuer=`, `tamthe_http_request_seconds_count{route="POST /eid/v2/agent/{session}/present",status="200"} 2`, "process_cpu_seconds_total", "go_goroutines",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	s.stopWhileAnswering(t, second)
	logged, err := os.ReadFile(s.path("log"))
	check(t, err)
	if n := bytes.Count(logged, []byte(`"msg":"login decided"`)); n != 2 || !bytes.Contains(logged, []byte(`"code":"accepted"`)) {
		t.Errorf("%d decisions are logged: %s", n, logged)
	}
	for what, text := range map[string]string{"/metrics": shown, "the log": string(logged), "standard error": s.said.String()} {
		for name, personal := range map[string]string{
			"number": "003190000017", "part of the number": "190000017", "name": "Nguy", "name of the MRZ": "NGUYEN", "date of birth": "1990-02-15", "date of birth, MRZ": "900215",
			"password": eidCAN, "a browser's secret": first.browser, "an assertion": token, "a card's serial": "2B65F67F", "a party's secret": "portal-secret", "place": "Thử Nghiệm",
		} {
			if strings.Contains(text, personal) {
				t.Errorf("%s tells the %s", what, name)
			}
		}
		if m := regexp.MustCompile(`\b(` + first.finish + `|` + second.finish + `)\b`).FindString(text); m != "" {
			t.Errorf("%s tells how to finish a login", what)
		}
	}
	if info, err := os.Stat(s.path("log")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log is for %v", info.Mode())
	}
}

// stopWhileAnswering stops the service while it hears half of a redemption.
func (s *eidService) stopWhileAnswering(t *testing.T, last *shown) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	body := fmt.Sprintf(`{"browser":%q,"finish":%q}`, last.browser, last.finish)
	fmt.Fprintf(conn, "POST /eid/v1/logins/%s/redeem HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YmFuazpwb3J0YWwtc2VjcmV0\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		last.session, len(body), body[:10])
	time.Sleep(50 * time.Millisecond) // so that it has begun to read
	check(t, s.cmd.Process.Signal(syscall.SIGTERM))
	for {
		probe, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			break // nobody new is heard
		}
		probe.Close()
		time.Sleep(5 * time.Millisecond)
	}
	_, err = io.WriteString(conn, body[10:])
	check(t, err)
	reply, err := io.ReadAll(conn)
	check(t, err)
	if !bytes.HasPrefix(reply, []byte("HTTP/1.1 200 ")) || !bytes.Contains(reply, []byte(`"assertion"`)) {
		t.Errorf("what was being answered while the service was stopped: %s", reply)
	}
	s.cmd.Wait()
	s.cmd = nil
}

// The service leaves no goroutine behind, in the process of whoever calls it.
func TestEIDLeavesNothing(t *testing.T) {
	s := newEIDService(t)
	before := stacks()
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan int, 1)
	p := &program{in: strings.NewReader(""), out: write, err: io.Discard, now: func() time.Time { return s.at }, home: home(s.path("home"))}
	go func() {
		ended <- p.run(ctx, []string{
			"serve", "eid", "--dir", s.path("eid"), "--parties", s.path("parties.toml"), "--trust", s.path("trust"), "--policy", s.path("policy.toml"),
			"--specimen", "--metrics", "127.0.0.1:0", "--log", s.path("log"),
		})
	}()
	line := make([]byte, 100)
	n, err := read.Read(line)
	check(t, err)
	s.url = strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "ready "))
	b, c := newBearer(t), newCaller(s.url, "tax")
	for range 3 {
		check(t, b.insert(t.Context()))
		done, err := c.show(t.Context(), b)
		check(t, err)
		_, err = c.redeem(t.Context(), done)
		check(t, err)
	}
	fetch(t, s.url+"/.well-known/openid-configuration")
	stop()
	if status := <-ended; status != 130 {
		t.Errorf("exit status %d", status)
	}
	c.web.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	b.session.Close()
	var left []string
	for range 100 { // what ends needs its turn to end
		if left = newStacks(before, stacks()); len(left) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
}

var goroutine = regexp.MustCompile(`(?m)^goroutine (\d+) `)

// stacks are the stacks of all goroutines, by their numbers.
func stacks() map[string]string {
	b := make([]byte, 4<<20)
	b = b[:runtime.Stack(b, true)]
	all := map[string]string{}
	for _, text := range strings.Split(string(b), "\n\n") {
		if m := goroutine.FindStringSubmatch(text); m != nil {
			all[m[1]] = text
		}
	}
	return all
}

func newStacks(before, after map[string]string) (left []string) {
	for n, text := range after {
		if before[n] == "" && !strings.Contains(text, "testing.(*T)") {
			left = append(left, text)
		}
	}
	return left
}

// A record that cannot be written is a service that is not ready.
func TestEIDNotReady(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "logins.db")
	check(t, sqlite.CreateLogins(ctx, path))
	l, err := sqlite.OpenLogins(ctx, path)
	check(t, err)
	check(t, l.Ready(ctx))
	check(t, l.Close())
	if err := l.Ready(ctx); err == nil {
		t.Error("a closed record is ready")
	}
}
