package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// deviceKeyName is the key of this checkpoint, which seals what it records.
const deviceKeyName = "device"

// device is who seals: the key that a URI names, else that of the home, made on first use.
func (p *program) device(uri string) (*evidence.Device, error) {
	if uri != "" {
		signer, err := keystore.Open(uri)
		if err != nil {
			return nil, err
		}
		return evidence.NewDevice(signer)
	}
	path := p.home.path(keysDir, deviceKeyName)
	signer, err := keystore.Open("file:" + path)
	if errors.Is(err, keystore.ErrMissing) {
		if err := os.MkdirAll(p.home.path(keysDir), 0o700); err != nil {
			return nil, err
		}
		if signer, err = keystore.Generate(path, "P-256"); errors.Is(err, keystore.ErrExists) { // another program was faster
			signer, err = keystore.Open("file:" + path)
		}
	}
	if err != nil {
		return nil, err
	}
	return evidence.NewDevice(signer)
}

// officer is the pseudonym of the officer who is named by --operator or TAMTHE_OPERATOR,
// zero for nobody. Nothing proves that it was that officer: no passphrase is asked.
func (p *program) officer() (id [32]byte, err error) {
	name := first(p.operatorFlag, os.Getenv("TAMTHE_OPERATOR"))
	if name == "" {
		return id, nil
	}
	if strings.HasPrefix(name, "pkcs11:") {
		return id, usagef("who inspects is said by NAME or file:PATH here: no PIN is asked")
	}
	path, ok := strings.CutPrefix(name, "file:")
	if !ok {
		if err := checkWord("--operator", name); err != nil {
			return id, err
		}
		path = p.home.path(keysDir, operatorPrefix+name)
	}
	public, err := keystore.OperatorPublic(path)
	if errors.Is(err, keystore.ErrMissing) && p.operatorFlag == "" {
		return id, nil // an officer of another home
	}
	if err != nil {
		return id, err
	}
	return evidence.Pseudonym(public)
}

// occasion is what an inspection is recorded under.
type occasion struct {
	verb, purpose, caseID string
	officer               [32]byte
	evidence              string // SHA-256 of the bundle
}

// record appends the inspection to the record of this home. That it cannot is said, loudly,
// and changes nothing about the card: a checkpoint whose disk is full must still refuse. The
// entry is nil then.
func (p *program) record(r *verify.Report, o occasion) *record.Entry {
	e, err := p.enter(r, o)
	if err != nil {
		p.warn("not-recorded", p.text(wordNotRecorded), err.Error())
		return nil
	}
	if e.Mended {
		p.warn("record-mended", p.text(wordRecordMended), fmt.Sprint(e.Number-1))
	}
	return &e
}

// enter appends the inspection to the record of this home.
func (p *program) enter(r *verify.Report, o occasion) (record.Entry, error) {
	d, err := p.device("")
	if err != nil {
		return record.Entry{}, err
	}
	e := record.New(o.verb, r, p.now())
	e.Purpose, e.Case, e.Evidence = o.purpose, o.caseID, o.evidence
	if o.officer != [32]byte{} {
		e.Officer = o.officer[:]
	}
	return record.Append(p.home.path(inspectionsDir), d, e)
}

// warn says on standard error what did not keep a result from being given: with --json as
// one document.
func (p *program) warn(code, what, detail string) {
	text := verify.Escape(strings.ReplaceAll(what+": "+detail, "\n", "; "))
	if !p.json {
		fmt.Fprintf(p.err, "tamthe: %s\n", text)
		return
	}
	b, _ := json.Marshal(struct {
		Warning any `json:"warning"`
	}{struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, text}})
	fmt.Fprintf(p.err, "%s\n", b)
}
