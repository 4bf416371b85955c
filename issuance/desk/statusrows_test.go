package desk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/verify/status"
)

// maker makes lists of some logs as an office without a key would.
func maker(t testing.TB, own *branch, apart ...*branch) statusMaker {
	t.Helper()
	o := &Office{Store: own.log, Now: time.Now}
	for _, b := range apart {
		o.Apart = append(o.Apart, b.log)
	}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	at := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	h := status.Header{
		Sort: status.Index, Country: "VN", Documents: []string{"I"}, URI: ledgertest.StatusList, Sequence: 1, Signed: at, NextUpdate: at.Add(time.Hour),
	}
	return statusMaker{o: o, header: h, key: key.Public(), few: fewCards}
}

// carry does something to a card of the branch, by chance.
func (b *branch) carry(t testing.TB, r *mathrand.Rand, n int, name string) {
	t.Helper()
	act := func(act issuance.Act, by ledgertest.Officer, reason string) {
		b.o.Must(t, ledgertest.Step{Stream: issuance.Card("C-" + name), Act: act, By: by, Fields: map[string]string{"reason": reason}})
	}
	person := fmt.Sprintf("%s-%d", b.name, n)
	if r.IntN(5) == 0 {
		b.o.MakeCard(t, "A-"+name, "C-"+name, person, "")
		act(issuance.Spoil, b.o.Personaliser, "torn")
		return
	}
	b.o.IssueCard(t, "A-"+name, "C-"+name, person, "")
	switch r.IntN(5) {
	case 0:
		act(issuance.Suspend, b.o.Revoker, "reported")
		if r.IntN(2) == 0 {
			act(issuance.Resume, b.o.Revoker, "found")
		}
	case 1:
		b.o.Must(t, b.o.Revoke("C-"+name, person))
	case 2:
		b.o.IssueCard(t, "A-"+name+"-2", "C-"+name+"-2", person, "C-"+name)
	case 3:
		b.o.MakeCard(t, "A-"+name+"-2", "C-"+name+"-2", person, "C-"+name)
	}
}

// recall puts a card of another log out of force, saying where in the list it is or not.
func (b *branch) recall(t testing.TB, of *branch, name string, place bool) {
	t.Helper()
	id := ledgertest.Digest("id C-" + name)
	s := ledgertest.Step{
		Stream: issuance.Card("C-" + name), Act: issuance.Recall, By: b.o.Revoker,
		Fields: map[string]string{"cardid": id, "origin": of.name + ".test/log", "reason": "lost"},
		Claims: []issuance.Claim{{Kind: issuance.ClaimCardID, Value: id}},
	}
	if place {
		s.Claims = append(s.Claims, issuance.Claim{Kind: issuance.ClaimStatus, Value: fmt.Sprintf("%s:%d", ledgertest.StatusList, ledgertest.Place("C-"+name))})
	}
	b.o.Must(t, s)
}

// TestRowsAsCards: of logs of any course, desks apart and their recalled cards among them, the
// tables make the list, octet for octet, that the cards' own signed entries make.
func TestRowsAsCards(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		r := mathrand.New(mathrand.NewPCG(seed, 41))
		centre, north, south := newBranch(t, "centre"), newBranch(t, "north"), newBranch(t, "south")
		for n := range 6 {
			centre.carry(t, r, n, fmt.Sprintf("centre-%d", n))
			for _, b := range []*branch{north, south} {
				name := fmt.Sprintf("%s-%d", b.name, n)
				if n == 0 {
					name = "same" // in one place of the list
				}
				b.carry(t, r, n, name)
				if n > 0 && r.IntN(3) == 0 {
					centre.recall(t, b, name, r.IntN(2) == 0)
				}
			}
		}
		m := maker(t, centre, north, south)
		cards := must(m.indexes(t.Context()))(t)
		rows, some, err := m.rows(t.Context())
		check(t, err)
		want, got := must(m.cardsDraft(cards))(t), must(m.rowsDraft(rows))(t)
		if want.Digest() != got.Digest() {
			t.Errorf("seed %d: %d rows, cards %v", seed, rows.Len(), cards)
		}
		check(t, m.borneOut(t.Context(), some, time.Now()))
	}
}

// TestRowsLie: a table that says another thing than the cards' entries is found out, in short
// lists wherever it does.
func TestRowsLie(t *testing.T) {
	t.Parallel()
	b := newBranch(t, "lying")
	b.issue(t, 1, "an")
	b.issue(t, 2, "binh")
	b.o.Must(t, b.o.Revoke("C-lying-1", "an"))
	m := maker(t, b)
	must(m.indexDraft(t.Context()))(t)
	db := must(sql.Open("sqlite3", "file:"+b.path))(t)
	defer db.Close()
	must(db.Exec("UPDATE status SET state = 2, since = since + 1 WHERE state = 5"))(t)
	for _, few := range []uint64{fewCards, 0} {
		m.few = few
		m.o.Now = func() time.Time { return time.Now().Add(time.Hour) } // long after the cards' last acts
		if _, err := m.indexDraft(t.Context()); !errors.Is(err, issuance.ErrChanged) {
			t.Errorf("a list of more than %d cards: %v", few, err)
		}
	}
	if r := must(b.log.Verify(t.Context(), nil))(t); r.OK() {
		t.Error("the audit finds nothing")
	}
}
