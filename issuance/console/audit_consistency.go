package console

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// continued is the proof that the ledger continues what the auditor kept of it.
type continued struct {
	Old, New int64
	Hashes   int
	Receipt  bool // a receipt was pasted: its entry is here, too
	Pasted   string
}

// pasted reads what the auditor kept: a signed checkpoint, or a receipt that carries one.
func (q *request) pasted() (older []byte, p *receipt.Proof, err error) {
	text := bytes.ReplaceAll([]byte(q.PostFormValue("checkpoint")), []byte("\r\n"), []byte("\n"))
	text = append(bytes.TrimSpace(text), '\n') // a browser's copy loses and adds line ends
	policy, err := q.policy()
	if err != nil {
		return nil, nil, err
	}
	if p, err := receipt.Parse(text); err == nil {
		if _, err := receipt.Verify(p, p.Extra, policy); err != nil {
			return nil, nil, errPaste
		}
		return p.Checkpoint, p, nil
	}
	if _, _, err := policy.Open(text); err != nil {
		return nil, nil, errPaste
	}
	return text, nil, nil
}

// continuation proves that the ledger continues an older checkpoint, and verifies the proof by
// the code by which anybody else does.
func (q *request) continuation(older []byte) (*receipt.Continuation, *receipt.Proven, error) {
	before, err := receipt.ParseCheckpoint(older)
	if err != nil {
		return nil, nil, errPaste
	}
	now, err := q.c.config.Ledger.Checkpoint(q.Context())
	if errors.Is(err, ledger.ErrCheckpoint) {
		return nil, nil, errLogSignature
	}
	if err != nil {
		return nil, nil, err
	}
	if before.Size > now.Size {
		return nil, nil, errRolledBack
	}
	c := &receipt.Continuation{Old: before.Size, Checkpoint: now.Note}
	if c.Hashes, err = q.c.config.Ledger.Consistency(q.Context(), before.Size, now.Size); err != nil {
		return nil, nil, err
	}
	policy, err := q.policy()
	if err != nil {
		return nil, nil, err
	}
	proven, err := c.Verify(older, policy)
	if errors.Is(err, receipt.ErrContinuation) {
		err = errRewritten
	}
	return c, proven, err
}

// auditConsistency says whether the ledger continues what was pasted.
func (q *request) auditConsistency() error {
	p, err := q.logPage()
	if err != nil {
		return err
	}
	if p.Continued, err = q.continues(); err != nil {
		f, status := q.explain(err)
		p.Failure = &f
		return q.renderStatus(status, "audit_log.html", p)
	}
	return q.render("audit_log.html", p)
}

func (q *request) continues() (*continued, error) {
	older, kept, err := q.pasted()
	if err != nil {
		return nil, err
	}
	c, proven, err := q.continuation(older)
	if err != nil {
		return nil, err
	}
	out := &continued{Old: c.Old, New: proven.Size, Hashes: len(c.Hashes), Pasted: string(older)}
	if kept != nil {
		leaf, err := q.c.config.Ledger.Leaf(q.Context(), kept.Index)
		if err != nil || !bytes.Equal(leaf, kept.Extra) {
			return nil, errRewritten
		}
		out.Receipt = true
	}
	return out, nil
}

// auditContinuation gives that proof as a file.
func (q *request) auditContinuation() error {
	older, _, err := q.pasted()
	if err != nil {
		return err
	}
	c, proven, err := q.continuation(older)
	if err != nil {
		return err
	}
	text, err := c.MarshalText()
	if err != nil {
		return err
	}
	return q.file(fmt.Sprintf("ledger-%d-to-%d.tlog-continuation", c.Old, proven.Size), text)
}
