package issuance

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	payloadVersion = 1
	maxClaims      = 64
	maxClaimKind   = 32
	maxClaimValue  = 256
	maxAttachments = 32
)

// Payload returns the canonical encoding of what an entry has beside its leaf: claims,
// holds, releases, and the digests of its attachments. The leaf binds it, and so the
// operator's signature does too. It may hold pseudonyms and is not published.
//
//	1       version, 1
//	1       number of claims, at most 64; for each, in ascending order of kind, then value:
//	  short kind, 1 to 32
//	  long  value, 1 to 256
//	1 …     holds, likewise
//	1 …     releases, likewise
//	1       number of attachments, at most 32; for each, in ascending order of names:
//	  short name, 1 to 32
//	  32    SHA-256 of the sealed octets
func (e Entry) Payload() ([]byte, error) {
	b := []byte{payloadVersion}
	for _, list := range [][]Claim{e.Claims, e.Hold, e.Release} {
		var err error
		if b, err = appendClaims(b, list); err != nil {
			return nil, err
		}
	}
	if len(e.Attach) > maxAttachments {
		return nil, fmt.Errorf("%w: too many attachments", ErrEntry)
	}
	attach := slices.Clone(e.Attach)
	slices.SortFunc(attach, func(a, b Attachment) int { return cmp.Compare(a.Name, b.Name) })
	b = append(b, byte(len(attach)))
	last := ""
	for _, a := range attach {
		if !validName(a.Name, maxFieldName) || a.Name <= last || len(a.Sealed) > MaxSealed {
			return nil, fmt.Errorf("%w: attachment %q", ErrEntry, a.Name)
		}
		b = appendShort(b, a.Name)
		b = append(b, a.digest()...)
		last = a.Name
	}
	return b, nil
}

func (a Attachment) digest() []byte {
	if a.Sealed == nil {
		return a.Digest[:]
	}
	d := sha256.Sum256(a.Sealed)
	return d[:]
}

func compareClaims(a, b Claim) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
}

func appendClaims(b []byte, list []Claim) ([]byte, error) {
	if len(list) > maxClaims {
		return nil, fmt.Errorf("%w: too many claims", ErrEntry)
	}
	list = slices.Clone(list)
	slices.SortFunc(list, compareClaims)
	b = append(b, byte(len(list)))
	for i, c := range list {
		if !c.valid() || i > 0 && list[i-1] == c {
			return nil, fmt.Errorf("%w: claim of %q", ErrEntry, c.Kind)
		}
		b = appendShort(b, string(c.Kind))
		b = appendLong(b, c.Value)
	}
	return b, nil
}

func (c Claim) valid() bool {
	return validWord(string(c.Kind), maxClaimKind) && validText(c.Value, maxClaimValue)
}

func payloadDigest(payload []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("tamthe payload v1\x00"))
	h.Write(payload)
	return [32]byte(h.Sum(nil))
}

func (e *Entry) parsePayload(payload []byte) error {
	r := &reader{rest: payload}
	r.refuse(r.octet() != payloadVersion)
	e.Claims, e.Hold, e.Release = r.claims(), r.claims(), r.claims()
	n := r.octet()
	r.refuse(n > maxAttachments)
	last := ""
	for range n {
		a := Attachment{Name: r.short(), Digest: r.digest()}
		r.refuse(!validName(a.Name, maxFieldName) || a.Name <= last)
		if r.bad {
			break
		}
		e.Attach = append(e.Attach, a)
		last = a.Name
	}
	return r.end("payload")
}

func (r *reader) claims() []Claim {
	n := r.octet()
	r.refuse(n > maxClaims)
	var list []Claim
	for range n {
		c := Claim{ClaimKind(r.short()), string(r.take(int(binary.BigEndian.Uint16(r.take(2)))))}
		r.refuse(!c.valid() || len(list) > 0 && compareClaims(list[len(list)-1], c) >= 0)
		if r.bad {
			return nil
		}
		list = append(list, c)
	}
	return list
}
