package issuance

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Sizes of leaf v1.
const (
	leafVersion    = 1
	maxLeaf        = 65535 // the largest entry of a tlog-tiles bundle (C2SP tlog-tiles)
	maxOrigin      = 128
	maxAct         = 24
	maxFields      = 32
	maxFieldName   = 32
	maxFieldValue  = 1024
	maxCommitments = 16
	maxSignature   = 512
)

const signedContext = "tamthe leaf v1\x00"

// Leaf returns the entry's leaf v1, the octets that the log's tree is built over.
//
// Leaf v1 is one canonical encoding: two leaves of the same entry are equal octets.
// Integers are unsigned and big-endian. A short text is one octet of length and that
// many octets of ASCII; a long text has two octets of length.
//
//	1       version, 1
//	2       number of the rule book
//	short   origin, the name of the log in which the entry was made, 1 to 128
//	short   kind of the stream, 1 to 16
//	short   name of the stream, 1 to 96
//	8       sequence number in the stream, from 1
//	32      LeafHash of the leaf before it in the stream; zero for sequence number 1
//	16      identity of the entry
//	short   act, 1 to 24
//	8       microseconds since 1970-01-01T00:00:00Z, below 2^63
//	32      operator's key: SHA-256 of its SubjectPublicKeyInfo
//	1       1 if a second operator acts too, else 0; if 1:
//	  32    second operator's key
//	1       number of fields, at most 32; for each, in ascending order of names:
//	  short name, 1 to 32
//	  long  value, 1 to 1024
//	1       number of commitments, at most 16; for each, in ascending order of names:
//	  short name, 1 to 32
//	  32    salted SHA-256, see Commit
//	32      SHA-256 of "tamthe payload v1", a zero octet and the payload, see Payload
//	long    operator's signature, 1 to 512
//	long    second operator's signature, 1 to 512; only if one acts
//
// A signature is over "tamthe leaf v1", a zero octet, and the octets of the leaf before
// the first signature: Ed25519, or ECDSA with SHA-256 for a key of P-256 and SHA-384 for
// one of P-384, as r‖s of fixed length with s at most half the order, so that nobody can
// make a second leaf of the same act. Errors are ErrEntry.
func (e Entry) Leaf() ([]byte, error) {
	leaf, _, err := e.Encode()
	return leaf, err
}

// Encode returns what Leaf and what Payload return.
func (e Entry) Encode() (leaf, payload []byte, err error) {
	if payload, err = e.Payload(); err != nil {
		return nil, nil, err
	}
	if leaf, err = e.appendBody(make([]byte, 0, 768), payloadDigest(payload)); err != nil {
		return nil, nil, err
	}
	leaf, err = appendSignature(leaf, e.Signature)
	if err == nil && !e.Second.IsZero() {
		leaf, err = appendSignature(leaf, e.SecondSignature)
	} else if err == nil && len(e.SecondSignature) > 0 {
		err = fmt.Errorf("%w: a signature of nobody", ErrEntry)
	}
	if err != nil {
		return nil, nil, err
	}
	return leaf, payload, nil
}

// LeafHash is the hash by which the log's tree knows a leaf (RFC 6962 §2.1):
// SHA-256(0 ‖ leaf).
func LeafHash(leaf []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(leaf)
	return [32]byte(h.Sum(nil))
}

// body is the leaf without its signatures.
func (e Entry) body() ([]byte, error) {
	payload, err := e.Payload()
	if err != nil {
		return nil, err
	}
	return e.appendBody(make([]byte, 0, 512), payloadDigest(payload))
}

func (e Entry) appendBody(b []byte, payload [32]byte) ([]byte, error) {
	if err := e.wellFormed(); err != nil {
		return nil, err
	}
	b = append(b, leafVersion)
	b = binary.BigEndian.AppendUint16(b, e.Rules)
	b = appendShort(b, e.Origin)
	b = appendShort(b, string(e.Stream.Kind))
	b = appendShort(b, e.Stream.ID)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = append(b, e.Prev[:]...)
	b = append(b, e.ID[:]...)
	b = appendShort(b, string(e.Act))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMicro()))
	b = append(b, e.Operator[:]...)
	if e.Second.IsZero() {
		b = append(b, 0)
	} else {
		b = append(b, 1)
		b = append(b, e.Second[:]...)
	}
	b = append(b, byte(len(e.Fields)))
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		b = appendShort(b, name)
		b = appendLong(b, e.Fields[name])
	}
	b = append(b, byte(len(e.Commitments)))
	for _, name := range slices.Sorted(maps.Keys(e.Commitments)) {
		b = appendShort(b, name)
		c := e.Commitments[name]
		b = append(b, c[:]...)
	}
	b = append(b, payload[:]...)
	return b, nil
}

// wellFormed holds every bound of the leaf but those of the signatures; what the
// rules say about the act is not its matter.
func (e Entry) wellFormed() error {
	switch {
	case !validOrigin(e.Origin):
		return fmt.Errorf("%w: origin %q", ErrEntry, e.Origin)
	case !e.Stream.valid():
		return fmt.Errorf("%w: stream %q", ErrEntry, e.Stream)
	case e.Seq == 0 || e.Seq >= 1<<63:
		return fmt.Errorf("%w: sequence number %d", ErrEntry, e.Seq)
	case (e.Seq == 1) != (e.Prev == [32]byte{}):
		return fmt.Errorf("%w: entry %d and the hash before it", ErrEntry, e.Seq)
	case e.ID == [16]byte{}:
		return fmt.Errorf("%w: no identity", ErrEntry)
	case !validWord(string(e.Act), maxAct):
		return fmt.Errorf("%w: act %q", ErrEntry, e.Act)
	case e.Operator.IsZero():
		return fmt.Errorf("%w: no operator", ErrEntry)
	case e.Second == e.Operator:
		return fmt.Errorf("%w: the second operator's key is the first's", ErrEntry)
	}
	return e.wellFormedValues()
}

func (e Entry) wellFormedValues() error {
	if us := e.Time.UnixMicro(); us < 0 || !e.Time.Equal(time.UnixMicro(us)) {
		return fmt.Errorf("%w: time %s is not in whole microseconds since 1970", ErrEntry, e.Time)
	}
	if len(e.Fields) > maxFields || len(e.Commitments) > maxCommitments {
		return fmt.Errorf("%w: too many fields", ErrEntry)
	}
	for name, value := range e.Fields {
		if !validWord(name, maxFieldName) || !validText(value, maxFieldValue) {
			return fmt.Errorf("%w: field %q", ErrEntry, name)
		}
	}
	for name := range e.Commitments {
		if !validWord(name, maxFieldName) {
			return fmt.Errorf("%w: commitment %q", ErrEntry, name)
		}
	}
	return nil
}

func appendShort(b []byte, s string) []byte {
	return append(append(b, byte(len(s))), s...)
}

func appendLong(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendSignature(b, sig []byte) ([]byte, error) {
	if len(sig) == 0 || len(sig) > maxSignature {
		return nil, fmt.Errorf("%w: a signature is missing or too long", ErrEntry)
	}
	return appendLong(b, string(sig)), nil
}
