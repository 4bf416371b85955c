// Package ledgertest is the suite that every store of the issuance ledger passes, and
// the small office that it and other tests work with.
package ledgertest

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Origin is the name of every test log.
const Origin = "ledger.test"

// Store is what the suite asks of a store beside the Ledger itself.
type Store interface {
	issuance.Ledger
	Attachment(ctx context.Context, entry [16]byte, name string) ([]byte, error)
	Claimed(ctx context.Context, c issuance.Claim) (issuance.StreamID, error)
	Checkpoint(ctx context.Context) (*ledger.Checkpoint, error)
	Verify(ctx context.Context, against *ledger.Checkpoint) (*ledger.Report, error)
	Close() error
}

// Open opens the store that is kept in a folder, and makes it there the first time.
type Open func(t testing.TB, dir string) Store

// LogKey is the key of every test log, with its verifier.
func LogKey(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	s, v, _ := LogKeyOf(t, Origin)
	return s, v
}

// LogKeyOf is the key of a test log of another name, with its verifier and that as text.
func LogKeyOf(t testing.TB, origin string) (note.Signer, note.Verifier, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(fixed("log key"), origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v, vkey
}

// fixed is a source of the same octets every time.
func fixed(name string) *repeating { return &repeating{sha256.Sum256([]byte(name))} }

type repeating struct{ block [32]byte }

func (r *repeating) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], r.block[:])
	}
	return n, nil
}

// Officer is a person of the test office with a key.
type Officer struct {
	Name   string
	Person string
	Roles  []issuance.Role
	Key    crypto.Signer
	ID     issuance.KeyID
}

// NewOfficer makes an officer whose key is the same every time for a name.
func NewOfficer(name, person string, roles ...issuance.Role) Officer {
	seed := sha256.Sum256([]byte("officer " + name))
	key := ed25519.NewKeyFromSeed(seed[:])
	id, err := issuance.KeyIDOf(key.Public())
	if err != nil {
		panic(err) // an Ed25519 key always has a name
	}
	return Officer{name, person, roles, key, id}
}

// All are the officers, the founders among them.
func (o *Office) All() []Officer { return append([]Officer{o.Root, o.Mate}, o.officers()...) }

// The officers of the test office.
func (o *Office) officers() []Officer {
	return []Officer{
		o.Registrar, o.Approver, o.Personaliser, o.Signer, o.Inspector, o.Clerk, o.Revoker,
		o.Custodian, o.CustodianMate, o.Keeper, o.KeeperMate, o.Auditor,
	}
}

// Office is a desk in miniature over a ledger: it builds, signs and appends acts.
type Office struct {
	Ledger issuance.Ledger

	Root, Mate                                Officer // the two founders
	Registrar, Approver, Personaliser, Signer Officer
	Inspector, Clerk, Revoker                 Officer
	Custodian, CustodianMate                  Officer
	Keeper, KeeperMate, Auditor               Officer

	origin, logKey string
	now            time.Time
	jobs           int // applications that Jobs has named
}

// NewOffice returns the office over a ledger that it has founded already, or that
// Found will.
func NewOffice(t testing.TB, l issuance.Ledger) *Office { return NewBranch(t, l, Origin) }

// NewBranch is NewOffice with a log of another name.
func NewBranch(t testing.TB, l issuance.Ledger, origin string) *Office {
	_, _, vkey := LogKeyOf(t, origin)
	return &Office{
		origin: origin, logKey: vkey,
		Ledger:       l,
		Root:         NewOfficer("root", "p-0", issuance.Admin),
		Registrar:    NewOfficer("registrar", "p-1", issuance.Registrar),
		Approver:     NewOfficer("approver", "p-2", issuance.Approver),
		Personaliser: NewOfficer("personaliser", "p-3", issuance.Personaliser),
		Inspector:    NewOfficer("inspector", "p-4", issuance.Inspector),
		Clerk:        NewOfficer("clerk", "p-5", issuance.Clerk),
		Revoker:      NewOfficer("revoker", "p-6", issuance.Revoker),
		Custodian:    NewOfficer("custodian", "p-7", issuance.Custodian),
		Mate:         NewOfficer("mate", "p-8", issuance.Admin),
		Signer:       NewOfficer("signer", "p-9", issuance.Signer),
		Keeper:       NewOfficer("keeper", "p-10", issuance.StockKeeper),

		Auditor:       NewOfficer("auditor", "p-13", issuance.Auditor),
		CustodianMate: NewOfficer("custodian-mate", "p-11", issuance.Custodian),
		KeeperMate:    NewOfficer("keeper-mate", "p-12", issuance.StockKeeper),
		now:           time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
	}
}

// Pass lets time go by on the office's clock, and returns what that says then.
func (o *Office) Pass(d time.Duration) time.Time {
	o.now = o.now.Add(d)
	return o.now
}

// Found writes the first entries of the log, enrols the officers, certifies a document
// signer and takes in blank cards.
func (o *Office) Found(t testing.TB) {
	t.Helper()
	o.Must(t, o.Init()...)
	var steps []Step
	for _, f := range o.officers() {
		steps = append(steps, o.Hire(f))
	}
	o.Must(t, steps...)
	o.Must(t, o.Certify("ds-001", "1000000000000")...)
	o.Must(t, o.Stock()...)
}

// Step is an act that the office can do.
type Step struct {
	Stream issuance.StreamID
	Act    issuance.Act
	By     Officer
	Second *Officer
	Fields map[string]string
	Made   string // what Content commits to; empty: no commitment

	Claims, Hold, Release []issuance.Claim
	Attach                []issuance.Attachment
}

// Init is the first act of the log, and the enrolment of the second founder.
func (o *Office) Init() []Step {
	first, second := o.Hire(o.Root), o.Hire(o.Mate)
	first.Act, first.Second = issuance.Init, nil
	first.Fields["logkey"], first.Fields["with"] = o.logKey, o.Mate.ID.String()
	return []Step{first, second}
}

// Hire enrols an officer.
func (o *Office) Hire(f Officer) Step {
	key, err := issuance.KeyField(f.Key.Public())
	if err != nil {
		panic(err) // an Ed25519 key always has a field
	}
	return Step{
		Stream: issuance.OperatorStream(f.ID), Act: issuance.Enrol, By: o.Root, Second: &o.Mate,
		Fields: map[string]string{"key": key, "person": f.Person, "name": f.Name, "roles": issuance.RolesField(f.Roles...)},
		Hold:   []issuance.Claim{{Kind: issuance.HoldName, Value: f.Name}},
	}
}

// Digest is the form in which fields hold a SHA-256, here of a test value.
func Digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// Commitment commits to a test value.
func Commitment(value string) [32]byte { return issuance.Commit([32]byte{1}, []byte(value)) }

// Build makes signed entries of steps, with the head they rest on, judged by the rules
// unless unjudged is set.
func (o *Office) Build(ctx context.Context, unjudged bool, steps ...Step) (issuance.Head, []issuance.Entry, error) {
	state, err := o.load(ctx, steps)
	if err != nil {
		return nil, nil, err
	}
	var entries []issuance.Entry
	for _, s := range o.registering(state, steps) {
		e, err := o.draft(state, s)
		if err == nil {
			err = s.sign(&e)
		}
		if err != nil {
			return nil, nil, err
		}
		entries = append(entries, e)
		after, err := state.Apply(e)
		if err != nil && !unjudged {
			return nil, nil, err
		}
		state = after
	}
	if !unjudged {
		if err := state.Complete(); err != nil {
			return nil, nil, err
		}
	}
	return state.Head(), entries, nil
}

// load reads what steps rest on.
func (o *Office) load(ctx context.Context, steps []Step) (issuance.State, error) {
	if steps[0].Act == issuance.Init {
		return issuance.Begin(o.origin), nil
	}
	var about []issuance.StreamID
	for _, s := range steps {
		e := issuance.Entry{Stream: s.Stream, Act: s.Act, Operator: s.By.ID, Fields: s.Fields}
		if s.Second != nil {
			e.Second = s.Second.ID
		}
		about = append(about, issuance.About(e)...)
	}
	return issuance.Load(ctx, o.Ledger, about...)
}

// registering puts the registration of each person whom the ledger does not know in front
// of their application.
func (o *Office) registering(state issuance.State, steps []Step) []Step {
	var all []Step
	for _, s := range steps {
		id := issuance.Person(s.Fields["subject"])
		known := state.Subject(id).Phase != issuance.Absent || slices.ContainsFunc(all, func(other Step) bool { return other.Stream == id })
		if s.Act == issuance.Enrol && id.ID != "" && !known {
			all = append(all, Register(s))
		}
		all = append(all, s)
	}
	return all
}

// draft makes the entry of a step that follows on state, without signatures.
func (o *Office) draft(state issuance.State, s Step) (issuance.Entry, error) {
	e, err := state.Next(s.Stream, s.Act)
	if err != nil {
		return e, err
	}
	o.now = o.now.Add(time.Second)
	e.ID, e.Time, e.Operator, e.Fields = issuance.NewID(), o.now, s.By.ID, s.Fields
	e.Claims, e.Hold, e.Release, e.Attach = s.Claims, s.Hold, s.Release, s.Attach
	if s.Made != "" {
		e.Commitments = map[string][32]byte{issuance.Content: Commitment(s.Made)}
	}
	if s.Second != nil {
		e.Second = s.Second.ID
	}
	return e, nil
}

// sign signs what draft made.
func (s Step) sign(e *issuance.Entry) error {
	if s.Second != nil {
		if err := e.Sign(s.Second.Key); err != nil {
			return err
		}
	}
	return e.Sign(s.By.Key)
}

// Wait lets time pass on the office's clock.
func (o *Office) Wait(d time.Duration) { o.now = o.now.Add(d) }

// Do builds and appends steps in one append.
func (o *Office) Do(ctx context.Context, steps ...Step) error {
	at, entries, err := o.Build(ctx, false, steps...)
	if err != nil {
		return err
	}
	return o.Ledger.Append(ctx, at, entries...)
}

// Must does steps in one append and ends the test if it cannot.
func (o *Office) Must(t testing.TB, steps ...Step) {
	t.Helper()
	if err := o.Do(context.Background(), steps...); err != nil {
		t.Fatalf("%s of %s: %v", steps[0].Act, steps[0].Stream, err)
	}
}
