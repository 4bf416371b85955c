package console

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/receipt"
)

// entryPage is one entry with the proof that it stands in the log.
type entryPage struct {
	entryRow
	ID, Hash, Prev     string
	Seq                uint64
	Rules              uint16
	Fields             []named
	Commitments        []named
	Key, SecondKey     string
	Proven             *receipt.Proven
	Hashes             []string
	Refused            *Failure
	LogKey, Checkpoint string
}

type named struct{ Name, Value string }

// entryAt reads the entry of the page's address, with its octets.
func (q *request) entryAt() (index int64, e issuance.Entry, leaf []byte, err error) {
	if index, err = receipt.ParseSize(q.PathValue("index")); err != nil {
		return 0, e, nil, errNoPage
	}
	if leaf, err = q.c.config.Ledger.Leaf(q.Context(), index); errors.Is(err, fs.ErrNotExist) {
		err = errNoPage
	}
	if err != nil {
		return 0, e, nil, err
	}
	e, _, err = issuance.ParseLeaf(leaf)
	return index, e, leaf, err
}

// proof is the proof that a leaf stands in the log, held against the log's key by the code by
// which anybody else verifies it.
func (q *request) proof(index int64, leaf []byte) (*receipt.Proof, *receipt.Proven, error) {
	p, err := q.c.config.Ledger.Prove(q.Context(), index)
	if err != nil {
		return nil, nil, err
	}
	p.Extra = leaf
	policy, err := q.policy()
	if err != nil {
		return nil, nil, err
	}
	proven, err := receipt.Verify(p, leaf, policy)
	return p, proven, err
}

// auditEntry shows one entry and its proof.
func (q *request) auditEntry() error {
	index, e, leaf, err := q.entryAt()
	if err != nil {
		return err
	}
	who, err := q.actors()
	if err != nil {
		return err
	}
	hash := issuance.LeafHash(leaf)
	p := entryPage{
		entryRow: who.row(index, &e), ID: hex.EncodeToString(e.ID[:]), Hash: hex.EncodeToString(hash[:]), Prev: hex.EncodeToString(e.Prev[:]),
		Seq: e.Seq, Rules: e.Rules, Key: e.Operator.String(),
	}
	if !e.Second.IsZero() {
		p.SecondKey = e.Second.String()
	}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		p.Fields = append(p.Fields, named{name, e.Fields[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(e.Commitments)) {
		c := e.Commitments[name]
		p.Commitments = append(p.Commitments, named{name, hex.EncodeToString(c[:])})
	}
	if p.LogKey, err = q.logKey(); err != nil {
		return err
	}
	proof, proven, err := q.proof(index, leaf)
	if err != nil {
		p.Refused = &Failure{Code: proofCode(err), Message: say{"Bằng chứng KHÔNG đúng: mục này không nằm trong sổ mà điểm chốt đã ký", "The proof is WRONG: the entry is not in the log that the checkpoint signs"}.in(q.lang), Hint: errLogSignature.hint.in(q.lang)}
	} else {
		p.Proven, p.Checkpoint = proven, string(proof.Checkpoint)
		for _, h := range proof.Hashes {
			p.Hashes = append(p.Hashes, hex.EncodeToString(h[:]))
		}
	}
	return q.render("audit_entry.html", p)
}

// proofCode is the code of why a proof is refused.
func proofCode(err error) string {
	for code, want := range map[string]error{
		"proof-log": receipt.ErrLog, "proof-quorum": receipt.ErrQuorum, "proof-inclusion": receipt.ErrInclusion, "rewritten": receipt.ErrContinuation,
	} {
		if errors.Is(err, want) {
			return code
		}
	}
	return "proof-form"
}

// auditProof gives the proof as a file, which `tamthe ledger receipt --verify` checks without
// the ledger.
func (q *request) auditProof() error {
	index, _, leaf, err := q.entryAt()
	if err != nil {
		return err
	}
	p, _, err := q.proof(index, leaf)
	if err != nil {
		return err
	}
	text, err := p.MarshalText()
	if err != nil {
		return err
	}
	return q.file(fmt.Sprintf("entry-%d.tlog-proof", index), text)
}
