package desk

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// tally counts what came of faults. All but points and spoiled must stay zero.
type tally struct {
	mu      sync.Mutex
	points  int // accidents that happened
	spoiled int // cards given up under the rules, each with another one made in its place
	lost    int // a finished chip that the ledger does not know, or a ledger that lost an entry
	double  int // two chips in use for one application, or two SODs for one card
	open    int // a chip that opens to its holder's password and is not locked
	stuck   int // an application that nobody can go on with
}

func (a *tally) add(n *int) {
	a.mu.Lock()
	*n++
	a.mu.Unlock()
}

func (a *tally) String() string {
	return fmt.Sprintf("%d points: lost %d, double %d, usable-unlocked %d, stuck %d (%d spoiled and made anew)", a.points, a.lost, a.double, a.open, a.stuck, a.spoiled)
}

// settled holds the totals, and that there was something to hold.
func (a *tally) settled(t *testing.T, least int) {
	t.Helper()
	t.Log(a)
	if a.lost+a.double+a.open+a.stuck > 0 {
		t.Error("a card went wrong")
	}
	if a.points < least {
		t.Errorf("only %d points, of at least %d", a.points, least)
	}
}

// strike arranges a fault for one run and gives the desk that suffers it.
type strike func(r *rig, s *slot) *Office

// mend ends all faults of a run.
func (s *slot) mend() {
	s.exchange, s.resets = nil, nil
	s.chip.OnWrite(nil)
}

// endure has faults happen to the making of one card one after the other, repairs what
// can be repaired by the rules, and counts. It reports whether the first happened at all.
func (r *rig) endure(t *testing.T, a *tally, row ...strike) (happened bool) {
	t.Helper()
	e := enrolment(int(r.size(t)))
	app, chips := r.approved(t, e), []*virtual.Chip{blank()}
	now := r.now
	for _, strike := range row {
		s := insert(chips[0])
		_, err := strike(r, s).Personalise(t.Context(), app, s, r.plan())
		s.mend()
		r.now = now
		if err == nil {
			break
		}
		happened = true
		r.unusable(t, a, chips[0], e)
	}
	s := insert(chips[0])
	card, err := accident{}.strike(r, s).Personalise(t.Context(), app, s, r.plan())
	for range 3 { // what was prepared by a wrong clock stays so, until the card is given up
		if err == nil || errors.Is(err, perso.ErrGiveUp) {
			break
		}
		card, err = r.an.Personalise(t.Context(), app, insert(chips[0]), r.plan())
	}
	if errors.Is(err, perso.ErrGiveUp) {
		check(t, r.an.Spoil(t.Context(), r.cardOf(t, app), "stuck"))
		a.add(&a.spoiled)
		chips = append(chips, blank())
		card, err = r.an.Personalise(t.Context(), app, insert(chips[1]), r.plan())
	}
	if err != nil {
		a.add(&a.stuck)
		t.Errorf("resume: %v", err)
		return happened
	}
	if happened {
		a.add(&a.points)
	}
	r.count(t, a, app, card, chips)
	return happened
}

// cardOf is the card that an application has.
func (r *rig) cardOf(t *testing.T, app string) string {
	t.Helper()
	return must(issuance.Load(t.Context(), r.store, issuance.Application(app)))(t).Subject(issuance.Application(app)).Fields["card"]
}

// unusable: whatever happened, a chip that is not locked is nobody's card.
func (r *rig) unusable(t *testing.T, a *tally, c *virtual.Chip, e Enrolment) {
	t.Helper()
	if c.InUse() {
		return
	}
	report, err := verify.Inspect(t.Context(), apdu.Over(insert(c), apdu.Limits{}), verify.Options{
		Trust: r.trust, At: r.now, Specimen: true, Passwords: []auth.Password{canOf(e.Person)},
	})
	if err == nil && report.Verdict == verify.Accept {
		a.add(&a.open)
	}
}

// count looks at an application whose card was made, and at the chips that were used.
func (r *rig) count(t *testing.T, a *tally, app, card string, chips []*virtual.Chip) {
	t.Helper()
	inUse := 0
	for _, c := range chips {
		if !c.InUse() {
			continue
		}
		inUse++
		kdd := c.KDD()
		if of := must(r.store.Claimed(t.Context(), issuance.Claim{Kind: issuance.ClaimChip, Value: hex.EncodeToString(kdd[:])}))(t); of.IsZero() {
			a.add(&a.lost)
		}
	}
	signed := 0
	for _, e := range must(r.store.Stream(t.Context(), issuance.Card(card)))(t) {
		if e.Act == issuance.Sign {
			signed++
		}
	}
	if inUse != 1 || signed != 1 {
		a.add(&a.double)
	}
	if r.phase(t, issuance.Card(card)) != issuance.Locked || r.phase(t, issuance.Application(app)) != issuance.Personalising {
		a.add(&a.lost)
	}
}

// wireFaults are what a bad reader does at its n-th command.
var wireFaults = map[string]func(s *slot, n int) func(context.Context, int, []byte) ([]byte, error){
	"sends it twice": func(s *slot, n int) func(context.Context, int, []byte) ([]byte, error) {
		return func(ctx context.Context, i int, b []byte) ([]byte, error) {
			a, err := s.chip.Exchange(ctx, b)
			if i == n && err == nil {
				return s.chip.Exchange(ctx, b)
			}
			return a, err
		}
	},
	"gives the answer before": func(s *slot, n int) func(context.Context, int, []byte) ([]byte, error) {
		var before []byte
		return func(ctx context.Context, i int, b []byte) ([]byte, error) {
			a, err := s.chip.Exchange(ctx, b)
			old := before
			before = bytes.Clone(a)
			if i == n && old != nil {
				return old, err
			}
			return a, err
		}
	},
	"is late": func(s *slot, n int) func(context.Context, int, []byte) ([]byte, error) {
		return func(ctx context.Context, i int, b []byte) ([]byte, error) {
			a, err := s.chip.Exchange(ctx, b)
			if i == n {
				return nil, apdu.ErrTimeout // the chip has done it
			}
			return a, err
		}
	},
	"flips the status": func(s *slot, n int) func(context.Context, int, []byte) ([]byte, error) {
		return func(ctx context.Context, i int, b []byte) ([]byte, error) {
			a, err := s.chip.Exchange(ctx, b)
			if i == n && len(a) >= 2 {
				a = bytes.Clone(a)
				a[len(a)-2] ^= 0x0B // 9000 becomes 9B00, 6985 becomes 6285
			}
			return a, err
		}
	},
	"loses a bit of the answer": func(s *slot, n int) func(context.Context, int, []byte) ([]byte, error) {
		return func(ctx context.Context, i int, b []byte) ([]byte, error) {
			a, err := s.chip.Exchange(ctx, b)
			if i == n && len(a) > 2 {
				a = bytes.Clone(a)
				a[0] ^= 0x01
			}
			return a, err
		}
	},
	"loses a bit of the command": func(s *slot, n int) func(context.Context, int, []byte) ([]byte, error) {
		return func(ctx context.Context, i int, b []byte) ([]byte, error) {
			if i == n && len(b) > 5 {
				b = bytes.Clone(b)
				b[len(b)-2] ^= 0x01
			}
			return s.chip.Exchange(ctx, b)
		}
	},
}

// TestWireFaults (F3): answers lost, late, twice, of another command, with another status
// or a flipped bit, and commands with one, at every command.
func TestWireFaults(t *testing.T) {
	stride := 9
	if soak() {
		stride = 1
	}
	for name, fault := range wireFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, a := newRig(t), &tally{}
			for n := 1 + random(stride); n < 130; n += stride {
				r.endure(t, a, func(r *rig, s *slot) *Office {
					s.exchange = fault(s, n)
					return r.an
				})
			}
			a.settled(t, 60/stride)
			r.sound(t)
		})
	}
}

// TestSwappedInTheReader (F9): at every command the reader holds another chip, blank or
// begun, and does not say so. Nothing is recorded of it, and it can still be another's card.
func TestSwappedInTheReader(t *testing.T) {
	t.Parallel()
	stride := 11
	if soak() {
		stride = 1
	}
	r, a := newRig(t), &tally{}
	for n := 3 + random(stride); n < 110; n += stride { // before the third command nobody knows which chip it is
		other := blank()
		r.endure(t, a, func(r *rig, s *slot) *Office {
			other.Reset()
			s.exchange = func(ctx context.Context, i int, b []byte) ([]byte, error) {
				if i >= n {
					return other.Exchange(ctx, b)
				}
				return s.chip.Exchange(ctx, b)
			}
			return r.an
		})
		app := r.approved(t, enrolment(int(r.size(t))))
		r.issuedOnce(t, app, r.personalised(t, app, other, r.plan()), other)
	}
	a.settled(t, 60/stride)
	r.sound(t)
}

// TestChipAtTwoDesks (F7): a chip is begun for one application, carried to another desk and
// put in for another application. There it is refused and nothing is recorded; the first
// desk goes on with it.
func TestChipAtTwoDesks(t *testing.T) {
	t.Parallel()
	r, a := newRig(t), &tally{}
	for at := 2; ; at++ {
		for _, after := range []bool{false, true} {
			first, second, c := r.approved(t, enrolment(int(r.size(t)))), r.approved(t, enrolment(int(r.size(t))+1)), blank()
			f := &faulty{Store: r.store, at: at, after: after}
			_, err := r.through(f).Personalise(t.Context(), first, insert(c), r.plan())
			if err == nil {
				a.settled(t, 12)
				r.sound(t)
				return
			}
			a.points++
			before := r.size(t)
			_, err = r.through(r.store).Personalise(t.Context(), second, insert(c), r.plan())
			var taken *issuance.DuplicateError
			if !errors.Is(err, perso.ErrUsed) && !errors.Is(err, perso.ErrInUse) && !errors.As(err, &taken) {
				t.Errorf("append %d: %v", at, err)
			}
			if r.size(t) != before {
				t.Errorf("append %d: the other desk recorded something", at)
			}
			card := must(r.an.Personalise(t.Context(), first, insert(c), r.plan()))(t)
			r.count(t, a, first, card, []*virtual.Chip{c})
			own := blank()
			r.issuedOnce(t, second, r.personalised(t, second, own, r.plan()), own)
		}
	}
}

// stepping is a ledger at whose at-th append the desk's clock is set.
type stepping struct {
	Store
	r     *rig
	at, n int
	by    time.Duration
}

func (s *stepping) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	err := s.Store.Append(ctx, at, e...)
	if s.n++; s.n == s.at {
		s.r.now = s.r.now.Add(s.by)
	}
	return err
}

// TestClockSteps (F6): at every append the desk's clock is set a day back, or 91 days, a
// day or an hour on. Once it is right again the card is made, and passes its last look, which
// wants it signed within the time of the signer's key.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	r, a := newRig(t), &tally{}
	for _, by := range []time.Duration{-24 * time.Hour, -time.Hour, time.Hour, 25 * time.Hour, 91 * 24 * time.Hour} {
		for at := 1; at <= 10; at++ {
			r.endure(t, a, func(r *rig, _ *slot) *Office { return r.through(&stepping{Store: r.store, r: r, at: at, by: by}) })
		}
	}
	a.settled(t, 10)
	r.sound(t)
}

// TestClockOutsideTheSignersTime (F6, F14): a clock of before the authority was founded, or
// of after its signer's time, signs nothing and touches no chip.
func TestClockOutsideTheSignersTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, now := r.approved(t, enrolment(1)), r.now
	use := must(r.an.certificate(t.Context(), "ds-001"))(t).PrivateKeyUsage
	for _, at := range []time.Time{now.Add(-25 * time.Hour), use.NotBefore.Add(-time.Second), use.NotAfter.Add(time.Second), now.AddDate(11, 0, 0)} {
		r.now = at
		s := insert(blank())
		before := r.size(t)
		_, err := r.an.Personalise(t.Context(), app, s, r.plan())
		if wantError(t, at.String(), err, ErrNoSigner); r.size(t) != before || s.n > 0 {
			t.Errorf("%v: %d commands", at, s.n)
		}
	}
	r.now = now
	c := blank()
	r.issuedOnce(t, app, r.personalised(t, app, c, r.plan()), c)
}

// TestSignersTimeEnds (F14): the signer's time ends between signing and writing, and the
// card is made of what was signed in time; nothing more is begun.
func TestSignersTimeEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	end := must(r.an.certificate(t.Context(), "ds-001"))(t).PrivateKeyUsage.NotAfter
	r.now = end.Add(-time.Hour)
	check(t, r.an.MakeCRL(t.Context(), 90))
	r.loadTrust(t)
	next := r.approved(t, enrolment(int(r.size(t))))
	signed, c := r.approved(t, enrolment(int(r.size(t)))), blank()
	f := &faulty{Store: r.store, at: 6}
	_, err := r.through(f).Personalise(t.Context(), signed, insert(c), r.plan())
	wantError(t, "cut", err, errFault)
	if p := r.phase(t, issuance.Card(r.cardOf(t, signed))); p != issuance.Signed {
		t.Fatalf("the card is %s", p)
	}
	r.now = end.Add(time.Minute)
	r.issuedOnce(t, signed, r.personalised(t, signed, c, r.plan()), c)
	s := insert(blank())
	_, err = r.an.Personalise(t.Context(), next, s, r.plan())
	if wantError(t, "sign too late", err, ErrNoSigner); s.n > 0 {
		t.Errorf("%d commands", s.n)
	}
	r.sound(t)
}

// TestStaleList (F14): with a revocation list that is out of date, or that lacks what was
// revoked, nothing is begun or signed; with a new one the card that waited is made.
func TestStaleList(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.now = r.now.AddDate(0, 0, 91) // the list was made for 90 days
	app, c := r.approved(t, enrolment(1)), blank()
	_, err := r.an.Personalise(t.Context(), app, insert(c), r.plan())
	wantError(t, "stale list", err, ErrStaleList)
	if c.InUse() {
		t.Error("a card was locked that no checkpoint accepts")
	}
	check(t, r.an.MakeCRL(t.Context(), 90))
	r.loadTrust(t)
	r.issuedOnce(t, app, r.personalised(t, app, c, r.plan()), c)
	r.sound(t)
}

// TestStuck: a card that was begun a day ago, at whatever step it stands, is given up before
// the chip is touched, and its application gets another one; a locked one is not lost.
func TestStuck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for at := 2; ; at++ {
		app, c := r.approved(t, enrolment(int(r.size(t)))), blank()
		_, err := r.through(&faulty{Store: r.store, at: at}).Personalise(t.Context(), app, insert(c), r.plan())
		if err == nil {
			break
		}
		r.now = r.now.Add(24*time.Hour + time.Minute)
		s := insert(c)
		_, err = r.an.Personalise(t.Context(), app, s, r.plan())
		begun := r.cardOf(t, app)
		if r.phase(t, issuance.Card(begun)) == issuance.Locked {
			break // of which only the last look is missing
		}
		if wantError(t, fmt.Sprint("append ", at), err, perso.ErrGiveUp); s.n > 0 {
			t.Fatalf("append %d: %d commands", at, s.n)
		}
		check(t, r.an.Spoil(t.Context(), begun, "stuck"))
		next := blank()
		if card := r.personalised(t, app, next, r.plan()); card == begun {
			t.Error("the card that was given up is made")
		}
	}
	app, c := r.approved(t, enrolment(int(r.size(t)))), blank()
	card := r.personalised(t, app, c, r.plan())
	r.now = r.now.Add(24*time.Hour + time.Minute)
	if again := r.personalised(t, app, c, r.plan()); again != card {
		t.Errorf("%s, not %s", again, card)
	}
	r.sound(t)
}

// pairs are two faults, the second in the run that repairs the first.
func pairs(t *testing.T, a *tally, first, second int) {
	kinds := []func(n int) accident{
		func(n int) accident { return accident{removal: n} },
		func(n int) accident { return accident{removal: n, lost: true} },
		func(n int) accident { return accident{tear: n} },
		func(n int) accident { return accident{append: n} },
		func(n int) accident { return accident{append: n, after: true} },
	}
	most := []int{110, 110, 40, 10, 10}
	repair := []func(n int) accident{kinds[2], kinds[3], kinds[4]}
	for i, kind := range kinds {
		for j, again := range repair {
			t.Run(fmt.Sprintf("%d then %d", i, j), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				for n := 1; n <= most[i]; n += first {
					for m := 1 + random(second); m <= []int{40, 10, 10}[j]; m += second {
						row := []strike{
							func(r *rig, s *slot) *Office { return kind(n).strike(r, s) },
							func(r *rig, s *slot) *Office { return again(m).strike(r, s) },
						}
						if !r.endure(t, a, row...) || t.Failed() {
							break
						}
					}
				}
				r.sound(t)
			})
		}
	}
}

// TestPairsOfFaults (F1, F2): the desk dies or the card is torn at every step, and again at
// every step of the repair.
func TestPairsOfFaults(t *testing.T) {
	a, first, second, least := &tally{}, 23, 19, 30
	if soak() {
		first, second, least = 1, 1, 10_000
	}
	t.Run("all", func(t *testing.T) { pairs(t, a, first, second) })
	a.settled(t, least)
}

// TestOddOrders (F18): a name in any normal form makes the same card, one that is too long
// for the zone is cut there and nowhere else, and letters that no zone can write, control
// characters and the sign that the QR code parts fields by are refused before anything is
// recorded.
func TestOddOrders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	composed, decomposed := enrolment(1), enrolment(1)
	composed.Person.Given, decomposed.Person.Given = "Thị Thử Nghiệm", "Thi\u0323 Thu\u031b\u0309 Nghie\u0323\u0302m"
	decomposed.Person.Surname = "Nguye\u0302\u0303n"
	one, two := must(newDraft(composed, r.now))(t), must(newDraft(decomposed, r.now))(t)
	two.Salt, two.Serial = one.Salt, one.Serial
	if a, b := must(one.groups())(t), must(two.groups())(t); !bytes.Equal(a[lds.DG1], b[lds.DG1]) || !bytes.Equal(a[lds.DG13], b[lds.DG13]) {
		t.Error("another card")
	}
	if must(one.print())(t) != must(two.print())(t) {
		t.Error("another print")
	}

	long := enrolment(2)
	long.Person.Surname, long.Person.Given = "Công Tằng Tôn Nữ", "Phương Hương Thương Tường Vy Ánh" // 39 letters and more
	card, c := r.issued(t, long, r.plan())
	r.wantPhase(t, issuance.Card(card), issuance.Active)
	if i, err := r.checkpoint(t, c, true, canOf(long.Person)).Identity(); err != nil || i.Name != long.Person.FullName() {
		t.Errorf("%q, %v", i.Name, err)
	}

	before := r.size(t)
	for name, change := range map[string]func(*Enrolment){
		"Khmer":             func(e *Enrolment) { e.Person.Given = "សុខា" },
		"Han":               func(e *Enrolment) { e.Person.Surname = "阮" },
		"a control sign":    func(e *Enrolment) { e.Person.Given = "Thị\x1b[2J" },
		"a part of the QR":  func(e *Enrolment) { e.Person.Residence = "Số 17|Tỉnh Mẫu" },
		"right to left":     func(e *Enrolment) { e.Person.Given = "Th\u202eị" },
		"no letters at all": func(e *Enrolment) { e.Person.Given = "\u0323" },
		"far too long":      func(e *Enrolment) { e.Person.Residence = strings.Repeat("Phường Thử ", 400) },
		"thirteen digits":   func(e *Enrolment) { e.Person.Number = "0031900000171" },
		"a day that is not": func(e *Enrolment) { e.Person.Birth = vn.Date{Year: 1990, Month: 2, Day: 30} },
		"a bomb":            func(e *Enrolment) { e.Portrait = bomb() },
	} {
		e := enrolment(3)
		change(&e)
		if app, err := r.an.Enrol(t.Context(), e); err == nil {
			t.Errorf("%s: %s", name, app)
		}
	}
	if r.size(t) != before {
		t.Error("something was enrolled")
	}
}

// bomb is a JPEG of some octets that says it has 65,535 by 65,535 pixels.
func bomb() []byte {
	b := portrait(0)
	for i := 0; i+9 < len(b); i++ {
		if b[i] == 0xFF && b[i+1] == 0xC0 {
			copy(b[i+5:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
			break
		}
	}
	return b
}
