package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/outbox"
)

// outbox is that of the rig's home.
func (r *rig) outbox(t testing.TB) Outbox {
	t.Helper()
	ring := keystore.Folder{Dir: r.path("keys")}
	if err := ring.GenerateSecret(t.Context(), "drafts", keystore.UseVault); !errors.Is(err, keystore.ErrExists) {
		check(t, err)
	}
	return Outbox{Box: outbox.Box{Dir: r.path("drafts")}, Key: must(ring.Wrapper(t.Context(), "drafts"))(t)}
}

// without is an office that reaches neither ledger nor vault.
func (o *Office) without() *Office { return &Office{Signer: o.Signer, Now: o.Now} }

// kept has An take somebody in while the ledger is away.
func (r *rig) kept(t testing.TB, n int) Enrolment {
	t.Helper()
	e := enrolment(n)
	e.Application = NewApplication()
	check(t, r.an.without().Keep(t.Context(), r.outbox(t), e))
	return e
}

// waiting are the drafts that lie there.
func (r *rig) waiting(t testing.TB) int {
	t.Helper()
	return len(must(r.outbox(t).List())(t))
}

// oneApplication holds the ledger to one application of a person, under a name.
func (r *rig) oneApplication(t testing.TB, app string) {
	t.Helper()
	r.wantPhase(t, issuance.Application(app), issuance.Enrolled)
	d := must(r.an.Draft(t.Context(), app))(t)
	n := 0
	for _, a := range must(r.an.Applications(t.Context()))(t) {
		if other, err := r.an.Draft(t.Context(), a.ID); err == nil && other.Person.Number == d.Person.Number {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%s: the person has %d applications", app, n)
	}
}

// What is kept is what is filed, by the officer who took it in, and then nothing is left.
func TestKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.kept(t, 1)
	r.now = r.now.AddDate(0, 0, 1)
	check(t, r.an.SendKept(t.Context(), r.outbox(t), e.Application))
	r.oneApplication(t, e.Application)
	d := must(r.an.Draft(t.Context(), e.Application))(t)
	if d.Person != e.Person || !bytes.Equal(d.Portrait, e.Portrait) || !d.Issued.Equal(dayOf(r.now)) {
		t.Errorf("another was filed: %+v of %s", d.Person == e.Person, d.Issued)
	}
	if act := must(r.store.Stream(t.Context(), issuance.Application(e.Application)))(t)[0]; act.Operator != must(r.an.me())(t) || !act.Time.Equal(r.now) {
		t.Errorf("filed by %s at %s", act.Operator, act.Time)
	}
	if n := r.waiting(t); n > 0 {
		t.Errorf("%d drafts are left", n)
	}
	wantError(t, "again", r.an.SendKept(t.Context(), r.outbox(t), e.Application), outbox.ErrMissing)
	check(t, r.binh.Approve(t.Context(), e.Application))
	r.sound(t)
}

// What can be refused without the ledger is refused while the citizen is there, and nothing is
// kept of it.
func TestKeepRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.kept(t, 1)
	for what, c := range map[string]struct {
		change func(*Enrolment)
		want   error
	}{
		"no portrait":        {func(e *Enrolment) { e.Portrait = []byte("x") }, ErrPortrait},
		"another profile":    {func(e *Enrolment) { e.Profile = "x" }, ErrProfile},
		"no fingers":         {func(e *Enrolment) { e.Fingers = []byte("x") }, ErrFingers},
		"no reason":          {func(e *Enrolment) { e.Reason = "whim" }, issuance.ErrWord},
		"a name that is one": {func(n *Enrolment) { n.Application = e.Application }, outbox.ErrExists},
	} {
		n := enrolment(2)
		n.Application = NewApplication()
		c.change(&n)
		wantError(t, what, r.an.without().Keep(t.Context(), r.outbox(t), n), c.want)
	}
	twice := enrolment(1)
	twice.Application = NewApplication()
	err := r.an.without().Keep(t.Context(), r.outbox(t), twice)
	if already, ok := errors.AsType[*AlreadyKeptError](err); !ok || already.Application != e.Application {
		t.Errorf("the same person twice: %v", err)
	}
	wantError(t, "nobody's", (&Office{Now: r.an.Now}).Keep(t.Context(), r.outbox(t), twice), ErrNoOperator)
	if n := r.waiting(t); n != 1 {
		t.Errorf("%d drafts", n)
	}
}

// However the sending is cut short, before the ledger has it, after, or so that it is done
// later, the next one files it once.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n, c := range map[int]struct {
		what  string
		store Store
		want  error
	}{
		1: {"nothing was done", &faulty{Store: r.store, at: 1}, errFault},
		2: {"all was done, and no answer came", &faulty{Store: r.store, at: 1, after: true}, nil},
		3: {"it is done during the next try", &late{Store: r.store, at: 1, behind: 1}, ledger.ErrAway},
		4: {"the ledger is away", &away{r.store}, ledger.ErrAway},
	} {
		e := r.kept(t, n)
		o := r.through(c.store)
		if err := o.SendKept(t.Context(), r.outbox(t), e.Application); !errors.Is(err, c.want) || Refuses(err) {
			t.Errorf("%s: %v", c.what, err)
		}
		if c.want != nil && r.waiting(t) != 1 {
			t.Errorf("%s: the draft is gone", c.what)
		}
		if c.want != nil {
			if _, ok := c.store.(*late); !ok {
				o = r.an
			}
			check(t, o.SendKept(t.Context(), r.outbox(t), e.Application))
		}
		r.oneApplication(t, e.Application)
		if n := r.waiting(t); n > 0 {
			t.Errorf("%s: %d drafts are left", c.what, n)
		}
	}
	e := r.kept(t, 5) // killed between the ledger and the wiping
	check(t, r.an.file(t.Context(), must(r.outbox(t).Kept(t.Context(), e.Application))(t)))
	check(t, r.an.SendKept(t.Context(), r.outbox(t), e.Application))
	r.oneApplication(t, e.Application)
	r.sound(t)
}

// away is a ledger that answers nothing.
type away struct{ Store }

func (away) Stream(context.Context, issuance.StreamID) ([]issuance.Entry, error) {
	return nil, fmt.Errorf("the centre: %w", ledger.ErrAway)
}

// What waited for longer than a month is nothing that the citizen asks for today.
func TestKeptTooLong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.kept(t, 1)
	r.now = r.now.AddDate(0, 0, 31)
	err := r.an.SendKept(t.Context(), r.outbox(t), e.Application)
	wantError(t, "a month later", err, ErrOldDraft)
	if !Refuses(err) || r.waiting(t) != 1 {
		t.Error("it is no refusal, or gone")
	}
}

// What was taken in for another ledger, such as one for practice, is not filed here.
func TestKeptElsewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.outbox(t)
	for n, origin := range []string{"practice.example/log", must(r.store.Stream(t.Context(), issuance.OperatorStream(must(r.an.me())(t))))(t)[0].Origin} {
		e := enrolment(n + 1)
		e.Application = NewApplication()
		b.Origin = origin
		check(t, r.an.without().Keep(t.Context(), b, e))
		err := r.an.SendKept(t.Context(), b, e.Application)
		if n == 0 {
			wantError(t, origin, err, ErrOtherLedger)
		} else {
			check(t, err)
		}
	}
}

// What was tried with the ledger before it was kept, and had arrived there, is found by its
// name.
func TestKeptAfterALostAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := enrolment(1)
	e.Application = NewApplication()
	_, err := r.through(&faulty{Store: r.store, at: 1, after: true}).Enrol(t.Context(), e)
	wantError(t, "no answer", err, errFault)
	check(t, r.an.without().Keep(t.Context(), r.outbox(t), e))
	check(t, r.an.SendKept(t.Context(), r.outbox(t), e.Application))
	r.oneApplication(t, e.Application)
}

// Who was first at the centre stays first. The draft stays too, and is filed when nothing
// stands against it any more.
func TestOthersWereFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.kept(t, 1)
	first := must(r.an.Enrol(t.Context(), enrolment(1)))(t)
	for range 2 {
		err := r.an.SendKept(t.Context(), r.outbox(t), e.Application)
		if d, ok := errors.AsType[*issuance.DuplicateError](err); !ok || d.Holder.ID != first || !Refuses(err) {
			t.Errorf("an application is open: %v", err)
		}
	}
	check(t, r.an.Cancel(t.Context(), first, "mistake"))
	check(t, r.an.SendKept(t.Context(), r.outbox(t), e.Application))
	r.wantPhase(t, issuance.Application(e.Application), issuance.Enrolled)

	e = r.kept(t, 2)
	card, _ := r.issued(t, enrolment(2), r.plan())
	err := r.an.SendKept(t.Context(), r.outbox(t), e.Application)
	if d, ok := errors.AsType[*issuance.DuplicateError](err); !ok || d.Holder.ID != card || !Refuses(err) {
		t.Errorf("a card is in force: %v", err)
	}
	if n := r.waiting(t); n != 1 {
		t.Errorf("%d drafts", n)
	}
	r.sound(t)
}

// The act is the officer's who took it in, and is judged by that officer's roles when it is
// filed.
func TestKeptIsTheOfficers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.kept(t, 1)
	wantError(t, "another officer", r.binh.SendKept(t.Context(), r.outbox(t), e.Application), ErrOtherOfficer)
	theirs := enrolment(2)
	theirs.Application = NewApplication()
	check(t, r.binh.without().Keep(t.Context(), r.outbox(t), theirs))
	err := r.binh.SendKept(t.Context(), r.outbox(t), theirs.Application)
	wantError(t, "no registrar", err, issuance.ErrRole)
	if !Refuses(err) {
		t.Error("a role is no refusal")
	}
	chi := r.with(t, "chi", "", issuance.Registrar)
	hers := enrolment(3)
	hers.Application = NewApplication()
	check(t, chi.without().Keep(t.Context(), r.outbox(t), hers))
	check(t, r.an.RevokeOperator(t.Context(), "chi", "left", r.now))
	err = chi.SendKept(t.Context(), r.outbox(t), hers.Application)
	wantError(t, "revoked", err, issuance.ErrOperator)
	if !Refuses(err) {
		t.Error("a revocation is no refusal")
	}
	if n := r.waiting(t); n != 3 {
		t.Errorf("%d drafts", n)
	}
}

// Who has the files and the key of the home can have nothing filed in an officer's name.
func TestForgedDraft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, b := r.kept(t, 1), r.outbox(t)
	h, text, err := b.Open(t.Context(), b.Key, e.Application)
	check(t, err)
	check(t, b.Filed(e.Application))
	other := bytes.Replace(text, []byte(e.Person.Number), []byte(person(2).Number), 1)
	check(t, b.Box.Keep(t.Context(), b.Key, h, other))
	wantError(t, "changed", r.an.SendKept(t.Context(), b, e.Application), issuance.ErrSignature)
	check(t, b.Filed(e.Application))
	h.Operator = must(r.binh.me())(t)
	check(t, b.Box.Keep(t.Context(), b.Key, h, text))
	wantError(t, "under another's key", r.binh.SendKept(t.Context(), b, e.Application), outbox.ErrFormat)
}

// FuzzKept: the parser ends, takes nothing that its officer did not sign, and no error tells
// what stands in it.
func FuzzKept(f *testing.F) {
	r := newOffice(f)
	e, b := r.kept(f, 1), r.outbox(f)
	h, text, err := b.Open(f.Context(), b.Key, e.Application)
	check(f, err)
	f.Add(text)
	f.Add(text[:len(text)-9])
	f.Add([]byte(`{"body":{},"signature":null}`))
	f.Add([]byte(`{"body":{"application":"A-1","taken":"2026-09-01T03:00:00Z"},"signature":""}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		k, err := parseKept(h, in)
		if err == nil && !bytes.Equal(in, text) {
			t.Errorf("taken: %q", in)
		}
		if err != nil && (k != nil || strings.Contains(err.Error(), "003190")) {
			t.Errorf("%v", err)
		}
	})
}

// A Kept tells nothing of the person however it is printed.
func TestKeptPrintsNothing(t *testing.T) {
	t.Parallel()
	k := &Kept{Enrolment: enrolment(1)}
	for _, said := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s", k, k, k)} {
		if strings.Contains(said, "003190") || strings.Contains(said, "Thử") {
			t.Error(said)
		}
	}
}
