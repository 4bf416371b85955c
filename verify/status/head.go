package status

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// MaxHead bounds a head, in octets.
const MaxHead = 64 << 10

// maxSteps is how many patches a head may name.
const maxSteps = 512

// Head says which snapshot of a published list is the newest, and how older ones become it.
// It is signed as lists are and numbered with them; its Base is the number of the snapshot
// and its Edition that snapshot's.
type Head struct {
	Header
	Key    [32]byte // fingerprint of the signer's key
	Digest [32]byte // SHA-256 of the head

	Snapshot File
	Steps    []Step // in their order: each leads to the From of the next, the last to the snapshot
}

// File is what a head says of a file.
type File struct {
	Digest [32]byte // SHA-256
	Size   uint64
}

// Step is a patch from one snapshot to the next.
type Step struct {
	From uint64   // number of the snapshot that it changes
	Base [32]byte // SHA-256 of that snapshot
	File
}

// PrepareHead makes the head of a snapshot that PrepareIndex made. Sort, edition and base of
// the header are set here. Steps that are no chain up to the snapshot are ErrBase.
func PrepareHead(h Header, key crypto.PublicKey, snapshot *List, size uint64, steps []Step) (*Draft, error) {
	if snapshot.Sort != Index || h.URI != snapshot.URI || h.Country != snapshot.Country || !slices.Equal(h.Documents, snapshot.Documents) {
		return nil, fmt.Errorf("%w: it is number %d of %s", ErrBase, snapshot.Sequence, snapshot.URI)
	}
	h.Sort, h.Edition, h.Base = heads, snapshot.Edition, snapshot.Sequence
	p := &headPayload{File{snapshot.Digest, size}, steps}
	if !p.rising(h.Base) {
		return nil, fmt.Errorf("%w: the patches are no chain", ErrBase)
	}
	return prepare(h, key, encode(p))
}

// ParseHead reads a head as Parse reads a list, with its errors.
func ParseHead(b []byte, pinned Signers) (*Head, error) {
	e, err := open(b)
	if err != nil {
		return nil, err
	}
	if e.header.Sort != heads || len(b) > MaxHead {
		return nil, fmt.Errorf("%w: no head", ErrMalformed)
	}
	l := &List{Header: e.header, Key: sha256.Sum256(e.key)}
	if err := l.pinned(pinned); err != nil {
		return nil, err
	}
	if err := e.verify(); err != nil {
		return nil, err
	}
	payload, err := decode(heads, e.payload)
	if err != nil {
		return nil, err
	}
	p := payload.(*headPayload)
	if !p.rising(e.header.Base) {
		return nil, fmt.Errorf("%w: the steps of the head lead nowhere", ErrMalformed)
	}
	return &Head{Header: e.header, Key: l.Key, Digest: sha256.Sum256(b), Snapshot: p.snapshot, Steps: p.steps}, nil
}

// From are the steps from a snapshot to the newest; ok is false if there is no way from it.
func (h *Head) From(snapshot *List) (steps []Step, ok bool) {
	i := slices.IndexFunc(h.Steps, func(s Step) bool { return s.From == snapshot.Sequence && s.Base == snapshot.Digest })
	if i < 0 {
		return nil, snapshot.Digest == h.Snapshot.Digest
	}
	return h.Steps[i:], true
}

// headPayload is
//
//	32     SHA-256 of the snapshot
//	8      its size
//	2 …    number of steps, 512 at most, and of each the number of the snapshot that it
//	       changes (8), the SHA-256 of that (32), the SHA-256 of the patch (32), its size (8)
type headPayload struct {
	snapshot File
	steps    []Step
}

func (p *headPayload) marshal(b *cryptobyte.Builder) {
	b.AddBytes(p.snapshot.Digest[:])
	b.AddUint64(p.snapshot.Size)
	b.AddUint16(uint16(len(p.steps)))
	for _, s := range p.steps {
		b.AddUint64(s.From)
		b.AddBytes(s.Base[:])
		b.AddBytes(s.Digest[:])
		b.AddUint64(s.Size)
	}
}

func (p *headPayload) read(s *cryptobyte.String, _ bool) bool {
	var n uint16
	if !s.CopyBytes(p.snapshot.Digest[:]) || !s.ReadUint64(&p.snapshot.Size) || !s.ReadUint16(&n) || n > maxSteps {
		return false
	}
	for range n {
		var x Step
		if !s.ReadUint64(&x.From) || !s.CopyBytes(x.Base[:]) || !s.CopyBytes(x.Digest[:]) || !s.ReadUint64(&x.Size) {
			return false
		}
		p.steps = append(p.steps, x)
	}
	return true
}

func (p *headPayload) count() uint64 { return uint64(len(p.steps)) }

// rising says whether the steps can lead to the snapshot of that number, and all fits.
func (p *headPayload) rising(to uint64) bool {
	if len(p.steps) > maxSteps || p.snapshot.Size > MaxList {
		return false
	}
	last := uint64(0)
	for _, s := range p.steps {
		if s.From <= last || s.From >= to || s.Size > MaxPatch {
			return false
		}
		last = s.From
	}
	return true
}
