package main

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"iter"

	"github.com/tamthe/tamthe/issuance/console"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/evidence/slip"
	"github.com/tamthe/tamthe/verify/receipt"
)

// inspections are the record of this home, for a console.
type inspections struct{ p *program }

func (i inspections) Append(verb string, r *verify.Report, officer crypto.PublicKey) (record.Entry, error) {
	id, err := evidence.Pseudonym(officer)
	if err != nil {
		return record.Entry{}, err
	}
	e, err := i.p.enter(r, occasion{verb: verb, purpose: i.p.conf.Slip.Purpose, officer: id})
	if err == nil && verb != record.Compare {
		slipOption{}.make(i.p, &e, r) // where config.toml has every inspection leave one
	}
	return e, err
}

func (i inspections) Slip(e record.Entry, r *verify.Report, lang verify.Lang) ([]byte, error) {
	c := i.p.conf.Slip
	if c.Office == "" || c.Basis == "" || c.Complain == "" || c.Purpose == "" {
		return nil, nil
	}
	s, err := slip.New(e, r, slip.Office{Name: c.Office, Basis: c.Basis, Complain: c.Complain})
	if err != nil {
		return nil, err
	}
	device, err := i.p.device("")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = s.Text(&b, lang, device, i.p.now().Location())
	return b.Bytes(), err
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
