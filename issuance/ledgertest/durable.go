package ledgertest

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

func testReopen(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	card := issuance.Card("C-1")
	before, err := b.store.Stream(t.Context(), card)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	b.store = b.open(t, b.dir)
	o.Ledger = b.store
	after, err := b.store.Stream(t.Context(), card)
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("the stream is another, %v", err)
	}
	o.IssueCard(t, "A-2", "C-2", "ann", "C-1")
}

func testCheckpoints(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	var older []*ledger.Checkpoint
	for i := range 9 {
		app := fmt.Sprintf("A-%d", i)
		o.Must(t, o.Enrol(app, app, ""))
		c, err := b.store.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, v := LogKey(t)
		if got, err := ledger.ParseCheckpoint(c.Note, v); err != nil || got.Size != c.Size || got.Root != c.Root {
			t.Errorf("checkpoint %d: %v", c.Size, err)
		}
		older = append(older, c)
	}
	for _, c := range older {
		r, err := b.store.Verify(t.Context(), c)
		if err != nil || !r.OK() {
			t.Errorf("against %d: %v %v", c.Size, r.Findings, err)
		}
	}
	last := older[len(older)-1]
	for code, c := range map[ledger.Code]*ledger.Checkpoint{
		ledger.RolledBack:    {Origin: Origin, Size: last.Size + 1, Root: last.Root},
		ledger.Rewritten:     {Origin: Origin, Size: last.Size - 3, Root: last.Root},
		ledger.CheckpointBad: {Origin: "other.test", Size: last.Size, Root: last.Root},
	} {
		r, err := b.store.Verify(t.Context(), c)
		if err != nil || len(r.Findings) != 1 || r.Findings[0].Code != code {
			t.Errorf("%s: %v %v", code, r.Findings, err)
		}
	}
}

func testCancel(t *testing.T, b *bench) {
	o := b.office
	o.Found(t)
	at, entries, err := o.Build(t.Context(), false, o.Enrol("A-1", "ann", ""))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.store.Append(ctx, at, entries...); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if e, _ := b.store.Stream(t.Context(), entries[0].Stream); len(e) > 0 {
		t.Error("a cancelled append was kept")
	}
	if err := b.store.Append(t.Context(), at, entries...); err != nil {
		t.Error(err)
	}
}

// victim is the environment variable that tells a child where its store lies.
const victim = "TAMTHE_LEDGERTEST_VICTIM"

// kills is how often a child is killed: a few times, and 1,000 with TAMTHE_SOAK.
func kills() int {
	if os.Getenv("TAMTHE_SOAK") != "" {
		return 1000
	}
	return 20
}

// testKill: what was acknowledged before a sudden death is there afterwards, and the
// ledger is sound.
func testKill(t *testing.T, b *bench) {
	b.office.Found(t)
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	root, _, _ := strings.Cut(t.Name(), "/")
	total := 0
	for round := range kills() {
		acknowledged := killOne(t, root, b.dir)
		total += len(acknowledged)
		b.store = b.open(t, b.dir)
		for name, id := range acknowledged {
			stream, err := issuance.ParseStreamID(name)
			if err != nil {
				t.Fatal(err)
			}
			entries, err := b.store.Stream(t.Context(), stream)
			if err != nil || len(entries) != 1 || hex.EncodeToString(entries[0].ID[:]) != id {
				t.Errorf("round %d: %s was acknowledged and is lost: %v", round, name, err)
			}
		}
		if round%max(10, kills()/20) == 0 {
			b.sound(t)
		}
		if err := b.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b.store = b.open(t, b.dir)
	b.office.Ledger = b.store
	if size := b.size(t); size < int64(total) {
		t.Errorf("%d entries, %d were acknowledged", size, total)
	}
	t.Logf("%d kills, %d entries acknowledged, none may be lost", kills(), total)
}

// killOne starts a child that appends, kills it at some moment, and returns what it had
// said to be appended.
func killOne(t *testing.T, test, dir string) map[string]string {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	child.Env = append(os.Environ(), victim+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
		var stream, id string
		if n, _ := fmt.Sscanf(line, "appended %s %s", &stream, &id); n != 2 {
			continue
		}
		if len(said) == 0 {
			time.AfterFunc(time.Duration(rand.IntN(40_000))*time.Microsecond, func() { child.Process.Kill() })
		}
		said[stream] = id
	}
	child.Wait()
	if len(said) == 0 {
		t.Fatal("the child appended nothing")
	}
	return said
}

// work is the child: several callers append side by side, and say so, until it is killed.
func work(t *testing.T, open Open, dir string) {
	store := open(t, dir)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() { appendForEver(t, store) })
	}
	callers.Wait()
}

func appendForEver(t *testing.T, store Store) {
	o := NewOffice(t, store)
	run := rand.Uint64()
	for i := 0; ; i++ {
		var steps []Step
		for j := range 1 + rand.IntN(4) {
			app := fmt.Sprintf("A-%x-%d-%d", run, i, j)
			steps = append(steps, o.Enrol(app, app, ""))
		}
		at, entries, err := o.Build(context.Background(), false, steps...)
		if err != nil {
			t.Error(err)
			return
		}
		if err := store.Append(context.Background(), at, entries...); err != nil {
			t.Error(err)
			return
		}
		for _, e := range entries {
			fmt.Fprintf(os.Stdout, "appended %s %x\n", e.Stream, e.ID)
		}
	}
}
