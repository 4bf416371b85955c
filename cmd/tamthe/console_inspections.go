package main

import (
	"crypto"
	"iter"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// inspections are the record of this home, for a console.
type inspections struct{ p *program }

func (i inspections) Append(verb string, r *verify.Report, officer crypto.PublicKey) error {
	id, err := evidence.Pseudonym(officer)
	if err != nil {
		return err
	}
	_, err = i.p.enter(r, occasion{verb: verb, officer: id})
	return err
}

func (i inspections) Entries() iter.Seq2[[]byte, error] {
	return record.Entries(i.p.home.path(inspectionsDir))
}

func (i inspections) Verify() (record.State, error) {
	id, err := i.p.ownDevice()
	if err != nil {
		return record.State{}, err
	}
	return record.Verify(i.p.home.path(inspectionsDir), id, nil)
}
