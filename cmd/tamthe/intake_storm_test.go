package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/population/synthetic"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// storm lets a portal file, amend and withdraw while the service is killed and started again:
//
//	storm KILLS SOAK-KILLS
//
// Each message is sent until its receipt is there. Afterwards each has the same receipt still,
// and there is one case of each, with the outcome that its messages have in any order.
func storm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: storm KILLS SOAK-KILLS")
	}
	kills, err := strconv.Atoi(args[0])
	if os.Getenv("TAMTHE_SOAK") != "" {
		kills, err = strconv.Atoi(args[1])
	}
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := &stormy{ts: ts, listen: l.Addr().String(), receipts: map[string]*intake.Receipt{}, sent: map[string]intake.Signed{}, withdrawn: map[string]bool{}}
	ts.Check(l.Close())
	s.begin()
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for i := range 6 {
		clients.Go(func() { s.file(ctx, i) })
	}
	for range kills {
		service := s.start()
		for before := s.acknowledged.Load(); s.acknowledged.Load() < before+3 && s.failure.Load() == nil; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		ts.Check(service.Process.Kill())
		_ = service.Wait() // killed
	}
	service := s.start()
	stop() // each client ends the case that it is at
	clients.Wait()
	if f := s.failure.Load(); f != nil {
		ts.Fatalf("%v", *f)
	}
	s.settle()
	ts.Check(service.Process.Signal(os.Interrupt))
	_ = service.Wait() // interrupted
	fmt.Fprintf(ts.Stdout(), "%d kills, %d messages, %d cases: all acknowledged once\n", kills, len(s.receipts), len(s.withdrawn))
}

type stormy struct {
	ts           *testscript.TestScript
	listen       string
	client       *intake.Client
	acknowledged atomic.Int64
	failure      atomic.Pointer[error]

	mu        sync.Mutex
	receipts  map[string]*intake.Receipt
	sent      map[string]intake.Signed
	withdrawn map[string]bool // of each case
}

// start starts the service and waits until it listens.
func (s *stormy) start() *exec.Cmd {
	c := exec.Command("tamthe", "serve", "intake", "--portals", s.ts.MkAbs("portals.toml"), "--listen", s.listen)
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

// begin makes the portal.
func (s *stormy) begin() {
	block, _ := pem.Decode([]byte(s.ts.ReadFile("dvc.key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	s.ts.Check(err)
	signer, err := intake.NewSigner(key.(crypto.Signer), "dvc")
	s.ts.Check(err)
	s.client = &intake.Client{URL: "http://" + s.listen, Portal: "dvc", Signer: signer}
	service := s.start()
	s.client.Office, err = s.client.Keys(context.Background())
	s.ts.Check(err)
	s.ts.Check(service.Process.Kill())
	_ = service.Wait() // killed
}

// file files cases until ctx ends, each to its end.
func (s *stormy) file(ctx context.Context, client int) {
	for n := 0; ctx.Err() == nil; n++ {
		name, withdrawn := fmt.Sprintf("K-%d-%d", client, n), rand.IntN(4) == 0
		person, err := json.Marshal(synthetic.Citizens{Seed: uint64(client)}.Citizen(n % synthetic.Max).Person)
		if err != nil {
			s.fail(err)
			return
		}
		list := []intake.Message{
			{Act: intake.File, Revision: 1, Reason: "first", Person: person},
			{Act: intake.Amend, Revision: 2, Reason: "first", Person: person},
		}
		if withdrawn {
			list = append(list, intake.Message{Act: intake.Withdraw})
		}
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		s.mu.Lock()
		s.withdrawn[name] = withdrawn
		s.mu.Unlock()
		for _, m := range list {
			m.Case, m.Request, m.Purpose, m.Time = name, fmt.Sprintf("%s-%s", name, m.Act), "cấp thẻ căn cước", time.Now()
			if err := s.send(m); err != nil {
				s.fail(err)
				return
			}
		}
	}
}

func (s *stormy) fail(err error) { s.failure.CompareAndSwap(nil, &err) }

// send sends a message until its receipt is there, as a portal's outbox does.
func (s *stormy) send(m intake.Message) error {
	sealed, err := s.client.Seal(m)
	if err != nil {
		return err
	}
	for {
		r, err := s.client.Send(context.Background(), sealed)
		if errors.Is(err, intake.ErrService) && s.failure.Load() == nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.Request, err)
		}
		s.mu.Lock()
		s.receipts[m.Request], s.sent[m.Request] = r, sealed
		s.mu.Unlock()
		s.acknowledged.Add(1)
		return nil
	}
}

// settle holds what is stored against what was acknowledged.
func (s *stormy) settle() {
	ctx := context.Background()
	for request, sealed := range s.sent {
		again, err := s.client.Send(ctx, sealed)
		s.ts.Check(err)
		if was := s.receipts[request]; again.Code != was.Code || !again.Received.Equal(was.Received) || again.State != was.State {
			s.ts.Fatalf("%s has another receipt: %+v, %+v", request, again, was)
		}
	}
	store, err := sqlite.OpenIntake(ctx, s.ts.MkAbs("home/"+intakeFile))
	s.ts.Check(err)
	defer store.Close()
	list, err := store.Cases(ctx)
	s.ts.Check(err)
	if len(list) != len(s.withdrawn) {
		s.ts.Fatalf("%d cases are stored, %d were filed", len(list), len(s.withdrawn))
	}
	for _, c := range list {
		want := intake.Received
		if s.withdrawn[c.Name] {
			want = intake.Withdrawn
		}
		if c.State != want || want == intake.Received && c.Revision != 2 {
			s.ts.Fatalf("%s is %s at revision %d, want %s", c.Name, c.State, c.Revision, want)
		}
		if want != intake.Received {
			continue
		}
		if m, err := store.Content(ctx, c.Code, 2); err != nil || m.Sealed == nil {
			s.ts.Fatalf("%s has lost its content: %v", c.Name, err)
		}
	}
}
