package eid

import (
	"container/list"
	"sync"
	"time"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/verify"
)

// stage is how far a login is.
type stage int

const (
	begun    stage = iota // nobody has it yet
	open                  // an agent has it
	waiting               // for the answer to a Remote1
	relayed               // the server is reading the card itself
	decided               // accepted, to be redeemed
	refused               // or not
	redeemed              // over
)

// login is one login under way.
type login struct {
	id      string // never changes, as do expires, browser, code and party
	expires time.Time

	mu      sync.Mutex
	stage   stage
	request Request
	ask     Ask
	party   *Party
	browser [32]byte // SHA-256 of what the browser session has
	code    string
	finish  string // what the agent gives the citizen to redeem with
	wrong   int    // redemptions by a wrong code
	agent   string // what the agent committed itself to
	record  verify.Record
	holder  bool
	far     bool // record was read by the server itself
	remote  *auth.Remote1
	claims  *Claims
	refusal error

	place *list.Element // in the table's order; its own lock guards it
	done  bool          // it has come to its end, and is there to say so
}

// forget ends what is secret of a login.
func (l *login) forget() {
	if l.remote != nil {
		l.remote.Close()
	}
	l.remote, l.record = nil, verify.Record{}
}

// table has the logins under way, at most so many, and beside them those that came to their
// end, so that whoever comes again is told how: four times as many, the oldest of which are
// forgotten first.
type table struct {
	most int

	mu       sync.Mutex
	sessions map[string]*login
	codes    map[string]*login
	under    list.List // under way, in the order in which they expire, which is that of begin
	ended    list.List // come to an end, in the order in which they did
}

// perOpen is how many ended logins are remembered for each that may be under way.
const perOpen = 4

func newTable(most int) table {
	return table{most: most, sessions: map[string]*login{}, codes: map[string]*login{}}
}

// add puts a login in and gives it its code; false where there is no room.
func (t *table) add(l *login, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
	if t.under.Len() >= t.most {
		return false
	}
	for l.code = digits(8); t.codes[l.code] != nil; l.code = digits(8) {
	}
	t.sessions[l.id], t.codes[l.code] = l, l
	l.place = t.under.PushBack(l)
	return true
}

func (t *table) session(name string) *login {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sessions[name]
}

func (t *table) code(code string) *login {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.codes[code]
}

// end makes room: a login came to its end. What it was asked, told and shown is forgotten.
func (t *table) end(l *login) {
	l.forget()
	l.claims, l.agent, l.finish = nil, "", ""
	l.ask, l.request = Ask{}, Request{}
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.place == nil || l.done {
		return
	}
	t.under.Remove(l.place)
	l.place, l.done = t.ended.PushBack(l), true
	if t.ended.Len() > perOpen*t.most {
		t.remove(&t.ended, t.ended.Front().Value.(*login))
	}
}

// sweep forgets logins whose time is over, and those that ended before them.
func (t *table) sweep(now time.Time) {
	for _, order := range []*list.List{&t.under, &t.ended} {
		for e := order.Front(); e != nil; e = order.Front() {
			l := e.Value.(*login)
			if !now.After(l.expires) {
				break
			}
			t.remove(order, l)
			if l.mu.TryLock() { // else whoever works on it forgets
				l.forget()
				l.mu.Unlock()
			}
		}
	}
}

func (t *table) remove(order *list.List, l *login) {
	order.Remove(l.place)
	l.place = nil
	delete(t.sessions, l.id)
	delete(t.codes, l.code)
}

// count is how many logins are under way now, and how many ended ones are remembered.
func (t *table) count(now time.Time) (under, ended int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
	return t.under.Len(), t.ended.Len()
}
