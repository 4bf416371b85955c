package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// What callers branch on.
var (
	ErrFormat   = errors.New("not a bundle of evidence in its one encoding")
	ErrNewer    = errors.New("the bundle was made by a newer tamthe")
	ErrTooLarge = errors.New("the bundle is too large")
)

// The bounds of a bundle, in octets and in numbers of things.
const (
	MaxSize   = 8 << 20 // of a bundle, its line end and its encryption included
	maxFile   = 1 << 20
	maxDetail = 1000
	maxWord   = 64
	maxChecks = 200
	maxCerts  = 16
	maxLists  = 64
)

// schemaPrefix begins every bundle of whatever version.
const schemaPrefix = `{"schema":"tamthe/evidence/`

// Is says whether a file that begins so may be a bundle, encrypted or not.
func Is(begin []byte) bool { return bytes.HasPrefix(begin, []byte(schemaPrefix)) || Encrypted(begin) }

// Parse reads a bundle: one line, with or without its end. It looks at no signature; Judge
// does. There is one encoding of a bundle, and every other is ErrFormat: unknown members,
// members that stand twice or in another order, upper-case digits. A later version is
// ErrNewer, more than MaxSize octets ErrTooLarge.
func Parse(line []byte) (*Bundle, error) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	switch {
	case len(line) > MaxSize:
		return nil, ErrTooLarge
	case !bytes.HasPrefix(line, []byte(schemaPrefix)):
		return nil, ErrFormat
	case !bytes.HasPrefix(line, []byte(`{"schema":"`+schema+`"`)):
		if version, _, ok := bytes.Cut(line[len(schemaPrefix):], []byte(`"`)); ok {
			if n, err := strconv.ParseUint(string(version), 10, 16); err == nil && n > 1 {
				return nil, ErrNewer
			}
		}
		return nil, ErrFormat
	}
	var doc struct {
		jsonBundle
		Seal *Seal `json:"seal"`
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if doc.Seal == nil {
		return nil, fmt.Errorf("%w: it has no seal", ErrFormat)
	}
	b, err := doc.bundle()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	b.Seal = *doc.Seal
	body, err := b.body()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	again, err := withSeal(body, b.Seal)
	if err != nil || !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), line) {
		return nil, ErrFormat
	}
	return b, nil
}

// reader collects the first thing that is wrong.
type reader struct{ err error }

func (r *reader) want(ok bool, what string) {
	if !ok && r.err == nil {
		r.err = errors.New(what)
	}
}

func (r *reader) id(h Hex, optional bool) (id [32]byte) {
	if len(h) == 0 && optional {
		return id
	}
	r.want(len(h) == len(id), "a digest of another length")
	copy(id[:], h)
	return id
}

func (r *reader) time(s string, optional bool) time.Time {
	if s == "" && optional {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	r.want(err == nil, "a time of another form")
	return t
}

func (r *reader) word(s string) string {
	r.want(len(s) <= maxWord && clip(s, maxWord) == s, "a word of another form")
	return s
}

// bundle takes the values of the document, whose form the encoder then confirms.
func (j *jsonBundle) bundle() (*Bundle, error) {
	var r reader
	b := &Bundle{
		Context: Context{Case: j.Case, Purpose: j.Purpose, Device: r.id(j.Device, false), Time: r.time(j.Time, false), Nonce: r.id(j.Nonce, false)},
		Officer: r.id(j.Officer, true), Tool: j.Tool, Policy: r.word(j.Policy), At: r.time(j.At, true), Specimen: j.Specimen,
		Verdict: j.Verdict, Card: r.id(j.Card, true), Access: r.word(j.Access), Store: r.word(j.Store),
	}
	r.want(b.Context.check() == nil, "case, purpose or time")
	r.want(len(j.Checks) <= maxChecks && len(j.Certificates) <= maxCerts && len(j.Lists) <= maxLists, "too many things")
	if r.err != nil {
		return nil, r.err
	}
	twice := map[string]bool{}
	for _, c := range j.Checks {
		r.want(!twice[c.ID] && c.ID != verify.CheckSeal, "a check that cannot be there")
		twice[c.ID] = true
		b.Checks = append(b.Checks, verify.Check{
			ID: r.word(c.ID), Claim: c.Claim, Outcome: c.Outcome, Reason: verify.Reason(r.word(string(c.Reason))), Spec: c.Spec, Detail: c.Detail,
		})
	}
	for _, c := range j.Certificates {
		parsed, err := cert.Parse(c.Certificate)
		r.want(err == nil, "a certificate that cannot be read")
		b.Certificates = append(b.Certificates, parsed)
	}
	for _, l := range j.Lists {
		b.Lists = append(b.Lists, r.list(l))
	}
	b.Files = r.files(j.Files)
	b.Proofs = verify.Proofs{Active: r.active(j.Active), Agreement: agreementOf(j.Agreement), Mapping: agreementOf(j.Mapping)}
	return b, r.err
}

func (r *reader) list(l jsonList) List {
	out := List{Issuer: l.Issuer, Number: r.word(l.Number), Signed: r.time(l.Signed, true), Next: r.time(l.Next, true), Digest: r.id(l.SHA256, false)}
	if len(l.Contents) > 0 {
		var err error
		out.Contents, err = cert.ParseCRL(l.Contents)
		r.want(err == nil && sha(l.Contents) == out.Digest, "a list that cannot be read, or another one")
	}
	return out
}

func (r *reader) files(list []jsonFile) verify.Files {
	files := verify.Files{}
	for _, f := range list {
		name, ok := lds.ByName(f.Name)
		r.want(ok && len(f.Contents) <= maxFile, "a file that no card has")
		files[name] = f.Contents
	}
	return files
}

func (r *reader) active(a *jsonActive) *verify.ActiveRecord {
	if a == nil {
		return nil
	}
	out := &verify.ActiveRecord{Chosen: a.ChallengeFrom == fromCase, Signature: a.Signature}
	r.want(len(a.Challenge) == len(out.Challenge), "a challenge of another length")
	copy(out.Challenge[:], a.Challenge)
	return out
}

func agreementOf(a *jsonAgreement) *verify.AgreementRecord {
	if a == nil {
		return nil
	}
	return &verify.AgreementRecord{Key: a.Key, Ephemeral: a.Ephemeral, Answer: a.Answer}
}

func sha(b []byte) [32]byte { return sha256.Sum256(b) }
