package bulk

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"math"
	"strings"
	"sync/atomic"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/verify"
)

// How much is kept: signers, and forms and situations of each. A signer's documents are
// issued on about a hundred days.
const (
	maxSigners    = 256
	maxForms      = 8
	maxSituations = 1024
)

// signer is one whose documents came through JudgeFiles before.
type signer struct {
	used       atomic.Int64
	verifier   *cert.Verifier
	forms      []*known
	situations int // of all forms
}

// known is what JudgeFiles said of documents of one form.
type known struct {
	form      *lds.Outline
	com       []byte // EF.COM
	kind      [5]byte
	national  string
	noExpiry  mrz.Date
	groupHash crypto.Hash
	digest    crypto.Hash
	algorithm cert.Algorithm
	verifier  *cert.Verifier
	country   string // of the issuer, for a source of status
	verdicts  map[situation]Result
}

// recall says of a document what was said of those that it is like. The error is that of a
// ctx that ended while the card's status was asked.
func (j *Judge) recall(ctx context.Context, d *document) (r Result, known bool, err error) {
	k, r, found := j.find(d)
	if !found || !r.matches(d, k, &j.options) || !d.intact(k) || !d.signed(k) {
		return Result{}, false, nil
	}
	r.Card = cardID(d)
	if j.options.Status == nil {
		return r, true, nil
	}
	answer, failed := j.options.Status.Status(ctx, d.ref(k, r.Card))
	if err := ctx.Err(); err != nil {
		return Result{}, false, err
	}
	unopposed := failed != nil || answer.State == verify.StateActive || answer.State == verify.StateUnknown
	return r, unopposed, nil
}

// ref names the card to a source of status as verify does.
func (d *document) ref(k *known, id verify.CardID) verify.CardRef {
	c := verify.CardRef{ID: id, Country: k.country, DocumentType: strings.TrimRight(string(d.zone.Document[:]), "<")}
	if ref, ok := d.outline.StatusReference(); ok {
		c.Ref = &ref
	}
	for _, n := range []int{14, 15} {
		switch want := d.outline.Groups[n-1]; {
		case d.covered(n):
			c.Keys = append(c.Keys, sha256.Sum256(d.files[lds.Group(n)]))
		case k.groupHash == crypto.SHA256 && len(want) == sha256.Size:
			c.Keys = append(c.Keys, [32]byte(want))
		}
	}
	return c
}

func cardID(d *document) (id verify.CardID) {
	cert.AppendDigest(id[:0], crypto.SHA256, d.outline.Content)
	return id
}

// matches checks what has a rule of its own: the date of expiry.
func (r Result) matches(d *document, k *known, o *verify.Options) bool {
	noExpiry := k.noExpiry != "" && string(d.zone.Expiry[:]) == string(k.noExpiry)
	return noExpiry || d.inForce(o.At)
}

// find looks for the form and the situation of a document.
func (j *Judge) find(d *document) (*known, Result, bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	s := j.signers[d.signer]
	if s == nil {
		return nil, Result{}, false
	}
	s.used.Store(j.clock.Add(1))
	for _, k := range s.forms {
		if !k.fits(d, &j.options) {
			continue
		}
		situation, ok := d.situation(k.national, k.noExpiry)
		if !ok {
			return nil, Result{}, false
		}
		r, ok := k.verdicts[situation]
		return k, r, ok
	}
	return nil, Result{}, false
}

// fits says whether the document is of this form and of this state's kind, with the same
// EF.COM where that is looked at.
func (k *known) fits(d *document, o *verify.Options) bool {
	return k.kind == kindOf(d) && k.form.SameForm(&d.outline) && (!o.Policy.COM || bytes.Equal(d.files[lds.COM], k.com))
}

func kindOf(d *document) (kind [5]byte) {
	copy(kind[:], d.zone.Issuer[:])
	copy(kind[3:], d.zone.Document[:])
	return kind
}

// keep notes what was said of a document, with room for it.
func (j *Judge) keep(d *document, p *profile.Profile, country string, r Result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.signers[d.signer]
	if s == nil {
		if s = j.newSigner(d); s == nil {
			return
		}
		j.forget()
		j.signers[d.signer] = s
		s.used.Store(j.clock.Add(1))
	}
	k := s.form(d, p, country, &j.options)
	if k == nil || s.situations >= maxSituations || k.country != country {
		return
	}
	if situation, ok := d.situation(k.national, k.noExpiry); ok {
		r.Card = verify.CardID{}
		k.verdicts[situation] = r
		s.situations++
	}
}

// form is what is known of documents like this, begun if nothing is.
func (s *signer) form(d *document, p *profile.Profile, country string, o *verify.Options) *known {
	for _, k := range s.forms {
		if k.fits(d, o) {
			return k
		}
	}
	if len(s.forms) >= maxForms {
		return nil
	}
	k := newKnown(d, p, country, s.verifier)
	if k != nil {
		s.forms = append(s.forms, k)
	}
	return k
}

// forget makes room for a signer.
func (j *Judge) forget() {
	if len(j.signers) < maxSigners {
		return
	}
	var oldest [32]byte
	least := int64(math.MaxInt64)
	for id, s := range j.signers {
		if u := s.used.Load(); u < least {
			oldest, least = id, u
		}
	}
	delete(j.signers, oldest)
}

// newSigner is nil for one whose documents are not all judged alike.
func (j *Judge) newSigner(d *document) *signer {
	c, err := cert.Parse(bytes.Clone(d.outline.Certificate))
	if err != nil || c.KeyErr != nil || j.options.Trust.ByNumber(c) {
		return nil
	}
	v, err := cert.NewVerifier(c.PublicKey)
	if err != nil {
		return nil
	}
	return &signer{verifier: v}
}

// newKnown reads the algorithms of the SOD once.
func newKnown(d *document, p *profile.Profile, country string, v *cert.Verifier) *known {
	sod, err := lds.ParseSOD(bytes.Clone(d.files[lds.SODFile]))
	if err != nil {
		return nil
	}
	s, err := sod.Signer()
	if err != nil {
		return nil
	}
	k := &known{
		form: d.outline.Clone(), com: bytes.Clone(d.files[lds.COM]), kind: kindOf(d), national: p.National, noExpiry: p.NoExpiry,
		groupHash: sod.Object.Hash, country: country, verifier: v, verdicts: map[situation]Result{},
	}
	if k.algorithm, err = s.Algorithm(); err != nil {
		return nil
	}
	if k.digest, err = s.DigestAlgorithm.Hash(); err != nil {
		return nil
	}
	return k
}
