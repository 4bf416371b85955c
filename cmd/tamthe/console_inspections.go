package main

import (
	"crypto"
	"errors"
	"fmt"
	"iter"

	"github.com/tamthe/tamthe/issuance/console"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/receipt"
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

// witnesses are those of config.toml, whose cosignatures a console shows.
func (p *program) witnesses() (console.Witnesses, error) {
	w := console.Witnesses{Quorum: p.conf.Log.Quorum}
	for i, peer := range p.conf.Witness {
		key, err := receipt.ParseWitnessKey(peer.Key)
		if err != nil {
			return w, fmt.Errorf("%s: witness %d: %w", p.home.path(configFile), i+1, errors.Join(err, errWitness))
		}
		w.Keys = append(w.Keys, key)
	}
	return w, nil
}
