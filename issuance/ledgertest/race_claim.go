package ledgertest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// raced is what became of a process's claims.
type raced struct {
	Won    []won
	Seen   int // lost to one that could be seen before anything was signed
	Lost   int // lost when they were to be appended, to one that came meanwhile
	Again  int // repeated, because the store was busy or away
	Claims int
}

// won is an application that the process was told is its own.
type won struct{ App, Card string }

// claim is the work of one process: of each window it claims what falls to it, in an order
// of its own.
func (r Race) claim(t *testing.T, place, number string) {
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	store := r.Open(t, place)
	defer store.Close()
	o := NewOffice(t, store)
	order := rand.New(rand.NewPCG(uint64(n), 1))
	out := json.NewEncoder(os.Stdout)
	var all raced
	say := func(v raced) {
		if err := out.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	say(raced{})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); say(raced{}) {
		first, err := strconv.Atoi(in.Text())
		if err != nil {
			t.Fatal(err)
		}
		var mine []int
		for i := first; i < min(first+r.Window, r.Applications); i++ {
			if (i+n)%r.Processes < r.Claims {
				mine = append(mine, i)
			}
		}
		order.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
		for _, i := range mine {
			if err := all.claim(t, o, applicationOf(i), n); err != nil {
				t.Fatalf("%s: %v", applicationOf(i), err)
			}
		}
	}
	say(all)
}

// claim tries to begin a card of the application, as a desk does: it looks, decides, signs
// and appends.
func (all *raced) claim(t *testing.T, o *Office, app string, n int) error {
	all.Claims++
	there, err := o.Ledger.Stream(t.Context(), issuance.Application(app))
	if err != nil {
		return err
	}
	if len(there) > 2 {
		all.Seen++
		return nil
	}
	card := fmt.Sprintf("C-%s-%d", app, n)
	at, entries, err := o.Build(t.Context(), false, o.Begin(app, card)...)
	if taken(err) {
		all.Seen++
		return nil
	}
	for err == nil {
		err = o.Ledger.Append(t.Context(), at, entries...)
		if !errors.Is(err, ledger.ErrBusy) && !errors.Is(err, ledger.ErrAway) {
			break
		}
		all.Again++
		err = nil
	}
	switch {
	case err == nil:
		all.Won = append(all.Won, won{app, card})
	case taken(err):
		all.Lost++
		err = nil
	}
	return err
}

// taken says whether somebody else was first.
func taken(err error) bool {
	_, transition := errors.AsType[*issuance.TransitionError](err)
	return transition || errors.Is(err, issuance.ErrConflict) || errors.Is(err, issuance.ErrLink)
}
