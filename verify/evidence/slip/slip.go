// Package slip makes the citizen's slip: what was read from their card, by whom, for what
// purpose and on what legal basis, when, what came of it, and how to complain.
//
// It names what was read and holds no value of it, nor who the citizen is: whoever finds one
// learns nothing about a person. It is sealed by the device and names its entry in the record
// of inspections, so that it can be shown later to be genuine.
package slip

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

const schema = "tamthe/slip/1"

// What callers branch on.
var (
	ErrSlip    = errors.New("not a citizen's slip")
	ErrUnknown = errors.New("the record has no such entry")
)

// Office is who gives slips, as a citizen is told.
type Office struct {
	Name     string // the office and the device's place in it
	Basis    string // the law that lets it read cards
	Complain string // where to ask and to complain
}

// Slip is one. All texts are of one printable line.
type Slip struct {
	Schema   string        `json:"schema"`
	Time     time.Time     `json:"time"`
	Verb     string        `json:"verb"`   // verify, read, read-interrupted; login for a citizen's own agent
	Office   string        `json:"office"` // of a login: the party that was told
	Server   string        `json:"server"` // of a login: the service between
	Device   evidence.Hex  `json:"device"` // pseudonym; empty for a login
	Officer  evidence.Hex  `json:"officer"`
	Purpose  string        `json:"purpose"`
	Basis    string        `json:"basis"`
	Case     string        `json:"case"`
	Files    []string      `json:"files"`  // that were read: DG1
	Fields   []string      `json:"fields"` // that were told to the party, of a login
	Kept     []string      `json:"kept"`   // of Kept: what the office has of it afterwards
	Verdict  string        `json:"verdict"`
	Reason   verify.Reason `json:"reason"` // the first; "" for none
	Specimen bool          `json:"specimen"`
	Entry    uint64        `json:"entry"` // of the record
	Hash     evidence.Hex  `json:"hash"`  // of the entry
	Login    string        `json:"login"` // the session's name, by which the service has it on record
	Complain string        `json:"complain"`
}

// What an office may keep.
const (
	KeptFiles  = "files"    // the chip's files
	KeptBundle = "evidence" // a bundle of evidence
	KeptPage   = "page"     // a report with the holder's particulars
)

// New is the slip of an inspection that stands in the record.
func New(e record.Entry, r *verify.Report, o Office, kept ...string) (Slip, error) {
	hash, err := e.Hash()
	if err != nil {
		return Slip{}, err
	}
	s := Slip{
		Schema: schema, Time: e.Time, Verb: e.Verb, Office: o.Name, Device: e.Device, Officer: e.Officer, Purpose: e.Purpose, Basis: o.Basis, Case: e.Case,
		Files: []string{}, Fields: []string{}, Kept: slices.Clone(kept), Verdict: e.Verdict.String(), Specimen: e.Specimen, Entry: e.Number, Hash: hash, Complain: o.Complain,
	}
	if s.Kept == nil {
		s.Kept = []string{}
	}
	for _, f := range lds.Files() {
		if _, ok := r.Files[f]; ok {
			s.Files = append(s.Files, f.Name())
		}
	}
	if reasons := r.Reasons(); len(reasons) > 0 {
		s.Reason = reasons[0]
	}
	return s, nil
}

// Login is what a citizen's agent told a party in a login.
type Login struct {
	Party, Server, Purpose, Session string
	Files                           []string // that were read
	Told                            []string // fields
	At                              time.Time
}

// NewLogin is the slip of a login. The service has the login on record by its name, and the
// citizen made the slip themselves: it has no seal.
func NewLogin(l Login) Slip {
	return Slip{
		Schema: schema, Time: l.At.UTC().Truncate(time.Second), Verb: "login", Office: l.Party, Server: l.Server, Device: evidence.Hex{}, Officer: evidence.Hex{},
		Purpose: l.Purpose, Files: append([]string{}, l.Files...), Fields: append([]string{}, l.Told...), Kept: []string{}, Hash: evidence.Hex{}, Login: l.Session,
	}
}

// sealed is the document of a slip with its seal.
type sealed struct {
	Slip
	Seal evidence.Seal `json:"seal"`
}

// The lines around the code of a slip.
const (
	begin = "-----BEGIN TAMTHE SLIP-----"
	end   = "-----END TAMTHE SLIP-----"
)

// maxCode bounds the code of a slip, in octets.
const maxCode = 16 << 10

// code is what a slip's genuineness is shown by: the sealed document, in lines.
func (s Slip) code(d *evidence.Device) (string, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	seal, err := d.Seal(body)
	if err != nil {
		return "", err
	}
	document, err := json.Marshal(sealed{s, seal})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(document)
	if len(text) > maxCode {
		return "", fmt.Errorf("%w: its code has %d octets", ErrSlip, len(text))
	}
	lines := []string{begin}
	for part := range slices.Chunk([]byte(text), 76) {
		lines = append(lines, string(part))
	}
	return strings.Join(append(lines, end), "\n"), nil
}

// Parse finds the code in a slip, page or text, and gives the slip as its device sealed it,
// and that device's pseudonym: whether it is one to be believed the caller has to know. The
// errors are ErrSlip and evidence.ErrSeal.
func Parse(text []byte) (Slip, [32]byte, error) {
	var none [32]byte
	_, rest, ok := bytes.Cut(text, []byte(begin))
	inner, after, ended := bytes.Cut(rest, []byte(end))
	if !ok || !ended || len(inner) > 2*maxCode || bytes.Contains(after, []byte(begin)) {
		return Slip{}, none, ErrSlip
	}
	document, err := base64.RawURLEncoding.DecodeString(strings.Join(strings.Fields(string(inner)), ""))
	if err != nil {
		return Slip{}, none, ErrSlip
	}
	var doc sealed
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if d.Decode(&doc) != nil || doc.Schema != schema {
		return Slip{}, none, ErrSlip
	}
	if again, err := json.Marshal(doc); err != nil || !bytes.Equal(again, document) {
		return Slip{}, none, ErrSlip
	}
	body, err := json.Marshal(doc.Slip)
	if err != nil {
		return Slip{}, none, ErrSlip
	}
	if err := doc.Seal.Verify(body); err != nil {
		return Slip{}, none, err
	}
	device := doc.Seal.Device()
	if !bytes.Equal(device[:], doc.Device) {
		return Slip{}, none, fmt.Errorf("%w: it names another device", ErrSlip)
	}
	return doc.Slip, device, nil
}

// Recorded looks the slip's entry up in a record, which the caller verified. ErrUnknown means
// that the record has no such entry, or another in its place.
func (s Slip) Recorded(dir string) error {
	number := uint64(0)
	for line, err := range record.Entries(dir) {
		if err != nil {
			return err
		}
		if number++; number < s.Entry {
			continue
		}
		e, err := record.ParseEntry(line)
		if err != nil {
			return err
		}
		if hash, err := e.Hash(); err != nil || !bytes.Equal(hash, s.Hash) {
			return ErrUnknown
		}
		return nil
	}
	return ErrUnknown
}
