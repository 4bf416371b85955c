package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
)

const schema = "tamthe/inspection/1"

// maxLine bounds one line of a record, in octets.
const maxLine = 64 << 10

// Compare is the verb of an inspection that stands in the record already, again with the
// officer's answer whether the bearer is the holder: it is no inspection of its own.
const Compare = "compare"

// ErrEntry says that a line is no entry of a record.
var ErrEntry = errors.New("not an entry of a record of inspections")

// Entry is one inspection. Its JSON is one line of the record.
type Entry struct {
	Schema   string         `json:"schema"`
	Number   uint64         `json:"number"`   // from 1, without a gap
	Previous evidence.Hex   `json:"previous"` // SHA-256 of the line before, without its end; 32 zeros in the first
	Mended   bool           `json:"mended"`   // a power cut had torn the line before, which was completed from the head
	Time     time.Time      `json:"time"`     // by the device's clock
	Verb     string         `json:"verb"`     // verify, Compare, read, read-interrupted
	Device   evidence.Hex   `json:"device"`   // pseudonym: SHA-256 of its public key
	Officer  evidence.Hex   `json:"officer"`  // likewise, as given; "" if nobody was named
	Purpose  string         `json:"purpose"`
	Case     string         `json:"case"`
	Access   string         `json:"access"`  // how the chip was opened
	Card     string         `json:"card_id"` // verify.CardID; "" without a readable SOD
	Policy   string         `json:"policy"`
	At       time.Time      `json:"at"` // the time of judgement
	Specimen bool           `json:"specimen"`
	Verdict  verify.Verdict `json:"verdict"`
	Checks   []Check        `json:"checks"`
	Lists    []List         `json:"lists"`
	Store    string         `json:"store"`    // digest of the trust store
	Evidence string         `json:"evidence"` // SHA-256 of the bundle that was written, "" if none was
}

// Check is how one check ended, without its details.
type Check struct {
	ID      string         `json:"id"`
	Outcome verify.Outcome `json:"outcome"`
	Reason  verify.Reason  `json:"reason"`
}

// List is a list that the inspection rested on, with its age at the time of judgement.
type List struct {
	Kind   string       `json:"kind"` // crl, status
	Issuer string       `json:"issuer"`
	Signed time.Time    `json:"signed"`
	Hours  int          `json:"age_hours"`
	SHA256 evidence.Hex `json:"sha256"` // empty where only the date is known
}

// New takes from a report what a record may hold. Device, number and chain are Append's.
func New(verb string, r *verify.Report, now time.Time) Entry {
	e := Entry{
		Schema: schema, Time: now.UTC().Truncate(time.Second), Verb: verb, Policy: r.Policy.Name, At: r.At.UTC().Truncate(time.Second),
		Specimen: r.Specimen, Verdict: r.Verdict, Checks: []Check{}, Lists: []List{}, Store: r.Document.Store,
		Officer: evidence.Hex{},
	}
	if r.Document.Card != (verify.CardID{}) {
		e.Card = r.Document.Card.String()
	}
	if r.Session != nil {
		e.Access = r.Session.Access
	}
	for _, c := range r.Checks {
		e.Checks = append(e.Checks, Check{c.ID, c.Outcome, c.Reason})
	}
	hours := func(t time.Time) int { return int(r.At.Sub(t).Hours()) }
	for _, l := range r.Lists() {
		out := List{l.Kind, verify.Escape(l.Issuer), l.Signed.UTC(), hours(l.Signed), evidence.Hex{}}
		if own := r.Chain.List; l.Kind == "crl" && own != nil {
			sum := sha256.Sum256(own.Raw)
			out.SHA256 = sum[:]
		}
		e.Lists = append(e.Lists, out)
	}
	return e
}

// encode is the line without its end.
func (e Entry) encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	if out.Len() > maxLine {
		return nil, fmt.Errorf("%w: it has %d octets", ErrEntry, out.Len())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// ParseEntry reads one line of a record, without its end. There is one encoding of an entry,
// and every other is ErrEntry.
func ParseEntry(line []byte) (Entry, error) {
	var e Entry
	if len(line) > maxLine {
		return Entry{}, ErrEntry
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	if again, err := e.encode(); err != nil || e.Schema != schema || len(e.Previous) != sha256.Size || !bytes.Equal(again, line) {
		return Entry{}, ErrEntry
	}
	return e, nil
}

// Hash is what the next entry, a head and a citizen's slip name this one by: SHA-256 of its
// line. It is that of the entry as Append returned it.
func (e Entry) Hash() (evidence.Hex, error) {
	line, err := e.encode()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(line)
	return sum[:], nil
}
