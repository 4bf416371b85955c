package monitor

import (
	"crypto"

	"github.com/tamthe/tamthe/issuance"
)

// operator is what a log says of a key by which somebody acts.
type operator struct {
	Key     string // as it was enrolled
	Revoked bool

	pub crypto.PublicKey // once it was needed
}

// keyOf finds the key that an operator signs an entry with; nil if there is none, or it was
// revoked before. The founders sign their own enrolments: the first entry, and that of whom
// it names.
func (f *facts) keyOf(index int64, e issuance.Entry, by issuance.KeyID) crypto.PublicKey {
	name := by.String()
	o := f.Keyring[name]
	own := e.Stream == issuance.OperatorStream(by) && (e.Act == issuance.Init && index == 0 || e.Act == issuance.Enrol && name == f.With)
	switch {
	case o == nil && own:
		o = &operator{Key: e.Fields["key"]}
	case o == nil || o.Revoked:
		return nil
	}
	if o.pub == nil {
		pub, id, err := issuance.ParseKeyField(o.Key)
		if err != nil || id != by {
			return nil
		}
		o.pub = pub
	}
	return o.pub
}

// operator takes in who may act, and who may no more.
func (f *facts) operator(e *issuance.Entry) {
	switch e.Act {
	case issuance.Init, issuance.Enrol:
		f.Keyring[e.Stream.ID] = &operator{Key: e.Fields["key"]}
	case issuance.Revoke:
		if o := f.Keyring[e.Stream.ID]; o != nil {
			o.Revoked = true
		}
	}
	if with := e.Fields["with"]; with != "" {
		f.With = with
	}
}
