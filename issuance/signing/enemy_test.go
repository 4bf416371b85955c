package signing

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// forged is a log in the hands of somebody with the log's key and all rights to its
// database: what it says is signed, whatever it says.
type forged struct {
	Log
	key  note.Signer
	rows [][2][]byte // leaf and payload
}

// forge takes the rig's log over.
func (r *rig) forge() *forged {
	key, _ := ledgertest.LogKey(r.t)
	f := &forged{Log: r.store, key: key}
	check(r.t, r.store.Entries(r.t.Context(), 0, func(_ int64, leaf, payload []byte) error {
		f.rows = append(f.rows, [2][]byte{slices.Clone(leaf), slices.Clone(payload)})
		return nil
	}))
	return f
}

// add puts an entry behind those that are there, past all rules.
func (f *forged) add(t testing.TB, e issuance.Entry) {
	t.Helper()
	f.rows = append(f.rows, [2][]byte{must(e.Leaf())(t), must(e.Payload())(t)})
}

func (f *forged) Entries(_ context.Context, from int64, each func(int64, []byte, []byte) error) error {
	for i := from; i < int64(len(f.rows)); i++ {
		if err := each(i, f.rows[i][0], f.rows[i][1]); err != nil {
			return err
		}
	}
	return nil
}

func (f *forged) Checkpoint(context.Context) (*ledger.Checkpoint, error) {
	var tree ledger.Tree
	for _, row := range f.rows {
		tree.Append(issuance.LeafHash(row[0]))
	}
	return ledger.SignCheckpoint(ledgertest.Origin, tree.Size(), tree.Root(), f.key)
}

// next is the entry that would follow on a stream, by somebody who signs it.
func (r *rig) next(a act) issuance.Entry {
	t := r.t
	t.Helper()
	about := []issuance.StreamID{a.stream, issuance.OperatorStream(r.office.Root.ID)}
	e := must(must(issuance.Load(t.Context(), r.store, about...))(t).Next(a.stream, a.act))(t)
	e.ID, e.Operator, e.Fields, e.Claims, e.Hold, e.Time = issuance.NewID(), a.by.ID, a.fields, a.claims, a.hold, r.now
	if a.content != nil {
		e.Commitments = map[string][32]byte{issuance.Content: *a.content}
	}
	if a.second != nil {
		e.Second = a.second.ID
		check(t, e.Sign(a.second.Key))
	}
	check(t, e.Sign(a.by.Key))
	return e
}

// TestForgedLog: whoever has database and log key can make the log say that something was
// approved, and gets nothing signed: the approver's own signature is missing, or the
// approver was no such thing.
func TestForgedLog(t *testing.T) {
	r := newRig(t)
	o := r.office
	check(t, r.service().Follow(t.Context()))
	c := r.begun()
	r.generate(c)
	content := must(issuance.CommitParts([32]byte{9}, c.request.Parts...))(t)
	app := issuance.Application("A-forged")
	enrol := o.Enrol(app.ID, "nobody", "")
	mate := ledgertest.NewOfficer("mine", "p-1", issuance.Approver)       // the registrar's second key
	stranger := ledgertest.NewOfficer("stranger", "p-66", issuance.Admin) // nobody enrolled it
	hire := func(f ledgertest.Officer, by ledgertest.Officer, second *ledgertest.Officer) issuance.Entry {
		step := o.Hire(f)
		return r.next(act{stream: step.Stream, act: step.Act, by: by, second: second, fields: step.Fields, hold: step.Hold})
	}
	change := act{stream: issuance.Application(c.app), act: issuance.Change, by: o.Registrar, content: &content}
	for name, entries := range map[string]func() []issuance.Entry{
		"one administrator enrols": func() []issuance.Entry { return []issuance.Entry{hire(mate, o.Root, nil)} },
		"a stranger enrols":        func() []issuance.Entry { return []issuance.Entry{hire(mate, stranger, &o.Mate)} },
		"a stranger is the second": func() []issuance.Entry { return []issuance.Entry{hire(mate, o.Root, &stranger)} },
		"a registrar approves": func() []issuance.Entry {
			return []issuance.Entry{r.next(act{stream: app, act: issuance.Approve, by: o.Registrar, content: &content})}
		},
		"a change after approval": func() []issuance.Entry { return []issuance.Entry{r.next(change)} },
		"an approval of nothing": func() []issuance.Entry {
			return []issuance.Entry{r.next(act{stream: app, act: issuance.Approve, by: o.Approver, content: &content})}
		},
		"half an enrolment": func() []issuance.Entry {
			return []issuance.Entry{r.next(act{stream: app, act: issuance.Enrol, by: o.Registrar, fields: enrol.Fields, content: &content, hold: enrol.Hold})}
		},
		"a forged signature": func() []issuance.Entry {
			e := r.next(act{stream: issuance.Card(c.card), act: issuance.Generate, by: o.Personaliser, fields: map[string]string{"evidence": ledgertest.Digest("x")}, claims: []issuance.Claim{{Kind: issuance.ClaimChipKey, Value: "k"}}})
			e.Signature[0]++
			return []issuance.Entry{e}
		},
		"the approver's name over another's signature": func() []issuance.Entry {
			e := r.next(act{stream: issuance.Application(c.app), act: issuance.Reject, by: o.Registrar, fields: map[string]string{"reason": "identity"}})
			e.Operator = o.Approver.ID
			return []issuance.Entry{e}
		},
		"a key of another card": func() []issuance.Entry {
			return []issuance.Entry{r.next(act{
				stream: issuance.Card(c.card), act: issuance.Generate, by: o.Personaliser, fields: map[string]string{"evidence": ledgertest.Digest("x")},
				claims: []issuance.Claim{{Kind: issuance.ClaimChipKey, Value: ledgertest.Digest(string(c.points(t)[0]))}},
			})}
		},
		"a second foundation": func() []issuance.Entry {
			step := o.Hire(stranger)
			step.Fields["logkey"] = must(readPin(r.path("signer")))(t).LogKey
			return []issuance.Entry{r.next(act{stream: step.Stream, act: issuance.Init, by: stranger, fields: step.Fields, hold: step.Hold})}
		},
		"the service's own act by another": func() []issuance.Entry {
			return []issuance.Entry{r.next(act{stream: issuance.Card(c.card), act: issuance.Prepare, by: o.Personaliser, fields: map[string]string{"cardid": ledgertest.Digest("x"), "ds": "ds-001"}, content: &c.content, claims: []issuance.Claim{{Kind: issuance.ClaimCardID, Value: ledgertest.Digest("x")}, {Kind: issuance.ClaimUse, Value: "ds-001:1"}}})}
		},
	} {
		f := r.forge()
		for _, e := range entries() {
			f.add(t, e)
		}
		r.against(name, f, c.request)
	}
	for name, change := range map[string]func(*forged){
		"an entry is left out":       func(f *forged) { f.rows = slices.Delete(f.rows, 7, 8) },
		"two entries changed places": func(f *forged) { f.rows[5], f.rows[6] = f.rows[6], f.rows[5] },
		"the last are cut off":       func(f *forged) { f.rows = f.rows[:10] },
		"a leaf is no leaf":          func(f *forged) { f.rows[8][0] = []byte("no leaf") },
		"the first is another":       func(f *forged) { f.rows[0] = f.rows[1] },
		"nothing is there":           func(f *forged) { f.rows = nil },
	} {
		f := r.forge()
		change(f)
		r.against(name, f, c.request)
	}
	f := r.forge()
	f.rows[8][1] = f.rows[9][1]
	r.o.Log = f
	r.refuses("another payload beside a leaf", c.request, ErrLog)
	r.o.Log = r.store
	must(r.service().Sign(t.Context(), c.request))(t)
}

// against checks that the service refuses a log, whichever it saw before: at its start, and
// when it already follows.
func (r *rig) against(name string, l Log, q *Request) {
	t := r.t
	t.Helper()
	honest := r.o.Log
	defer func() { r.o.Log = honest }()
	running := r.service()
	check(t, running.Follow(t.Context()))
	running.o.Log = l
	r.o.Log = l
	before := r.signatures()
	for when, s := range map[string]*Service{"at its start": r.service(), "following": running} {
		if sod, err := s.Sign(t.Context(), q); sod != nil || !errors.Is(err, ErrLog) || r.signatures() != before {
			t.Errorf("%s, %s: %d octets, %v", name, when, len(sod), err)
		}
	}
}

// TestStolenKeys: an approver's key that was revoked approves nothing any more, and two
// names of one person are one.
func TestStolenKeys(t *testing.T) {
	r := newRig(t)
	o := r.office
	c := r.keyed()
	revoke := act{
		stream: issuance.OperatorStream(o.Approver.ID), act: issuance.Revoke, by: o.Root, second: &o.Mate, fields: map[string]string{"reason": "stolen"},
	}
	e := must(must(issuance.Load(t.Context(), r.store, revoke.stream, issuance.OperatorStream(o.Root.ID), issuance.OperatorStream(o.Mate.ID)))(t).Next(revoke.stream, revoke.act))(t)
	e.ID, e.Operator, e.Second, e.Fields, e.Time = issuance.NewID(), o.Root.ID, o.Mate.ID, revoke.fields, r.now
	e.Release = []issuance.Claim{{Kind: issuance.HoldName, Value: o.Approver.Name}}
	check(t, e.Sign(o.Root.Key))
	check(t, e.Sign(o.Mate.Key))

	// Enrolled and waiting when the approver's key is revoked; the thief approves it.
	r.people++
	d := &candidate{app: "A-late", card: "C-late"}
	d.request = r.request(d)
	d.content = must(issuance.CommitParts(d.request.Salt, d.request.Parts...))(t)
	enrol := o.Enrol(d.app, "late", "")
	enrol.Fields["profile"] = profileName
	check(t, r.act(
		act{stream: issuance.Person("P-late"), act: issuance.Register, by: o.Registrar, fields: map[string]string{"application": d.app}, claims: ledgertest.Register(enrol).Claims},
		act{stream: issuance.Application(d.app), act: issuance.Enrol, by: o.Registrar, fields: enrol.Fields, content: &d.content, hold: enrol.Hold},
	))
	approve := r.next(act{stream: issuance.Application(d.app), act: issuance.Approve, by: o.Approver, content: &d.content})
	f := r.forge()
	f.add(t, e)
	f.add(t, approve)
	r.against("an approval by a revoked key", f, c.request)
	check(t, r.store.Append(t.Context(), nil, e))
	if err := r.store.Append(t.Context(), nil, approve); !errors.Is(err, issuance.ErrOperator) {
		t.Errorf("the store: %v", err)
	}
	must(r.service().Sign(t.Context(), c.request))(t) // what was approved before stays approved
}

// copyDB copies the ledger's file as it is when it is closed.
func (r *rig) copyDB(to string) {
	r.t.Helper()
	check(r.t, r.store.Close())
	copyFile(r.t, r.path("ledger.db"), to)
	r.open(r.path("ledger.db"))
}

// open opens a file in the ledger's place, for somebody who removed what is kept beside it.
func (r *rig) open(path string) {
	r.t.Helper()
	check(r.t, r.store.Close())
	check(r.t, os.RemoveAll(r.path("checkpoints")))
	check(r.t, os.Mkdir(r.path("checkpoints"), 0o700))
	log, _ := ledgertest.LogKey(r.t)
	r.store = must(sqlite.Open(r.t.Context(), path, r.options(log)))(r.t)
	r.t.Cleanup(func() { r.store.Close() })
	r.office.Ledger, r.o.Log = r.store, r.store
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in := must(os.Open(from))(t)
	defer in.Close()
	out := must(os.Create(to))(t)
	must(io.Copy(out, in))(t)
	check(t, out.Close())
}

// TestAnotherDatabase: a file that was put in the ledger's place, with everything beside it
// removed, is refused: an older copy, a second history, another foundation.
func TestAnotherDatabase(t *testing.T) {
	r := newRig(t)
	first := r.keyed()
	r.copyDB(r.path("old.db"))
	second := r.keyed()
	must(r.service().Sign(t.Context(), first.request))(t)

	copyFile(t, r.path("old.db"), r.path("rolled.db"))
	r.open(r.path("rolled.db"))
	r.refuses("an older copy", first.request, ErrLog)
	r.refuses("an older copy", second.request, ErrLog)

	for range 3 { // it grows past what the service has seen
		r.people += 10
		r.keyed()
	}
	r.refuses("a second history", first.request, ErrLog)

	r.open(r.path("ledger.db"))
	must(r.service().Sign(t.Context(), second.request))(t)

	other := newRig(t)
	c := other.keyed()
	copyFile(t, filepath.Join(r.dir, "signer", pinFile), filepath.Join(other.dir, "signer", pinFile))
	other.refuses("another foundation under the same log key", c.request, ErrLog)
	if n := other.signatures(); n != 0 {
		t.Errorf("%d signatures", n)
	}
}
