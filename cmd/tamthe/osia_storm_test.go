package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/osia/cms"
	"github.com/tamthe/tamthe/issuance/population/synthetic"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// orderStorm lets another system make, change and cancel requests while the service is killed
// and started again:
//
//	order-storm KILLS SOAK-KILLS
//
// Each call is made until it is answered. Afterwards each has the same answer still, and there
// is one case of each request, with the outcome that its calls have.
func orderStorm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: order-storm KILLS SOAK-KILLS")
	}
	kills, err := strconv.Atoi(args[0])
	if os.Getenv("TAMTHE_SOAK") != "" {
		kills, err = strconv.Atoi(args[1])
	}
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := &ordering{
		ts: ts, listen: l.Addr().String(), token: strings.SplitN(ts.ReadFile("token"), "\n", 2)[0],
		face: base64.StdEncoding.EncodeToString([]byte(ts.ReadFile("face.jpg"))), cancelled: map[string]bool{},
	}
	ts.Check(l.Close())
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() { s.order(ctx, i) })
	}
	for range kills {
		service := s.start()
		for before := s.answered.Load(); s.answered.Load() < before+3 && s.failure.Load() == nil; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		ts.Check(service.Process.Kill())
		_ = service.Wait() // killed
	}
	service := s.start()
	stop() // each client ends the request that it is at
	clients.Wait()
	if f := s.failure.Load(); f != nil {
		ts.Fatalf("%v", *f)
	}
	s.settle()
	ts.Check(service.Process.Signal(os.Interrupt))
	_ = service.Wait() // interrupted
	fmt.Fprintf(ts.Stdout(), "%d kills, %d calls, %d requests: all answered once\n", kills, len(s.calls), len(s.cancelled))
}

// orderCall is one call, and what it was answered with.
type orderCall struct {
	method, path, transaction, body string
	status                          int
}

type ordering struct {
	ts                  *testscript.TestScript
	listen, token, face string
	answered            atomic.Int64
	failure             atomic.Pointer[error]

	mu        sync.Mutex
	calls     []orderCall
	cancelled map[string]bool // of each request
}

func (s *ordering) start() *exec.Cmd {
	c := exec.Command("tamthe", "serve", "cms", "--systems", s.ts.MkAbs("systems.toml"), "--listen", s.listen)
	c.Env = append(os.Environ(), "TAMTHE_HOME="+s.ts.Getenv("TAMTHE_HOME"))
	out, err := c.StdoutPipe()
	s.ts.Check(err)
	var said strings.Builder
	c.Stderr = &said
	s.ts.Check(c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		_ = c.Wait()
		s.ts.Fatalf("the service does not start: %q, %s", line, said.String())
	}
	return c
}

// body is a request for a card of an invented citizen.
func (s *ordering) body(client, n, version int) (string, error) {
	who := synthetic.Citizens{Seed: uint64(client)}.Citizen(n % synthetic.Max).Person
	b, err := json.Marshal(map[string]any{
		"personId": fmt.Sprintf("K-%d-%d", client, n), "requestData": map[string]any{"priority": version, "credentialProfileId": "vn-cccd-2021", "requestType": "FIRST_ISSUANCE"},
		"biographicData": map[string]string{
			"personalNumber": string(who.Number), "lastName": who.Surname, "firstName": who.Given, "gender": who.Sex, "dateOfBirth": who.Birth.String(), "placeOfOrigin": who.Origin,
			"residence": who.Residence, "ethnicity": who.Ethnicity, "religion": who.Religion, "features": who.Features, "father": who.Father, "mother": who.Mother, "spouse": who.Spouse,
		},
		"biometricData": []any{map[string]any{"biometricType": "FACE", "image": s.face}},
	})
	return string(b), err
}

// order makes requests until ctx ends, each to its end.
func (s *ordering) order(ctx context.Context, client int) {
	for n := 0; ctx.Err() == nil && s.failure.Load() == nil; n++ {
		id, cancelled := fmt.Sprintf("R-%d-%d", client, n), rand.IntN(4) == 0
		s.mu.Lock()
		s.cancelled[id] = cancelled
		s.mu.Unlock()
		var list []orderCall
		for version, method := range []string{http.MethodPost, http.MethodPut} {
			b, err := s.body(client, n, version)
			if err != nil {
				s.fail(err)
				return
			}
			list = append(list, orderCall{method, "/v1/credentialRequests/" + id, fmt.Sprintf("t-%s-%d", id, version), b, []int{http.StatusCreated, http.StatusNoContent}[version]})
		}
		if cancelled {
			list = append(list, orderCall{http.MethodPost, "/v1/credentialRequests/" + id + "/cancel", "c-" + id, "", http.StatusNoContent})
		}
		for _, c := range list {
			if err := s.until(c); err != nil {
				s.fail(err)
				return
			}
		}
	}
}

func (s *ordering) fail(err error) { s.failure.CompareAndSwap(nil, &err) }

// until makes a call until it is answered.
func (s *ordering) until(c orderCall) error {
	for s.failure.Load() == nil {
		status, err := s.call(c)
		if err != nil || status == http.StatusInternalServerError {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if status != c.status {
			return fmt.Errorf("%s %s: status %d, want %d", c.method, c.path, status, c.status)
		}
		s.mu.Lock()
		s.calls = append(s.calls, c)
		s.mu.Unlock()
		s.answered.Add(1)
		return nil
	}
	return nil
}

func (s *ordering) call(c orderCall) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, c.method, "http://"+s.listen+c.path+"?transactionId="+c.transaction, strings.NewReader(c.body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// settle holds what is stored against what was answered.
func (s *ordering) settle() {
	ctx := context.Background()
	for _, c := range s.calls {
		if status, err := s.call(c); err != nil || status != c.status {
			s.ts.Fatalf("%s %s has another answer: %d, %v", c.method, c.path, status, err)
		}
	}
	filed, err := sqlite.OpenIntake(ctx, s.ts.MkAbs("home/"+intakeFile))
	s.ts.Check(err)
	defer filed.Close()
	store, err := sqlite.OpenOSIA(ctx, s.ts.MkAbs("home/"+osiaFile))
	s.ts.Check(err)
	defer store.Close()
	list, err := filed.Cases(ctx)
	s.ts.Check(err)
	made, err := store.Created(ctx, "enrolment")
	s.ts.Check(err)
	if len(list) != len(s.cancelled) || len(made) != len(s.cancelled) {
		s.ts.Fatalf("%d cases and %d calls are stored, %d requests were made", len(list), len(made), len(s.cancelled))
	}
	for _, c := range list {
		want := intake.Received
		if s.cancelled[c.Name] {
			want = intake.Withdrawn
		}
		if c.State != want || c.Revision != 2 {
			s.ts.Fatalf("%s is %s at revision %d, want %s at 2", c.Name, c.State, c.Revision, want)
		}
		m, err := filed.Content(ctx, c.Code, 2)
		s.ts.Check(err)
		if want != intake.Received {
			continue
		}
		if _, sealed, err := store.Portrait(ctx, "enrolment", m.Request); err != nil || m.Sealed == nil || sealed == nil {
			s.ts.Fatalf("%s has lost its content: %v", c.Name, err)
		}
	}
	if waiting, err := store.Commands(ctx, cms.Waiting); err != nil || len(waiting) > 0 {
		s.ts.Fatalf("%d orders wait, %v", len(waiting), err)
	}
}
