package monitor

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// facts is what the entries of one log say, as far as the monitor asks. It is kept as JSON
// beside the log, in the change that keeps the entries.
type facts struct {
	Newest  time.Time               // of all entries' times
	Founded bool                    // the first entry was read
	Keys    map[string]*keyFacts    // of the authority, by name
	Objects map[string]objectFacts  // what was signed, by SHA-256
	Newer   map[string]string       // SHA-256 of the newest list, by object
	Branch  map[string]*branchFacts // desks with logs of their own, by name
	Places  map[string]*placeFacts  // where blanks are
	Keyring map[string]*operator    // of the operators, by the names of their keys
	With    string                  // key of the founder, or administrator, who may sign its own enrolment

	Published map[string]time.Time // lists that were, by object: since when they are not, zero while they are
	Withheld  map[string]time.Time // sources that do not give entries: since when

	origin string
	tx     Tx
	stock  *issuance.Book
	alarms []Alarm
	told   map[Code]map[string]bool // while entries are read: alarms by their IDs
}

// openFacts reads what was kept of a log.
func openFacts(tx Tx, k Known) (*facts, error) {
	f := &facts{}
	if len(k.Facts) > 0 {
		if err := json.Unmarshal(k.Facts, f); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrState, k.Origin, err)
		}
	}
	f.origin, f.tx, f.stock = k.Origin, tx, issuance.NewBook("")
	for _, make := range []func(){
		func() { f.Keys = orNew(f.Keys) }, func() { f.Objects = orNew(f.Objects) }, func() { f.Newer = orNew(f.Newer) },
		func() { f.Branch = orNew(f.Branch) }, func() { f.Places = orNew(f.Places) }, func() { f.Keyring = orNew(f.Keyring) },
		func() { f.Published = orNew(f.Published) }, func() { f.Withheld = orNew(f.Withheld) },
	} {
		make()
	}
	f.perKey()
	return f, tx.Stock(k.Origin, func(leaf []byte) error {
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrState, k.Origin, err)
		}
		f.stock.Record(e, issuance.LeafHash(leaf))
		return nil
	})
}

func orNew[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	return m
}

func (f *facts) encode() ([]byte, error) { return json.Marshal(f) }

// mostTold bounds the alarms of a code that entries raise which are read at once.
const mostTold = 100

// alarm adds one. Who has the log's key can make an alarm of each entry: while entries are read,
// the first of a code are told, and then that there are more.
func (f *facts) alarm(a Alarm) {
	if f.told != nil {
		told := orNew(f.told[a.Code])
		f.told[a.Code] = told
		switch n := len(told); {
		case told[a.ID] || n > mostTold:
			return
		case n == mostTold:
			a = newAlarm(a.Code, f.origin, a.Index, fmt.Sprintf("more %d", a.Index),
				"there are more than %d of these, and from here on they are not told one by one", mostTold)
		}
		told[a.ID] = true
	}
	f.alarms = append(f.alarms, a)
}

// read takes one entry in. now is the monitor's clock.
func (f *facts) read(index int64, leaf []byte, now time.Time) error {
	e, err := issuance.VerifyLeaf(leaf, func(e issuance.Entry, by issuance.KeyID) crypto.PublicKey { return f.keyOf(index, e, by) })
	switch {
	case errors.Is(err, issuance.ErrEntry):
		f.alarm(newAlarm(Unreadable, f.origin, index, fmt.Sprint(index), "it is no entry of a ledger").with(File{"leaf", leaf}))
		return nil
	case err != nil:
		f.alarm(newAlarm(Unsigned, f.origin, index, fmt.Sprint(index), "%v", err).with(File{"leaf", leaf}))
	}
	f.Founded = f.Founded || index == 0
	if e.Time.After(f.Newest) {
		f.Newest = e.Time
	}
	if ahead := e.Time.Sub(now); ahead > skew {
		f.alarm(newAlarm(ClockAhead, f.origin, index, e.Time.Format(time.DateOnly),
			"it is of %s, which is to come", e.Time.Format(time.RFC3339)).with(File{"leaf", leaf}))
	}
	switch e.Stream.Kind {
	case issuance.KindOperator:
		f.operator(&e)
	case issuance.KindCard:
		return f.card(index, &e, leaf)
	case issuance.KindStock:
		return f.batch(index, &e, leaf)
	case issuance.KindDay:
		f.day(index, &e, leaf)
	case issuance.KindKey:
		f.key(index, &e)
	case issuance.KindDesk:
		return f.branch(index, &e, leaf, now)
	}
	return nil
}

// skew is by how much clocks may differ.
const skew = 5 * time.Minute

// card reads what cards are made of and what is signed for them.
func (f *facts) card(index int64, e *issuance.Entry, leaf []byte) error {
	switch e.Act {
	case issuance.Allocate:
		return f.use(index, e, leaf)
	case issuance.Prepare:
		return f.prepared(index, e)
	case issuance.Sign:
		if k := f.Keys[e.Fields["ds"]]; k != nil {
			k.signed(e.Time)
			f.outlived(e.Fields["ds"], k)
		}
	}
	return nil
}

// branchFacts is what a centre says of a desk with a log of its own.
type branchFacts struct {
	Origin string
	Size   int64 // taken over up to here
}

// branch reads up to where a desk's log was taken over: the size and root that the centre
// found stand in its own log for ever.
func (f *facts) branch(index int64, e *issuance.Entry, leaf []byte, now time.Time) error {
	b := f.Branch[e.Stream.ID]
	switch {
	case e.Act == issuance.Enrol:
		f.Branch[e.Stream.ID] = &branchFacts{Origin: e.Fields["origin"]}
	case e.Act == issuance.Sync && b != nil:
		size, root, ok := syncOf(e)
		if !ok {
			break
		}
		if size < b.Size {
			f.alarm(newAlarm(SyncBack, f.origin, index, fmt.Sprintf("%s %d", b.Origin, size),
				"the log %s was taken over up to %d entries, and before that up to %d", b.Origin, size, b.Size).with(File{"leaf", leaf}))
		}
		b.Size = max(b.Size, size)
		return f.tx.Show(Shown{Origin: b.Origin, Size: size, Root: root, Place: fmt.Sprintf("entry %d of %s", index, f.origin), Since: now})
	}
	return nil
}
