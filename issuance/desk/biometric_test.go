package desk

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/osia/abis/simulator"
	"github.com/tamthe/tamthe/issuance/osia/osiatest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// faceOf is the portrait of one of many who look unlike each other, compressed as well as said.
func faceOf(seed uint64, quality int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	m := image.NewGray(image.Rect(0, 0, 340, 320))
	var grey [16][17]uint8
	for y := range grey {
		for x := range grey[y] {
			grey[y][x] = uint8(r.IntN(16) * 16)
		}
	}
	for y := range 320 {
		for x := range 340 {
			m.SetGray(x, y, color.Gray{Y: grey[y/20][x/20]})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// biometricRig is an office with a biometric register that answers over HTTP.
type biometricRig struct {
	*rig
	sim   *simulator.Simulator
	store *sqlite.OSIA
	back  string

	mu    sync.Mutex
	fault map[string]simulator.Fault
}

func newBiometric(t testing.TB) *biometricRig {
	t.Helper()
	ctx := t.Context()
	b := &biometricRig{rig: newRig(t), fault: map[string]simulator.Fault{}}
	check(t, sqlite.CreateOSIA(ctx, b.path("osia.db")))
	b.store = must(sqlite.OpenOSIA(ctx, b.path("osia.db")))(t)
	t.Cleanup(func() { check(t, b.store.Close()) })
	b.sim = &simulator.Simulator{Token: "token of the test", Fault: func(op string) simulator.Fault {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.fault[op]
	}}
	contract := osiatest.New(t, "abis")
	register := httptest.NewServer(contract.Handler(b.sim.Handler()))
	t.Cleanup(register.Close)
	looking := &Counter{Office: &Office{Store: b.rig.store, Vault: b.vault, Now: func() time.Time { return b.now }}}
	back := httptest.NewServer(contract.Callbacks((&abis.Receiver{Store: b.store, Seal: looking.SealAnswer, Now: looking.Office.Now}).Handler()))
	t.Cleanup(back.Close)
	t.Cleanup(b.sim.Wait)
	b.back = back.URL
	client := &abis.Client{URL: register.URL, Token: "token of the test", Gallery: "cards", Back: back.URL}
	for _, o := range []*Office{b.an, b.binh} {
		o.Biometric = &Biometric{Client: client, Store: b.store, Patience: time.Hour, Pause: 5 * time.Millisecond}
	}
	return b
}

// with says what the register does with a kind of question from now on.
func (b *biometricRig) with(op string, f simulator.Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault[op] = f
}

// asked is how often the register was asked for something.
func (b *biometricRig) asked(op string) (n int) {
	for _, o := range b.sim.Received() {
		if o == op {
			n++
		}
	}
	return n
}

func (b *biometricRig) enrol(t testing.TB, n int, face []byte) string {
	t.Helper()
	return must(b.an.Enrol(t.Context(), Enrolment{Person: person(n), Portrait: face, Profile: Profile, Reason: "first"}))(t)
}

// wait is how long a test waits for what must come.
const wait = time.Minute

func (b *biometricRig) acts(t testing.TB, app string, act issuance.Act) (n int) {
	t.Helper()
	for _, e := range must(b.rig.store.Stream(t.Context(), issuance.Application(app)))(t) {
		if e.Act == act {
			n++
		}
	}
	return n
}

func refusedAs(t testing.TB, what string, err error, as ...error) {
	t.Helper()
	for _, a := range as {
		if !errors.Is(err, a) {
			t.Errorf("%s: %v, want %v", what, err, a)
		}
	}
}

// stays wants an act refused because of where its application stands.
func stays(t testing.TB, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*issuance.TransitionError](err); !ok {
		t.Errorf("%s: %v", what, err)
	}
}

// Nobody is approved whom the register was not asked about; a twin is found, whatever became of
// the picture on the way, and waits until another person than those who enrolled and asked has
// decided.
func TestBiometric(t *testing.T) {
	b := newBiometric(t)
	ctx := t.Context()
	first := b.enrol(t, 1, faceOf(1, 90))
	refusedAs(t, "not asked", b.binh.Approve(ctx, first), ErrUnsearched)
	f := must(b.an.AskBiometric(ctx, first, wait))(t)
	if f.Hit() || b.acts(t, first, issuance.Search) != 1 {
		t.Errorf("the first applicant: %+v", f)
	}
	check(t, b.binh.Approve(ctx, first))

	twin := b.enrol(t, 2, faceOf(1, 60))
	f = must(b.an.AskBiometric(ctx, twin, wait))(t)
	whom := must(b.an.Application(ctx, first))(t).Person
	if len(f.Candidates) != 1 || f.Candidates[0].Person != whom || f.Candidates[0].Encounter != first {
		t.Fatalf("the twin: %+v", f.Candidates)
	}
	_, err := b.an.AskBiometric(ctx, twin, wait)
	stays(t, "asked again", err)
	stays(t, "approved", b.binh.Approve(ctx, twin))
	refusedAs(t, "cleared by who asked", b.an.ClearBiometric(ctx, twin, "twin"), issuance.ErrRole)
	refusedAs(t, "for no reason", b.binh.ClearBiometric(ctx, twin, "boredom"), issuance.ErrWord)
	if seen := must(b.binh.Search(ctx, twin))(t); !slices.Equal(seen.Candidates, f.Candidates) {
		t.Errorf("what the decider sees: %+v", seen)
	}
	check(t, b.binh.ClearBiometric(ctx, twin, "twin"))
	check(t, b.binh.Approve(ctx, twin))

	fraud := b.enrol(t, 3, faceOf(1, 80))
	must(b.an.AskBiometric(ctx, fraud, wait))(t)
	check(t, b.binh.Reject(ctx, fraud, "duplicate"))
	if n := b.sim.Faces(); n != 3 {
		t.Errorf("%d faces are kept", n)
	}
	if n := must(b.an.ForgetBiometric(ctx, wait))(t); n != 1 || b.sim.Faces() != 2 {
		t.Errorf("%d forgotten, %d kept", n, b.sim.Faces())
	}
	if n := must(b.an.ForgetBiometric(ctx, wait))(t); n != 0 {
		t.Errorf("%d forgotten again", n)
	}

	other := b.enrol(t, 4, faceOf(2, 90))
	if f := must(b.an.AskBiometric(ctx, other, wait))(t); f.Hit() {
		t.Errorf("somebody else: %+v", f)
	}
	must(b.rig.store.Verify(ctx, nil))(t)
}

// Who asked and may approve besides does not decide.
func TestBiometricFourEyes(t *testing.T) {
	b := newBiometric(t)
	ctx := t.Context()
	must(b.an.AskBiometric(ctx, b.enrol(t, 1, faceOf(1, 90)), wait))(t)
	app := b.enrol(t, 2, faceOf(1, 90))
	must(b.binh.AskBiometric(ctx, app, wait))(t)
	refusedAs(t, "the approver who asked", b.binh.ClearBiometric(ctx, app, "twin"), issuance.ErrFourEyes)
}

// However a register misbehaves, an application waits, nothing is recorded, and the next
// question goes through.
func TestBiometricFaults(t *testing.T) {
	huge := []byte(`[{"personId":"P-1","rank":1,"score":1,"others":{"x":"` + strings.Repeat("x", abis.MaxAnswer) + `"}}]`)
	for name, c := range map[string]struct {
		op    string
		fault simulator.Fault
		want  error
	}{
		"silent":            {"identify", simulator.Fault{Silent: true}, ErrAwaited},
		"silent insertion":  {"insert", simulator.Fault{Silent: true}, ErrAwaited},
		"garbage":           {"identify", simulator.Fault{Garbage: []byte("no JSON")}, ErrAwaited},
		"not a list":        {"identify", simulator.Fault{Garbage: []byte(`{"personId":"P-1"}`)}, ErrAwaited},
		"half a candidate":  {"identify", simulator.Fault{Garbage: []byte(`[{"personId":"P-1"}]`)}, ErrAwaited},
		"two answers":       {"identify", simulator.Fault{Garbage: []byte(`[] []`)}, ErrAwaited},
		"null":              {"identify", simulator.Fault{Garbage: []byte(`null`)}, ErrAwaited},
		"huge":              {"identify", simulator.Fault{Garbage: huge}, ErrAwaited},
		"of somebody else":  {"identify", simulator.Fault{Foreign: true}, ErrAwaited},
		"could not":         {"identify", simulator.Fault{Error: true}, abis.ErrUnavailable},
		"out of order":      {"identify", simulator.Fault{Status: 500}, abis.ErrUnavailable},
		"too much":          {"insert", simulator.Fault{Status: 429}, abis.ErrUnavailable},
		"another insertion": {"insert", simulator.Fault{Garbage: []byte(`"OK"`)}, ErrAwaited},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiometric(t)
			ctx := t.Context()
			app := b.enrol(t, 1, faceOf(1, 90))
			b.with(c.op, c.fault)
			patience := wait
			if errors.Is(c.want, ErrAwaited) {
				patience = 50 * time.Millisecond
			}
			_, err := b.an.AskBiometric(ctx, app, patience)
			refusedAs(t, name, err, c.want)
			b.sim.Wait()
			if b.acts(t, app, issuance.Search)+b.acts(t, app, issuance.Suspect) != 0 {
				t.Error("something was recorded")
			}
			refusedAs(t, "approved", b.binh.Approve(ctx, app), ErrUnsearched)
			b.with(c.op, simulator.Fault{})
			b.now = b.now.Add(2 * time.Hour) // nobody waits for the first any more
			if f := must(b.an.AskBiometric(ctx, app, wait))(t); f.Hit() || b.acts(t, app, issuance.Search) != 1 {
				t.Errorf("asked again: %+v", f)
			}
		})
	}
}

// An answer that comes late, twice, or before the register said that it would, is taken once.
func TestBiometricLate(t *testing.T) {
	b := newBiometric(t)
	ctx := t.Context()
	must(b.an.AskBiometric(ctx, b.enrol(t, 1, faceOf(1, 90)), wait))(t)
	b.with("identify", simulator.Fault{Held: true})
	apps := []string{b.enrol(t, 2, faceOf(1, 90)), b.enrol(t, 3, faceOf(3, 90)), b.enrol(t, 4, faceOf(4, 90))}
	for i, app := range apps {
		for b.asked("identify") < i+2 { // until the face is kept, which is told later as well
			_, err := b.an.AskBiometric(ctx, app, time.Millisecond)
			refusedAs(t, "not answered yet", err, ErrAwaited)
		}
	}
	asked := len(b.sim.Received())
	b.sim.Release() // the newest first
	for i, app := range apps {
		f := must(b.an.AskBiometric(ctx, app, 0))(t)
		if f.Hit() != (i == 0) {
			t.Errorf("application %d: %+v", i, f)
		}
	}
	if n := len(b.sim.Received()); n != asked {
		t.Errorf("%d questions more", n-asked)
	}
	b.with("identify", simulator.Fault{Twice: true})
	app := b.enrol(t, 5, faceOf(5, 90))
	must(b.an.AskBiometric(ctx, app, wait))(t)
	b.sim.Wait()
	if n := b.acts(t, app, issuance.Search); n != 1 {
		t.Errorf("recorded %d times", n)
	}
	left := must(b.store.Last(ctx, app, abis.Identify))(t)
	if left.State != abis.Used || left.Sealed != nil {
		t.Errorf("what is left of it: %s, %d octets", left.State, len(left.Sealed))
	}
}

// cutQuestions is one at which the program is cut when it says for the n-th time that a question is
// over.
type cutQuestions struct {
	abis.Store
	n *int
}

var errCutShort = errors.New("cut short")

func (c cutQuestions) End(ctx context.Context, id string, to abis.State, at time.Time) error {
	if to == abis.Used {
		if *c.n--; *c.n == 0 {
			return errCutShort
		}
	}
	return c.Store.End(ctx, id, to, at)
}

// Cut between the ledger and the question's end, a question is acted on once; one that was cut
// before the register had it is asked anew.
func TestBiometricCut(t *testing.T) {
	b := newBiometric(t)
	ctx := t.Context()
	app, second := b.enrol(t, 1, faceOf(1, 90)), 2 // of insertion and search
	d := must(b.rig.an.Draft(ctx, app))(t)
	q, _ := abis.NewQuestion(app, must(b.an.Application(ctx, app))(t).Person, must(d.commitment())(t), abis.Insert, b.now)
	check(t, b.store.Put(ctx, q))
	b.an.Biometric.Store = cutQuestions{b.store, &second}
	_, err := b.an.AskBiometric(ctx, app, wait)
	refusedAs(t, "cut", err, errCutShort)
	if n := b.acts(t, app, issuance.Search); n != 1 {
		t.Fatalf("recorded %d times", n)
	}
	must(b.an.AskBiometric(ctx, app, wait))(t)
	if n := b.acts(t, app, issuance.Search); n != 1 || b.asked("identify") != 1 || b.asked("insert") != 1 {
		t.Errorf("recorded %d times, the register was asked for %v", n, b.sim.Received())
	}
	check(t, b.binh.Approve(ctx, app))
}

// Nobody but who was asked answers, and nothing is taken once it is over.
func TestBiometricForged(t *testing.T) {
	b := newBiometric(t)
	ctx := t.Context()
	app := b.enrol(t, 1, faceOf(1, 90))
	b.with("insert", simulator.Fault{Silent: true})
	_, err := b.an.AskBiometric(ctx, app, 0)
	refusedAs(t, "silent", err, ErrAwaited)
	old := must(b.store.Last(ctx, app, abis.Insert))(t)
	b.now = b.now.Add(2 * time.Hour)
	b.with("insert", simulator.Fault{})
	q, secret := abis.NewQuestion("A-OTHER", "P-OTHER", [32]byte{1}, abis.Insert, b.now)
	check(t, b.store.Put(ctx, q))
	check(t, b.store.Task(ctx, q.ID, "task-1"))
	good := "?transactionId=" + q.ID + "&taskId=task-1"
	ids, kind := `{"personId":"P-OTHER","encounterId":"A-OTHER"}`, "application/json"
	for _, c := range []struct {
		what, secret, query, kind, body string
		want                            int
	}{
		{"no such secret", strings.Repeat("0", 32), good, kind, ids, http.StatusForbidden},
		{"the name for it", q.ID, good, kind, ids, http.StatusForbidden},
		{"another transaction", secret, "?transactionId=" + old.ID + "&taskId=task-1", kind, ids, http.StatusForbidden},
		{"another task", secret, "?transactionId=" + q.ID + "&taskId=task-2", kind, ids, http.StatusForbidden},
		{"no task", secret, "?transactionId=" + q.ID, kind, ids, http.StatusForbidden},
		{"text", secret, good, "text/plain", ids, http.StatusForbidden},
		{"no kind", secret, good, "", ids, http.StatusForbidden},
		{"no names", secret, good, kind, `{}`, http.StatusForbidden},
		{"right", secret, good, kind, ids, http.StatusNoContent},
		{"the same again", secret, good, kind, ids, http.StatusNoContent},
		{"another answer", secret, good, kind, `{"personId":"P-OTHER","encounterId":"A-THIRD"}`, http.StatusForbidden},
	} {
		if got := b.call(t, c.secret, c.query, c.kind, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
	refusedAs(t, "two at once", b.store.Put(ctx, q), abis.ErrConflict)
	check(t, b.store.End(ctx, q.ID, abis.Abandoned, b.now))
	if got := b.call(t, secret, good, kind, ids); got != http.StatusForbidden {
		t.Errorf("abandoned: %d", got)
	}
}

// call calls back as a register would.
func (b *biometricRig) call(t testing.TB, secret, query, kind, body string) int {
	t.Helper()
	req := must(http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, b.back+abis.CallbackPath+secret+query, strings.NewReader(body)))(t)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp := must(http.DefaultClient.Do(req))(t)
	resp.Body.Close()
	return resp.StatusCode
}
