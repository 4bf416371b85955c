package issuance

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"
)

// apartness is what different persons must have done, as the law and the house want it
// (vietnam-cccd §4.2, issuance §3), written down a second time: by act, the acts of the same
// stream and of the card's application that nobody behind it may be behind.
var apartness = map[string]struct{ same, application []Act }{
	"application approve":     {same: []Act{Enrol, Change}},
	"application accept":      {same: []Act{Enrol, Change, Differ}},
	"application clear":       {same: []Act{Enrol, Change, Suspect}},
	"application personalise": {same: []Act{Approve}},
	"application settle":      {same: []Act{Complain}},
	"card allocate":           {application: []Act{Approve}},
	"card rotate":             {application: []Act{Approve}},
	"card generate":           {application: []Act{Approve}},
	"card prepare":            {application: []Act{Approve}},
	"card sign":               {application: []Act{Approve}},
	"card write":              {application: []Act{Approve}},
	"card written":            {application: []Act{Approve}},
	"card lock":               {application: []Act{Approve}},
	"card locked":             {application: []Act{Approve}},
	"card print":              {application: []Act{Approve}},
	"card check":              {same: []Act{Allocate, Rotate, Generate, Prepare, Sign, Write, WriteDone, Lock, LockDone, Print}},
	"card fail":               {same: []Act{Allocate, Rotate, Generate, Prepare, Sign, Write, WriteDone, Lock, LockDone, Print}},
	"card receive":            {same: []Act{Send}},
	"card deliver":            {same: []Act{Allocate, Rotate, Generate, Write, WriteDone, Lock, LockDone, Print}},
}

// pairs are the acts that two persons sign whatever they are about.
var pairs = []string{
	"operator enrol", "operator revoke", "person renumber", "application shred", "card destroy", "key import", "key destroy",
	"ceremony sign", "stock destroy", "desk invite", "desk enrol", "desk grant", "desk revoke", "conflict settle",
}

// walker does random acts on one log and keeps its own record of who did what.
type walker struct {
	t      *testing.T
	rng    *rand.Rand
	book   *Book
	log    map[StreamID][]Entry
	people []walkerKey
	done   map[StreamID]map[Act][]string // persons
	holds  map[Claim]StreamID
	claims map[Claim]StreamID
	ids    map[Kind][]StreamID
	n      int
	evenly bool // every act of the table is as likely as another
	passed map[string]int
	failed map[string]int
}

type walkerKey struct {
	id     KeyID
	key    ed25519.PrivateKey
	person string
	name   string
	roles  []Role
}

func newWalkerKey(name, person string, roles ...Role) walkerKey {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	id, _ := KeyIDOf(key.Public())
	return walkerKey{id, key, person, name, roles}
}

func (k walkerKey) fields() map[string]string {
	field, _ := KeyField(k.key.Public())
	return map[string]string{"key": field, "person": k.person, "name": k.name, "roles": RolesField(k.roles...)}
}

// TestRandomWalk: wherever random acts lead, nobody stands behind two acts that two persons
// must have done, every act for two has two, one person has one card in force; and each act
// of the table is done and is refused.
func TestRandomWalk(t *testing.T) {
	steps := 5000
	if os.Getenv("TAMTHE_SOAK") != "" {
		steps = 200_000
	}
	w := newWalker(t, 2)
	for i := 0; i < steps || len(w.missing()) > 0 && i < 3*steps; i++ {
		w.evenly = i%4 == 0
		w.step()
	}
	if missing := w.missing(); len(missing) > 0 {
		t.Errorf("not both done and refused: %v", missing)
	}
	total, refused := 0, 0
	for _, n := range w.passed {
		total += n
	}
	for _, n := range w.failed {
		refused += n
	}
	t.Logf("%d acts done, %d refused, on %d streams", total, refused, w.book.Len())
}

// missing lists the acts of the table that were not both done and refused yet.
func (w *walker) missing() (list []string) {
	for _, r := range books[RuleBook].rules {
		name := string(r.kind) + " " + string(r.act)
		seldom := slices.Contains([]Act{Init, Pair, Supersede, Recall}, r.act) || // TestFounders, TestPair, TestHalves; and
			slices.Contains([]Kind{KindDesk, KindConflict}, r.kind) // what rests on a desk's own log
		if !seldom && (w.passed[name] == 0 || w.failed[name] == 0) {
			list = append(list, name)
		}
	}
	return list
}

func newWalker(t *testing.T, seed uint64) *walker {
	w := &walker{
		t: t, rng: rand.New(rand.NewPCG(seed, 7)), book: NewBook("walk.test"), log: map[StreamID][]Entry{}, done: map[StreamID]map[Act][]string{},
		holds: map[Claim]StreamID{}, claims: map[Claim]StreamID{}, ids: map[Kind][]StreamID{}, passed: map[string]int{}, failed: map[string]int{},
	}
	all := slices.DeleteFunc(Roles(), func(r Role) bool { return r == Admin })
	w.people = []walkerKey{
		newWalkerKey("root", "p-0", Roles()...), newWalkerKey("mate", "p-1", Roles()...),
		newWalkerKey("third", "p-2", Admin, Clerk),
	}
	// every other key is the second or third of a person
	for i := range 12 {
		w.people = append(w.people, newWalkerKey(fmt.Sprintf("k%d", i), fmt.Sprintf("p-%d", i%6), all...))
	}
	w.people = append(w.people, newWalkerKey("clerk", "p-9", Clerk), newWalkerKey("registrar", "p-8", Registrar))
	first := w.people[0].fields()
	first["logkey"], first["with"] = "walk.test+0+x", w.people[1].id.String()
	for i, k := range w.people {
		e := Entry{Stream: OperatorStream(k.id), Act: Enrol, Fields: k.fields(), Hold: []Claim{{HoldName, k.name}}}
		batch := []Entry{e}
		switch i {
		case 0:
			e.Act, e.Fields = Init, first
			mate := Entry{Stream: OperatorStream(w.people[1].id), Act: Enrol, Fields: w.people[1].fields(), Hold: []Claim{{HoldName, "mate"}}}
			if err := w.append([]Entry{e, mate}, []walkerKey{k, k}, []*walkerKey{nil, &w.people[1]}); err != nil {
				t.Fatal(err)
			}
			continue
		case 1:
			continue
		}
		if err := w.append(batch, []walkerKey{w.people[0]}, []*walkerKey{&w.people[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// append numbers, signs and judges entries as a store does, and records them if they hold.
func (w *walker) append(entries []Entry, by []walkerKey, second []*walkerKey) error {
	book := w.book.clone()
	holds, claims := maps.Clone(w.holds), maps.Clone(w.claims)
	for i := range entries {
		e := &entries[i]
		_, seq, last := book.Stands(e.Stream)
		w.n++
		e.Origin, e.Rules, e.Seq, e.Prev, e.ID = "walk.test", RuleBook, seq+1, last, NewID()
		e.Time, e.Operator = time.Unix(1_800_000_000+int64(w.n), 0).UTC(), by[i].id
		if second[i] != nil {
			e.Second = second[i].id
			if err := e.Sign(second[i].key); err != nil {
				return err
			}
		}
		if err := e.Sign(by[i].key); err != nil {
			return err
		}
		if err := book.Apply(*e); err != nil {
			return err
		}
		if err := take(e, holds, claims); err != nil {
			return err
		}
	}
	if err := book.Complete(); err != nil {
		return err
	}
	w.book, w.holds, w.claims = book, holds, claims
	for i := range entries {
		w.log[entries[i].Stream] = append(w.log[entries[i].Stream], entries[i])
		w.record(&entries[i], by[i], second[i])
	}
	for i := range entries {
		w.recalled(entries[i].Stream)
	}
	return nil
}

// recalled: a stream that was forgotten and is recalled is what it was.
func (w *walker) recalled(id StreamID) {
	b := NewBook("walk.test")
	if err := b.Recall(w.t.Context(), w, id); err != nil {
		w.t.Fatal(err)
	}
	if got, want := b.subjects[id], w.book.subjects[id]; !reflect.DeepEqual(got, want) {
		w.t.Fatalf("%s: %+v, not %+v", id, got, want)
	}
}

// Recall implements [Recaller].
func (w *walker) Recall(_ context.Context, id StreamID) (list []Entry, hashes [][32]byte, err error) {
	for _, e := range w.log[id] {
		leaf, err := e.Leaf()
		if err != nil {
			return nil, nil, err
		}
		hashes = append(hashes, LeafHash(leaf))
	}
	return w.log[id], hashes, nil
}

// take is the store's constraint.
func take(e *Entry, holds, claims map[Claim]StreamID) error {
	for _, c := range e.Release {
		delete(holds, c)
	}
	for _, list := range []struct {
		claims []Claim
		taken  map[Claim]StreamID
	}{{e.Claims, claims}, {e.Hold, holds}} {
		for _, c := range list.claims {
			if holder, ok := list.taken[c]; ok {
				return &DuplicateError{c, holder}
			}
			list.taken[c] = e.Stream
		}
	}
	return nil
}

// record holds an act that was accepted against what the test knows of who did what.
func (w *walker) record(e *Entry, by walkerKey, second *walkerKey) {
	w.t.Helper()
	persons := []string{by.person}
	if second != nil {
		persons = append(persons, second.person)
	}
	name := string(e.Stream.Kind) + " " + string(e.Act)
	usage := w.book.subjects[e.Stream].Fields["usage"]
	two := slices.Contains(pairs, name) || e.Stream.Kind == KindKey && usage != "status" || e.Fields["holder"] == "proxy" ||
		name == "stock spoil" && e.Fields["reason"] == "missing"
	if two && (len(persons) != 2 || persons[0] == persons[1]) {
		w.t.Errorf("%s by %v", name, persons)
	}
	rule := apartness[name]
	for _, act := range rule.same {
		w.apart(e, persons, e.Stream, act)
	}
	for _, act := range rule.application {
		w.apart(e, persons, Application(w.book.subjects[e.Stream].Fields["application"]), act)
	}
	if w.done[e.Stream] == nil {
		w.done[e.Stream] = map[Act][]string{}
		w.ids[e.Stream.Kind] = append(w.ids[e.Stream.Kind], e.Stream)
	}
	w.done[e.Stream][e.Act] = append(w.done[e.Stream][e.Act], persons...)
	if e.Act == Deliver {
		for id := range w.done {
			s := w.book.subjects[id]
			if id.Kind == KindCard && id != e.Stream && (s.Phase == Active || s.Phase == Suspended) && len(s.Held) > 0 && s.Held[0] == e.Hold[0] {
				w.t.Errorf("%s and %s are in force for one person", id, e.Stream)
			}
		}
	}
}

func (w *walker) apart(e *Entry, persons []string, stream StreamID, act Act) {
	for _, p := range persons {
		if slices.Contains(w.done[stream][act], p) {
			w.t.Errorf("%s did %s of %s and %s of %s", p, act, stream, e.Act, e.Stream)
		}
	}
}

// step tries one act of the table, with what must come with it.
func (w *walker) step() {
	rules := books[RuleBook].rules
	r := &rules[w.rng.IntN(len(rules))]
	ends := []Act{Renumber, Cancel, Reject, Spoil, Revoke, Destroy, Fail, Shred, Change, Attempt}
	leads := []Kind{KindApplication, KindCard}
	switch {
	case r.act == Init || r.act == Pair:
		return
	case w.evenly:
	case slices.Contains(ends, r.act) && w.rng.IntN(15) > 0 || !slices.Contains(leads, r.kind) && w.rng.IntN(6) > 0:
		w.step() // rarely, or no card would come to its end
		return
	}
	stream, ok := w.pick(r)
	if cards := w.ids[KindCard]; !w.evenly && len(cards) > 0 && w.rng.IntN(2) == 0 { // go on with a card that was begun last
		begun := cards[max(0, len(cards)-1-w.rng.IntN(3))]
		acts := slices.DeleteFunc(Possible(KindCard, w.book.subjects[begun].Phase), func(a Act) bool { return slices.Contains(ends, a) })
		if len(acts) > 0 {
			stream, r, ok = begun, ruleFor(RuleBook, KindCard, acts[w.rng.IntN(len(acts))]), true
		}
	}
	if !ok {
		return
	}
	var entries []Entry
	w.build(r, stream, nil, &entries)
	by, second := make([]walkerKey, len(entries)), make([]*walkerKey, len(entries))
	for i := range entries {
		e := &entries[i]
		by[i] = w.actor(ruleFor(RuleBook, e.Stream.Kind, e.Act))
		fields := map[string]string{}
		if s := w.book.subjects[e.Stream]; s != nil {
			maps.Copy(fields, s.Fields)
		}
		maps.Copy(fields, e.Fields)
		if NeedsSecond(e.Stream.Kind, e.Act, fields) && w.rng.IntN(10) > 0 || w.rng.IntN(20) == 0 {
			k := w.actor(ruleFor(RuleBook, e.Stream.Kind, e.Act))
			second[i] = &k
		}
	}
	name := string(r.kind) + " " + string(r.act)
	if err := w.append(entries, by, second); err != nil {
		if !refusal(err) {
			w.t.Errorf("%s: an error of no kind: %v", name, err)
		}
		w.failed[name]++
		for _, e := range entries[1:] {
			w.failed[string(e.Stream.Kind)+" "+string(e.Act)]++
		}
		return
	}
	for _, e := range entries {
		w.passed[string(e.Stream.Kind)+" "+string(e.Act)]++
	}
}

func refusal(err error) bool {
	for _, known := range []error{ErrEntry, ErrFourEyes, ErrRole, ErrOperator, ErrSignature, ErrChanged, ErrLink, ErrCap, ErrGap} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, transition := errors.AsType[*TransitionError](err)
	_, duplicate := errors.AsType[*DuplicateError](err)
	return transition || duplicate
}

// actor is somebody who holds the role, most of the time.
func (w *walker) actor(r *rule) walkerKey {
	habit := w.rng.IntN(4) > 0 // most cards are made by one person and handed over by another
	for {
		k := w.people[w.rng.IntN(len(w.people))]
		if habit && (slices.Contains(r.role, Personaliser) && k.person != "p-3" || slices.Contains(r.role, Clerk) && k.person != "p-9") && w.rng.IntN(20) > 0 {
			continue
		}
		if w.rng.IntN(8) == 0 || slices.ContainsFunc(r.role, func(role Role) bool { return slices.Contains(k.roles, role) }) {
			return k
		}
	}
}

// pick finds a stream that the act may follow, or now and then any.
func (w *walker) pick(r *rule) (StreamID, bool) {
	if slices.Contains(r.from, Absent) && w.rng.IntN(4) == 0 || len(r.from) == 0 {
		w.n++
		id := StreamID{r.kind, fmt.Sprintf("X%d", w.n)}
		if r.kind == KindOperator {
			id = OperatorStream(newWalkerKey(fmt.Sprintf("new%d", w.n), "", "").id)
		}
		return id, true
	}
	var fit []StreamID
	for _, id := range w.ids[r.kind] {
		if r.kind == KindOperator && len(w.done[id][Enrol]) > 0 && slices.ContainsFunc(w.people, func(k walkerKey) bool { return OperatorStream(k.id) == id }) && w.rng.IntN(40) > 0 {
			continue // or nobody would be left
		}
		if s := w.book.subjects[id]; slices.Contains(r.from, s.Phase) || w.rng.IntN(200) == 0 {
			fit = append(fit, id)
		}
	}
	if len(fit) == 0 {
		return StreamID{}, false
	}
	return fit[w.rng.IntN(len(fit))], true
}

// build makes an entry that says what its rule wants, and those that must come with it.
func (w *walker) build(r *rule, stream StreamID, parent *Entry, entries *[]Entry) {
	s := w.book.subjects[stream]
	if s == nil {
		s = &Subject{Stream: stream}
	}
	e := Entry{Stream: stream, Act: r.act, Fields: map[string]string{}}
	for _, name := range slices.Concat(r.need, r.same, w.some(r.extra)) {
		e.Fields[name] = w.value(r, s, parent, name)
	}
	for _, name := range r.same {
		e.Fields[name] = s.Fields[name]
	}
	w.n++
	for _, kind := range r.claim {
		e.Claims = append(e.Claims, Claim{kind, fmt.Sprintf("v%d", w.n)})
	}
	for _, kind := range r.release {
		for _, c := range s.Held {
			if c.Kind == kind {
				e.Release = append(e.Release, c)
			}
		}
	}
	if r.commit {
		e.Commitments = map[string][32]byte{Content: s.Commitments[Content]}
		if !r.agree {
			e.Commitments[Content] = [32]byte(sum(fmt.Sprint(w.n)))
		}
	}
	w.special(r, s, &e, parent, entries)
	*entries = append(*entries, e)
	if r.owes == nil {
		return
	}
	for _, d := range r.owes(&e) {
		if owed := ruleFor(RuleBook, d.stream.Kind, d.act); d.stream.valid() && owed != nil {
			w.build(owed, d.stream, &e, entries)
		}
	}
}

func sum(s string) []byte { b := sha256.Sum256([]byte(s)); return b[:] }

func (w *walker) some(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool {
		return name != "evidence" && name != "cap" && name != "replaces" || name == "replaces" && w.rng.IntN(2) == 0
	})
}

// any is the name of a stream of a kind in one of the phases.
func (w *walker) any(kind Kind, phases ...Phase) string {
	var fit []string
	for _, id := range w.ids[kind] {
		if slices.Contains(phases, w.book.subjects[id].Phase) {
			fit = append(fit, id.ID)
		}
	}
	if len(fit) == 0 {
		return "none"
	}
	return fit[w.rng.IntN(len(fit))]
}

// value is one that the field may have.
func (w *walker) value(r *rule, s *Subject, parent *Entry, name string) string {
	if words := r.only[name]; words != nil {
		if w.rng.IntN(40) == 0 {
			return "nonsense"
		}
		return words[w.rng.IntN(len(words))]
	}
	switch name {
	case "application":
		if parent != nil {
			return parent.Stream.ID
		}
		return "none"
	case "card":
		w.n++
		return fmt.Sprintf("C%d", w.n)
	case "subject":
		return w.any(KindPerson, Registered)
	case "ds":
		return w.any(KindKey, InUse)
	case "replaces":
		return w.any(KindCard, Active, Suspended, Revoked)
	case "successor":
		for _, id := range w.ids[KindCard] {
			c := w.book.subjects[id]
			if a := w.book.subjects[Application(c.Fields["application"])]; (c.Phase == Checked || c.Phase == Arrived) && a.Fields["replaces"] == s.Stream.ID {
				return id.ID
			}
		}
		return w.any(KindCard, Checked)
	case "usage":
		return []string{"ds", "ds", "csca", "status"}[w.rng.IntN(4)]
	case "cap":
		return "3"
	case "object":
		return "certificate"
	case "doctype":
		return "id-card"
	case "roles":
		return "clerk"
	case "day", "closed":
		return time.Unix(1_800_000_000+86_400*int64(w.n-w.rng.IntN(60)), 0).UTC().Format(time.DateOnly)
	case "at":
		return "here"
	case "to":
		return "there"
	case "batch":
		return w.any(KindStock, InStock)
	case "person", "name":
		return fmt.Sprintf("n%d", w.n)
	}
	digest := hex.EncodeToString(sum(fmt.Sprint(name, w.n)))
	for _, v := range []string{digest, "1", "word"} {
		if fields[name](v) {
			return v
		}
	}
	return "none"
}

// numbers makes an act one of so many blanks from a number on.
func (w *walker) numbers(e *Entry, first, count uint64) {
	e.Fields["first"], e.Fields["last"], e.Fields["count"] = fmt.Sprint(first), fmt.Sprint(first+count-1), fmt.Sprint(count)
}

// blanks are some of a batch with that fate, most of the time.
func (w *walker) blanks(s *Subject, fate Act) Blanks {
	fit := slices.DeleteFunc(slices.Clone(s.Blanks), func(b Blanks) bool { return b.Fate != fate && w.rng.IntN(10) > 0 })
	if len(fit) == 0 {
		return Blanks{First: 1, Last: 1, At: "here"}
	}
	return fit[w.rng.IntN(len(fit))]
}

// blank makes a card of a blank that is in stock, most of the time.
func (w *walker) blank(e *Entry) {
	batch := w.book.subjects[Stock(e.Fields["batch"])]
	if batch == nil {
		return
	}
	b := w.blanks(batch, "")
	n := b.First + w.rng.Uint64N(b.Len())
	e.Fields["at"], e.Fields["blank"] = b.At, fmt.Sprint(n)
	for i, c := range e.Claims {
		if c.Kind == ClaimBlank {
			e.Claims[i] = ClaimOfBlank(batch.Stream.ID, n)
		}
	}
}

// special is what an act says that no table can.
func (w *walker) special(r *rule, s *Subject, e *Entry, parent *Entry, entries *[]Entry) {
	switch string(r.kind) + " " + string(r.act) {
	case "operator enrol":
		k := newWalkerKey(fmt.Sprintf("new%d", w.n), e.Fields["person"], Clerk)
		e.Stream, e.Fields = OperatorStream(k.id), k.fields()
		e.Hold = []Claim{{HoldName, k.name}}
	case "person register":
		e.Fields["application"] = "A" + e.Stream.ID
	case "application enrol":
		p := &Subject{Stream: Person(e.Fields["subject"])}
		if parent != nil { // just registered
			p = &Subject{Stream: parent.Stream, Claimed: parent.Claims}
		} else if known := w.book.subjects[p.Stream]; known != nil {
			p = known
		}
		e.Fields["subject"], e.Fields["ordinal"] = p.Stream.ID, fmt.Sprint(len(p.Numbers()))
		e.Hold = HoldsOf(*p, "id-card", HoldApplication)
		if old := w.book.subjects[Card(e.Fields["replaces"])]; old != nil {
			for _, c := range slices.Concat(old.Held, old.Gave) { // of the same person, most of the time
				if of := w.book.subjects[Application(old.Fields["application"])]; c.Kind == HoldCard && of != nil && w.rng.IntN(8) > 0 {
					p = w.book.subjects[Person(of.Fields["subject"])]
					e.Fields["subject"], e.Fields["ordinal"] = p.Stream.ID, fmt.Sprint(len(p.Numbers()))
					e.Hold = HoldsOf(*p, "id-card", HoldApplication)
				}
			}
		}
	case "card allocate":
		if parent != nil {
			e.Commitments[Content] = parent.Commitments[Content]
		}
		w.blank(e)
	case "stock receive":
		next := uint64(1)
		if n := len(s.Blanks); n > 0 && w.rng.IntN(8) > 0 {
			next = s.Blanks[n-1].Last + 1
		}
		w.numbers(e, next, 40)
	case "stock move", "stock spoil", "stock destroy":
		fate := Act("")
		if r.act == Destroy {
			fate = Spoil
		}
		b := w.blanks(s, fate)
		e.Fields["at"] = b.At
		w.numbers(e, b.First, 1+w.rng.Uint64N(min(3, b.Len())))
	case "day close":
		for _, name := range []string{"opening", "received", "used", "spoiled", "moved", "closing"} {
			e.Fields[name] = "0"
		}
		if last := s.Fields["closing"]; last != "" {
			e.Fields["opening"], e.Fields["moved"] = last, last
		}
		e.Fields["received"], e.Fields["closing"] = "5", fmt.Sprint(5-w.rng.IntN(5)/4)
	case "card prepare":
		for i, c := range e.Claims {
			switch c.Kind {
			case ClaimCardID:
				e.Claims[i].Value = e.Fields["cardid"]
			case ClaimUse:
				e.Claims[i].Value = fmt.Sprintf("%s:%d", e.Fields["ds"], 1+w.rng.IntN(4)) // the fourth is one too many
			}
		}
	case "card recall":
		e.Claims[0].Value = e.Fields["cardid"]
	case "desk enrol":
		e.Claims[0].Value = e.Fields["origin"]
	case "card deliver":
		a := w.book.subjects[Application(s.Fields["application"])]
		if a == nil {
			return
		}
		for _, c := range a.Held {
			e.Hold = append(e.Hold, Claim{HoldCard, c.Value})
		}
		if old := w.book.subjects[Card(a.Fields["replaces"])]; parent == nil && old != nil && (old.Phase == Active || old.Phase == Suspended) && w.rng.IntN(4) > 0 {
			supersede := Entry{Stream: old.Stream, Act: Supersede, Fields: map[string]string{"successor": e.Stream.ID, "withdrawn": "yes"}, Release: slices.Clone(old.Held)}
			*entries = append(*entries, supersede)
		}
	}
}
