package desk

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
)

// The variables of the environment that make the test binary a desk that is to be killed.
const (
	victimDir = "TAMTHE_DESK_VICTIM"
	victimApp = "TAMTHE_DESK_APP"
	victimEnd = "TAMTHE_DESK_END" // the point at which it kills itself, if it does
)

// TestKill kills the desk at random moments of personalising, chip and all: the next desk
// goes on, and every card is issued exactly once.
func TestKill(t *testing.T) {
	if dir := os.Getenv(victimDir); dir != "" {
		victim(t, dir, os.Getenv(victimApp), os.Getenv(victimEnd))
		return
	}
	t.Parallel()
	kill(t, 10)
}

func TestKillSoak(t *testing.T) {
	needSoak(t)
	kill(t, 50)
}

// kill goes on until so many desks were killed in the midst of their work.
func kill(t *testing.T, kills int) {
	r := newRig(t)
	whole := r.timeOfOne(t)
	killed, issued, resumed := 0, 0, 0
	at := map[issuance.Phase]int{}
	for killed < kills {
		app := r.approved(t, enrolment(int(r.size(t))))
		check(t, must(virtual.Create(r.path(app+".chip"), virtual.Config{}))(t).Close())
		for try := 0; ; try++ {
			after := time.Duration(random(int(whole)))
			if try == 2 || killed == kills { // a third accident would end the card
				after = 0 // let it work
			}
			card := r.desk(t, app, after, "")
			if card != "" {
				c := must(virtual.Load(r.path(app + ".chip")))(t)
				r.issuedOnce(t, app, card, c)
				r.checked(t, card, c)
				check(t, r.binh.Deliver(t.Context(), card, Handover{}))
				check(t, c.Close())
				issued++
				resumed += min(try, 1)
				break
			}
			killed++
			r.expire(t)
			at[r.stands(t, app)]++
		}
	}
	r.sound(t)
	if n := len(must(r.store.List(t.Context(), issuance.KindCard))(t)); n != issued+1 {
		t.Errorf("%d cards in the ledger, %d were issued", n, issued+1)
	}
	t.Logf("%d kills (when the card was %v), %d cards issued, %d of them resumed, lost 0, double 0", killed, at, issued, resumed)
}

// stands is where the card of an application stands.
func (r *rig) stands(t *testing.T, app string) issuance.Phase {
	t.Helper()
	s := must(issuance.Load(t.Context(), r.store, issuance.Application(app)))(t)
	return s.Subject(issuance.Card(s.Subject(issuance.Application(app)).Fields["card"])).Phase
}

// timeOfOne is how long a desk works that is left alone.
func (r *rig) timeOfOne(t *testing.T) time.Duration {
	t.Helper()
	app := r.approved(t, enrolment(1))
	check(t, must(virtual.Create(r.path(app+".chip"), virtual.Config{}))(t).Close())
	begin := time.Now()
	if r.desk(t, app, 0, "") == "" {
		t.Fatal("a desk that nobody killed made no card")
	}
	return time.Since(begin)
}

// desk has a process of its own make the card, and kills it so long after it began, unless
// that is 0, or has it kill itself at a point. It returns the card's name if it was made.
func (r *rig) desk(t *testing.T, app string, after time.Duration, at string) (card string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKill$", "-test.v")
	child.Env = append(os.Environ(), victimDir+"="+r.dir, victimApp+"="+app, victimEnd+"="+at)
	out := must(child.StdoutPipe())(t)
	check(t, child.Start())
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		name, made := strings.CutPrefix(lines.Text(), "made ")
		switch {
		case made:
			card = name
		case lines.Text() == "begins" && after > 0:
			time.AfterFunc(after, func() { child.Process.Kill() })
		}
	}
	err := child.Wait()
	var exit *exec.ExitError
	if card == "" && (!errors.As(err, &exit) || exit.Exited()) {
		t.Fatalf("the desk failed by itself: %v\n%s", err, said.String())
	}
	return card
}

// victim is the desk that is killed: it takes up ledger and chip from their files, makes
// the card, and says so.
func victim(t *testing.T, dir, app, end string) {
	r := &rig{dir: dir, now: newClock()}
	r.open(t)
	r.loadTrust(t)
	c := must(virtual.Load(r.path(app + ".chip")))(t)
	defer c.Close()
	s := insert(c)
	o := parsePoint(t, end).arm(r, s)
	fmt.Println("begins")
	card := must(o.Personalise(t.Context(), app, s, r.plan()))(t)
	fmt.Println("made " + card)
}
