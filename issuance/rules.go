package issuance

import "slices"

// RuleBook is the number of the rules under which entries are written now. An entry is
// judged by the book that it names. Those of an older book stay good history; nothing new
// is written under one, and a log never goes back to one.
const RuleBook = 2

// rule says what one act on one kind of stream needs and does.
type rule struct {
	kind Kind
	act  Act
	from []Phase
	to   Phase
	role []Role     // one of these; none only for the first entry of a log
	two  *condition // two persons act, and both hold the role; nil: one does

	apart   []Act // persons behind these acts of the same stream may not do this one
	apartBy []Act // … nor persons behind these acts of the card's application

	need   []string            // fields it must carry
	same   []string            // fields that must say what the stream says already
	extra  []string            // fields it may carry besides; none else but remarks
	only   map[string][]string // the values that a field may have, where it may not have any
	commit bool                // it must carry Content
	agree  bool                // … and it must be what the stream says already

	claim   []ClaimKind // at least one of each
	may     []ClaimKind // any of these besides
	hold    []ClaimKind // exactly one of each
	every   []ClaimKind // at least one of each is held
	release []ClaimKind // what the stream holds of these must be released

	check func(*Book, *Subject, *Entry) error // across streams; sees the stream before the act
	owes  func(*Entry) []due                  // acts on other streams that must come with it
}

// due is an act that must follow in the same append.
type due struct {
	stream StreamID
	act    Act
}

// condition is a question about what a stream says with the act that is to follow.
type condition struct {
	text  string // for the drawn table
	holds func(fields map[string]string) bool
}

// always is the condition of acts that two persons do whatever they are about.
var always = &condition{"always", func(map[string]string) bool { return true }}

// book is one edition of the rules.
type book struct {
	rules   []rule
	remarks []string // fields that any act may carry: no rule looks at them
	index   map[string]*rule
}

// books are the editions by their number. Intent is recorded before effect in all of them:
// rotate, write and lock stand in the ledger before the chip sees the first command of
// them, and may be repeated after a cut.
var books = map[uint16]*book{
	1: newBook(remarks1, book1),
	2: newBook(remarks2, operatorRules, personRules, applicationRules, cardRules, keyRules, ceremonyRules, stockRules, deskRules, conflictRules, dayRules),
}

// remarks2 are the fields that any act of book 2 may carry.
var remarks2 = []string{"desk", "program", "os", "attempt", "script", "policy"}

func newBook(remarks []string, tables ...[]rule) *book {
	b := &book{rules: slices.Concat(tables...), remarks: remarks, index: map[string]*rule{}}
	for i := range b.rules {
		r := &b.rules[i]
		b.index[string(r.kind)+" "+string(r.act)] = r
	}
	return b
}

// rule finds the rule of an act; nil if the kind knows no such act.
func (b *book) rule(kind Kind, act Act) *rule {
	if b == nil {
		return nil
	}
	return b.index[string(kind)+" "+string(act)]
}

// ruleFor finds the rule of an act in a book; nil if there is no such book or act.
func ruleFor(number uint16, kind Kind, act Act) *rule { return books[number].rule(kind, act) }

// After is the phase in which an act leaves its stream; Absent if there is no such act, or
// if it leaves the stream in the phase where it is.
func After(kind Kind, act Act) Phase {
	if r := ruleFor(RuleBook, kind, act); r != nil {
		return r.after(Absent)
	}
	return Absent
}

// unchanged stands for the phase that the stream is in.
const unchanged Phase = "unchanged"

// after is the phase that the act leads to from another.
func (r *rule) after(from Phase) Phase {
	if r.to == unchanged {
		return from
	}
	return r.to
}

// Possible lists the acts that may follow a phase, in the order of the table.
func Possible(kind Kind, p Phase) []Act {
	var acts []Act
	for i := range books[RuleBook].rules {
		if r := &books[RuleBook].rules[i]; r.kind == kind && r.follows(p) {
			acts = append(acts, r.act)
		}
	}
	return acts
}

// Reasons lists the reasons of which an act gives one; none where it gives none, or any.
func Reasons(kind Kind, act Act) []string {
	if r := ruleFor(RuleBook, kind, act); r != nil {
		return slices.Clone(r.only["reason"])
	}
	return nil
}

// RolesOf lists the roles of which one is needed for an act, in the order of the table.
func RolesOf(kind Kind, act Act) []Role {
	if r := ruleFor(RuleBook, kind, act); r != nil {
		return slices.Clone(r.role)
	}
	return nil
}

// NeedsSecond reports whether an act must be signed by two persons. fields are what the
// stream says with what the act adds: what a key is used for, who takes a card. An act
// that does not exist needs two.
func NeedsSecond(kind Kind, act Act, fields map[string]string) bool {
	r := ruleFor(RuleBook, kind, act)
	return r == nil || r.two != nil && r.two.holds(fields)
}

// follows reports whether the act may follow a phase. A rule without phases begins a
// stream.
func (r *rule) follows(p Phase) bool {
	if len(r.from) == 0 {
		return p == Absent
	}
	return slices.Contains(r.from, p)
}
