package status

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

var (
	// ErrMalformed says that the octets are no list of this version, or an edited one.
	ErrMalformed = errors.New("not a card status list")
	// ErrSigner says that the key of a list is not pinned for all that the list speaks of.
	ErrSigner = errors.New("the signer of the status list is not pinned for this issuer")
	// ErrSignature says that a list was edited, or that its key did not sign it.
	ErrSignature = errors.New("the signature of the status list is wrong")
)

// MaxList bounds a list, in octets.
const MaxList = 64 << 20

const (
	magic        = "TSTL\x01"
	signedPrefix = "tamthe status list v1\x00"
	maxDocuments = 16
	maxKey       = 2 << 10
)

// Sort is what a list is.
type Sort uint8

// The sorts of lists.
const (
	Index Sort = iota + 1
	IndexDelta
	Filter
	Exact
	ExactDelta
	heads // of a published list: no list, see Head
)

var sortNames = [...]string{"", "index", "index-delta", "filter", "exact", "exact-delta", "head"}

func (s Sort) valid() bool { return s >= Index && s <= heads }

// Delta says whether the list only changes another one.
func (s Sort) Delta() bool { return s == IndexDelta || s == ExactDelta }

// String is the stable word that JSON uses.
func (s Sort) String() string {
	if !s.valid() {
		return "unknown"
	}
	return sortNames[s]
}

// Header is what a list says of itself.
type Header struct {
	Sort      Sort
	Country   string   // two capital letters
	Documents []string // document codes of the MRZ: "I" is all that begin with I
	URI       string   // as in the SODs of the cards, of which lds.MaxStatusURI holds

	Sequence   uint64    // from 1
	Signed     time.Time // to the second
	NextUpdate time.Time // later than Signed

	Edition [32]byte // names the statuses of the snapshot; a delta's is its snapshot's
	Base    uint64   // of a delta, the sequence number of its snapshot
}

// issuer is whom the list speaks for.
func (h *Header) issuer() pki.Issuer { return pki.Issuer{Country: h.Country, Documents: h.Documents} }

// check says what of the header cannot be.
func (h *Header) check() error {
	u, err := url.Parse(h.URI)
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
	switch {
	case !h.Sort.valid():
		return bad("unknown sort")
	case len(h.Country) != 2 || strings.Trim(h.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return bad("country")
	case len(h.Documents) == 0 || len(h.Documents) > maxDocuments:
		return bad("number of document codes")
	case err != nil || !u.IsAbs() || len(h.URI) > lds.MaxStatusURI || !printable(h.URI):
		return bad("URI")
	case h.Sequence == 0 || (h.Sort.Delta() || h.Sort == heads) != (h.Base != 0) || h.Base >= h.Sequence:
		return bad("sequence numbers")
	case h.Signed.Unix() <= 0 || !h.NextUpdate.After(h.Signed) || h.NextUpdate.Unix() > 1<<40:
		return bad("times")
	}
	for _, d := range h.Documents {
		if len(d) < 1 || len(d) > 2 || strings.Trim(d, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return bad("document code")
		}
	}
	return nil
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func (h *Header) marshal(b *cryptobyte.Builder) {
	b.AddBytes([]byte(magic))
	b.AddUint8(uint8(h.Sort))
	b.AddBytes([]byte(h.Country))
	b.AddUint8(uint8(len(h.Documents)))
	for _, d := range h.Documents {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(d)) })
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.URI)) })
	b.AddUint64(h.Sequence)
	b.AddUint64(uint64(h.Signed.Unix()))
	b.AddUint64(uint64(h.NextUpdate.Unix()))
	b.AddBytes(h.Edition[:])
	b.AddUint64(h.Base)
}

// read takes the header off the front.
func (h *Header) read(s *cryptobyte.String) error {
	var start, country []byte
	var sort, documents uint8
	ok := s.ReadBytes(&start, len(magic)) && string(start) == magic &&
		s.ReadUint8(&sort) && s.ReadBytes(&country, 2) && s.ReadUint8(&documents)
	h.Sort, h.Country = Sort(sort), string(country)
	for range documents {
		var d cryptobyte.String
		ok = ok && s.ReadUint8LengthPrefixed(&d)
		h.Documents = append(h.Documents, string(d))
	}
	var uri cryptobyte.String
	var signed, next uint64
	ok = ok && s.ReadUint16LengthPrefixed(&uri) && s.ReadUint64(&h.Sequence) && s.ReadUint64(&signed) &&
		s.ReadUint64(&next) && s.CopyBytes(h.Edition[:]) && s.ReadUint64(&h.Base)
	if !ok || signed > 1<<40 || next > 1<<40 {
		return fmt.Errorf("%w: header", ErrMalformed)
	}
	h.URI, h.Signed, h.NextUpdate = string(uri), time.Unix(int64(signed), 0).UTC(), time.Unix(int64(next), 0).UTC()
	return h.check()
}
