package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// importJSON is a line of the folder's index.
type importJSON struct {
	File      string   `json:"file"`
	Kind      string   `json:"kind"`
	List      string   `json:"list"`
	Country   string   `json:"country"`
	Documents []string `json:"documents"`
	Countries []string `json:"countries"`
	Signed    string   `json:"signed"`
	Imported  string   `json:"imported"`
	Operator  string   `json:"operator"`
	Signer    string   `json:"signer"`
	CSCA      string   `json:"csca"`
	SHA256    string   `json:"sha256"`
}

func importDocument(i pki.Import) importJSON {
	list := i.List
	if list == "" {
		list = "pin"
	}
	return importJSON{
		i.File, string(i.Kind), list, i.Country, notNil(i.Documents), notNil(i.Countries), moment(i.Signed), moment(i.Imported), i.Operator,
		digestText(i.Signer), digestText(i.CSCA), digestText(i.SHA256),
	}
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// moment is a time for JSON, "" if it is not known.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func digestText(d [32]byte) string {
	if d == ([32]byte{}) {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// receiptJSON says what became of a file.
type receiptJSON struct {
	File         string       `json:"file"`
	Lists        []importJSON `json:"lists"`
	Pinned       []importJSON `json:"pinned"`
	Certificates int          `json:"certificates"`
	CRLs         int          `json:"crls"`
	Known        int          `json:"known"`
	Passed       []string     `json:"passed"`
	Older        string       `json:"older,omitempty"`
	Refused      string       `json:"refused,omitempty"`
}

// imported tells what became of each file.
func (p *program) imported(verb string, receipts []pki.Receipt) error {
	if p.documents {
		doc := struct {
			Schema string        `json:"schema"`
			Files  []receiptJSON `json:"files"`
		}{Schema: "tamthe/" + verb + "/1", Files: []receiptJSON{}}
		for _, r := range receipts {
			j := receiptJSON{File: r.Name, Lists: []importJSON{}, Pinned: []importJSON{}, Certificates: r.Certificates, CRLs: r.CRLs, Known: r.Known, Passed: []string{}}
			for _, i := range r.Lists {
				j.Lists = append(j.Lists, importDocument(i))
			}
			for _, i := range r.Pinned {
				j.Pinned = append(j.Pinned, importDocument(i))
			}
			for _, e := range r.Passed {
				j.Passed = append(j.Passed, e.Error())
			}
			switch {
			case refused(r):
				j.Refused = r.Err.Error()
			case r.Err != nil:
				j.Older = r.Err.Error()
			}
			doc.Files = append(doc.Files, j)
		}
		return p.document(doc)
	}
	for _, r := range receipts {
		if _, err := fmt.Fprintf(p.out, "%s: %s\n", verify.Escape(r.Name), verify.Escape(p.receipt(r))); err != nil {
			return err
		}
	}
	return nil
}

// receipt is one line of what became of a file.
func (p *program) receipt(r pki.Receipt) string {
	switch {
	case refused(r):
		return p.text(wordRefused) + ": " + r.Err.Error()
	case r.Err != nil:
		return p.text(wordPassedOver) + ": " + r.Err.Error()
	}
	var parts []string
	for _, i := range r.Lists {
		parts = append(parts, p.listName(i))
	}
	for _, i := range r.Pinned {
		parts = append(parts, fmt.Sprintf(p.text(wordPinnedNow), i.Country, i.CSCA))
	}
	for _, n := range []struct {
		n    int
		word phrase
	}{{r.Certificates, wordCertificates}, {r.CRLs, wordCRLs}, {r.Known, wordKnown}, {len(r.Passed), wordParts}} {
		if n.n > 0 {
			parts = append(parts, fmt.Sprintf(p.text(n.word), n.n))
		}
	}
	if len(parts) == 0 {
		return p.text(wordNothing)
	}
	return strings.Join(parts, "; ")
}

// listName names a list by kind, state and day.
func (p *program) listName(i pki.Import) string {
	name, ok := listNames[i.List]
	if !ok {
		return i.List
	}
	s := p.text(name)
	if i.Country != "" {
		s += " " + i.Country
	}
	if !i.Signed.IsZero() {
		s += " " + i.Signed.UTC().Format(time.DateOnly)
	}
	if len(i.Documents) > 0 {
		s += " (" + strings.Join(i.Documents, ", ") + ")"
	}
	return s
}
