package signing

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// logFirst has every key of a document signer look, before it signs, whether the log holds
// an announcement for each signature so far and this one.
func (r *rig) logFirst() {
	for _, k := range r.keys {
		k.fault = func(after bool) error {
			if after {
				return nil
			}
			if n := r.announced(); n != r.signatures()+1 {
				return fmt.Errorf("%d announcements before signature %d", n, r.signatures()+1)
			}
			return nil
		}
	}
}

// announced is how many cards the log says were prepared.
func (r *rig) announced() (n int) {
	check(r.t, r.store.Entries(r.t.Context(), 0, func(_ int64, leaf, payload []byte) error {
		e, err := issuance.ParseEntry(leaf, payload)
		if err == nil && e.Stream.Kind == issuance.KindCard && e.Act == issuance.Prepare {
			n++
		}
		return err
	}))
	return n
}

// TestBothOfficersKeys: an attacker with the keys of registrar, approver and personaliser
// and a desk in his hands gets as many cards signed as the document signer's cap, three, and
// each stands in the log before it is signed. What he asks for twice counts once.
func TestBothOfficersKeys(t *testing.T) {
	r := newRig(t)
	r.logFirst()
	const most = 3
	signed := map[string]bool{}
	for range most + 4 {
		c := r.keyed()
		for range 2 {
			raw, err := r.service().Sign(t.Context(), c.request)
			switch {
			case err == nil:
				r.wantSigned(c, raw)
				signed[string(raw)] = true
			case len(signed) != most || !errors.Is(err, ErrCap):
				t.Errorf("after %d: %v", len(signed), err)
			}
		}
	}
	if len(signed) != most || r.signatures() != most || r.announced() != most {
		t.Errorf("%d security objects, %d signatures, %d in the log, want %d", len(signed), r.signatures(), r.announced(), most)
	}
	r.sound()
}

// TestOneOfficersKey: with one officer's key, whichever, and a desk, a database and the log's
// key in his hands, the attacker gets nothing signed: he can enrol or approve, never both,
// and can make no second person of himself.
func TestOneOfficersKey(t *testing.T) {
	r := newRig(t)
	o := r.office
	theirs := r.keyed() // what honest officers have in the making
	var approval issuance.Entry
	for _, e := range must(r.store.Stream(t.Context(), issuance.Application(theirs.app)))(t) {
		if e.Act == issuance.Approve {
			approval = e
		}
	}
	alias := ledgertest.NewOfficer("alias", o.Registrar.Person, issuance.Approver)
	o.Must(t, o.Hire(alias)) // the registrar's other name, by two administrators who did not notice
	c := &candidate{app: "A-thief", card: "C-thief"}
	c.request = r.request(c)
	c.content = must(issuance.CommitParts(c.request.Salt, c.request.Parts...))(t)
	enrol := o.Enrol(c.app, "thief", "")
	enrol.Fields["profile"] = profileName
	check(t, r.act(
		act{stream: issuance.Person("P-thief"), act: issuance.Register, by: o.Registrar, fields: map[string]string{"application": c.app}, claims: ledgertest.Register(enrol).Claims},
		act{stream: issuance.Application(c.app), act: issuance.Enrol, by: o.Registrar, fields: enrol.Fields, content: &c.content, hold: enrol.Hold},
	))
	approve := func(by ledgertest.Officer) issuance.Entry {
		return r.next(act{stream: issuance.Application(c.app), act: issuance.Approve, by: by, content: &c.content})
	}
	hire := func() issuance.Entry {
		step := o.Hire(ledgertest.NewOfficer("mine", "p-77", issuance.Approver))
		return r.next(act{stream: step.Stream, act: step.Act, by: o.Root, second: &o.Mate, fields: step.Fields, hold: step.Hold})
	}
	for name, forge := range map[string]func() issuance.Entry{
		"the registrar approves":               func() issuance.Entry { return approve(o.Registrar) },
		"the registrar under a second name":    func() issuance.Entry { return approve(alias) },
		"the personaliser approves":            func() issuance.Entry { return approve(o.Personaliser) },
		"an approval replayed as it was":       func() issuance.Entry { return approval },
		"an approval's signature on another's": func() issuance.Entry { e := approve(o.Approver); e.Signature = approval.Signature; return e },
		"a forged second signature":            func() issuance.Entry { e := hire(); e.SecondSignature[5] ^= 1; return e },
		"the first's signature as the second":  func() issuance.Entry { e := hire(); e.SecondSignature = e.Signature; return e },
	} {
		f := r.forge()
		f.add(t, forge())
		r.against(name, f, theirs.request)
	}
	for name, by := range map[string]ledgertest.Officer{"registrar": o.Registrar, "approver": o.Approver, "personaliser": o.Personaliser} {
		check(t, c.request.Sign(by.Key))
		if sod, err := r.service().Sign(t.Context(), c.request); sod != nil || err == nil {
			t.Errorf("the %s has a card signed that nobody approved", name)
		}
	}
	if r.signatures() != 0 || r.announced() != 0 {
		t.Errorf("%d signatures, %d in the log", r.signatures(), r.announced())
	}
	r.sound()
}
