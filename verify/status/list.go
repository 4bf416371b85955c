package status

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify/pki"
)

// List is one list whose signature is that of a signer pinned for it. It does not change
// and may be used by several goroutines.
type List struct {
	Header
	Key    [32]byte // fingerprint of the signer's key: SHA-256 of its SubjectPublicKeyInfo
	Digest [32]byte // SHA-256 of the list

	payload payload
}

// Signers says which keys the operator has pinned; *pki.Store does.
type Signers interface {
	// Issuer returns what is known of a country's documents of that type.
	Issuer(country, documentType string) (pki.Issuer, bool)
}

// Parse reads a list and keeps the octets. Whole or not at all: ErrMalformed if they are
// none or an edited one, ErrSigner if the key is not pinned for all documents that the
// list speaks of, ErrSignature if that key did not sign this. What is said of cards is not
// looked at before the signature.
func Parse(b []byte, pinned Signers) (*List, error) {
	e, err := open(b)
	if err != nil {
		return nil, err
	}
	l := &List{Header: e.header, Key: sha256.Sum256(e.key), Digest: sha256.Sum256(b)}
	if err := l.pinned(pinned); err != nil {
		return nil, err
	}
	if l.Sort == heads {
		return nil, fmt.Errorf("%w: it is the head of a published list", ErrMalformed)
	}
	if err := e.verify(); err != nil {
		return nil, err
	}
	if l.payload, err = decode(l.Sort, e.payload); err != nil {
		return nil, err
	}
	if whole := l.Sort == Index || l.Sort == Exact; whole && editionOf(e.payload) != l.Edition {
		return nil, fmt.Errorf("%w: the edition is another one", ErrMalformed)
	}
	return l, nil
}

// Cards is how many cards the list names, or of a filter and an exact list how many names.
func (l *List) Cards() uint64 { return l.payload.count() }

// FalsePositives is how often a name that is not in the list is taken for one that is; zero
// for all lists but filters.
func (l *List) FalsePositives() float64 {
	if f, ok := l.payload.(*filter); ok {
		return f.rate()
	}
	return 0
}

func (l *List) pinned(by Signers) error {
	for _, d := range l.Documents {
		i, ok := by.Issuer(l.Country, d)
		if !ok || !slices.Contains(i.StatusKeys, l.Key) {
			return fmt.Errorf("%w: %s %s, key %x", ErrSigner, l.Country, d, l.Key)
		}
	}
	return nil
}

// envelope is a list taken apart, nothing of it verified.
type envelope struct {
	header         Header
	payload        []byte
	key, signature []byte
	tbs, whole     []byte
}

func open(b []byte) (*envelope, error) {
	if len(b) > MaxList {
		return nil, fmt.Errorf("%w: larger than %d octets", ErrMalformed, MaxList)
	}
	e, s := &envelope{whole: b}, cryptobyte.String(b)
	if err := e.header.read(&s); err != nil {
		return nil, err
	}
	var payload, key, signature cryptobyte.String
	ok := readLong(&s, &payload) && s.ReadUint16LengthPrefixed(&key) && len(key) <= maxKey
	e.tbs = b[:len(b)-len(s)]
	if !ok || !s.ReadUint16LengthPrefixed(&signature) || len(signature) > maxKey || !s.Empty() {
		return nil, fmt.Errorf("%w: lengths", ErrMalformed)
	}
	e.payload, e.key, e.signature = payload, key, signature
	return e, nil
}

func (e *envelope) verify() error {
	pub, err := cert.ParsePublicKey(e.key)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	alg, err := cert.DefaultAlgorithm(pub)
	if err == nil {
		err = cert.VerifyParts(pub, alg, e.signature, []byte(signedPrefix), e.tbs)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

func message(tbs []byte) []byte { return slices.Concat([]byte(signedPrefix), tbs) }

// changes says whether the delta is one of the snapshot.
func (l *List) changes(snapshot *List) bool {
	sorts := l.Sort == IndexDelta && snapshot.Sort == Index || l.Sort == ExactDelta && (snapshot.Sort == Exact || snapshot.Sort == Filter)
	return sorts && l.Edition == snapshot.Edition && l.Sequence > snapshot.Sequence && l.URI == snapshot.URI
}
