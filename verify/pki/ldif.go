package pki

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds of an LDIF file. The ICAO PKD has some 30,000 entries in 80 MB.
const (
	maxLDIFEntries = 500_000
	maxLDIFLine    = 64 << 10
	maxLDIFValue   = 16 << 20 // characters of one value: a master list in base64
)

// errLDIF says that a file is no LDIF of RFC 2849, or beyond all bounds.
var errLDIF = errors.New("not LDIF")

// holdings is what a file of a directory holds, each as the DER of one.
type holdings struct {
	Certificates, CRLs, Lists [][]byte
}

// ldifKinds are the attributes that carry something for a trust store; their options,
// such as binary, do not count.
var ldifKinds = map[string]func(*holdings) *[][]byte{
	"usercertificate":           func(f *holdings) *[][]byte { return &f.Certificates },
	"cacertificate":             func(f *holdings) *[][]byte { return &f.Certificates },
	"certificaterevocationlist": func(f *holdings) *[][]byte { return &f.CRLs },
	"authorityrevocationlist":   func(f *holdings) *[][]byte { return &f.CRLs },
	"pkdmasterlistcontent":      func(f *holdings) *[][]byte { return &f.Lists },
	"cscamasterlistdata":        func(f *holdings) *[][]byte { return &f.Lists },
	"pkddeviationlistcontent":   func(f *holdings) *[][]byte { return &f.Lists },
}

// readLDIF takes certificates, revocation lists and signed lists out of an LDIF file (RFC
// 2849), such as the ICAO PKD gives out, whole or as a delta. Entries that are deleted
// there give nothing; whatever else there is is passed over. Nothing is verified.
func readLDIF(r io.Reader) (*holdings, error) {
	p := ldif{out: new(holdings)}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLDIFLine)
	for lines.Scan() {
		if err := p.line(bytes.TrimSuffix(lines.Bytes(), []byte("\r"))); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("%w: a line of more than %d octets", errLDIF, maxLDIFLine)
		}
		return nil, err
	}
	if err := p.line(nil); err != nil {
		return nil, err
	}
	if p.entries == 0 {
		return nil, fmt.Errorf("%w: no entry", errLDIF)
	}
	return p.out, nil
}

// ldif is the state of reading: the logical line so far, which folded lines continue, and
// what the entry so far has.
type ldif struct {
	out     *holdings
	logical []byte
	entry   holdings
	begun   bool
	deleted bool
	entries int
}

// line takes one physical line without its end. An empty one ends an entry.
func (p *ldif) line(b []byte) error {
	if len(b) > 0 && b[0] == ' ' { // RFC 2849, note 2
		if len(p.logical) == 0 || len(p.logical)+len(b) > maxLDIFValue {
			return fmt.Errorf("%w: entry %d: a line continues nothing, or too much", errLDIF, p.entries+1)
		}
		p.logical = append(p.logical, b[1:]...)
		return nil
	}
	if err := p.attribute(p.logical); err != nil {
		return err
	}
	p.logical = append(p.logical[:0], b...)
	if len(b) == 0 {
		return p.end()
	}
	return nil
}

// end takes over what the entry had, unless the entry is one that is deleted.
func (p *ldif) end() error {
	if !p.begun {
		return nil
	}
	if p.entries++; p.entries > maxLDIFEntries {
		return fmt.Errorf("%w: more than %d entries", errLDIF, maxLDIFEntries)
	}
	if !p.deleted {
		p.out.Certificates = append(p.out.Certificates, p.entry.Certificates...)
		p.out.CRLs = append(p.out.CRLs, p.entry.CRLs...)
		p.out.Lists = append(p.out.Lists, p.entry.Lists...)
	}
	p.entry, p.begun, p.deleted = holdings{}, false, false
	return nil
}

// attribute takes one logical line: a name, and its value as text, in base64 or as a URL.
func (p *ldif) attribute(b []byte) error {
	if len(b) == 0 || b[0] == '#' || len(b) == 1 && b[0] == '-' {
		return nil
	}
	colon := bytes.IndexByte(b, ':')
	if colon <= 0 {
		return fmt.Errorf("%w: entry %d: a line without a name", errLDIF, p.entries+1)
	}
	name, _, _ := strings.Cut(strings.ToLower(string(b[:colon])), ";")
	value := b[colon+1:]
	switch {
	case name == "version" && !p.begun:
		return nil
	case name == "dn":
		if p.begun {
			return fmt.Errorf("%w: entry %d: two names", errLDIF, p.entries+1)
		}
		p.begun = true
		return nil
	case !p.begun:
		return fmt.Errorf("%w: entry %d does not begin with its name", errLDIF, p.entries+1)
	case name == "changetype":
		p.deleted = strings.EqualFold(strings.TrimSpace(string(value)), "delete")
		return nil
	}
	into, known := ldifKinds[name]
	if !known || len(value) == 0 || value[0] != ':' { // only base64 can be binary; a URL is never followed
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(value[1:])))
	if err != nil || len(der) == 0 {
		return fmt.Errorf("%w: entry %d: %s is not base64", errLDIF, p.entries+1, name)
	}
	list := into(&p.entry)
	*list = append(*list, der)
	return nil
}
