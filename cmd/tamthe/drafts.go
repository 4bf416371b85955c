package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/outbox"
)

// The desk's outbox, and the key of the home's ring that seals it. That one is its own: which
// key of the vault is the newest only the vault's database knows, and that may be away too.
const (
	draftsDir     = "drafts"
	draftsKeyName = "drafts"
)

// keptError says that an application was kept, because the ledger is away.
type keptError struct {
	app  string
	away error
}

func (e *keptError) Error() string {
	return fmt.Sprintf("application %s is kept here and not filed yet: %v", e.app, e.away)
}

func (e *keptError) Unwrap() error { return e.away }

// box is where this home's drafts lie.
func (p *program) box() outbox.Box { return outbox.Box{Dir: p.home.path(draftsDir)} }

// openOutbox is the box with its key.
func (p *program) openOutbox(ctx context.Context) (desk.Outbox, error) {
	w, err := laterRing{p}.Wrapper(ctx, draftsKeyName)
	if err == nil {
		p.closers = append(p.closers, func() { forget(w) })
	}
	return desk.Outbox{Box: p.box(), Key: w, Origin: p.lastOrigin()}, err
}

// lastOrigin is the name of the log of which the home has a checkpoint; empty if it has none.
func (p *program) lastOrigin() string {
	signed, _ := os.ReadFile(p.home.path(checkpointsDir, ledger.CheckpointFile))
	origin, _, _ := strings.Cut(string(signed), "\n")
	return origin
}

// keep keeps an application that the ledger is too far away for, and is an error that says so:
// it is not filed, and a script must not think it is.
func (p *program) keep(ctx context.Context, n desk.Enrolment, away error) error {
	err := p.putAside(ctx, n)
	if err != nil {
		return fmt.Errorf("application not kept: %w (and not known to be filed: %v)", err, away)
	}
	return &keptError{n.Application, away}
}

// taken ends what began with keeps: the key is forgotten.
func (p *program) taken() {
	forget(p.taker)
	p.taker, p.keeps = nil, false
}

func (p *program) putAside(ctx context.Context, n desk.Enrolment) error {
	err := laterRing{p}.GenerateSecret(ctx, draftsKeyName, keystore.UseVault)
	if err != nil && !errors.Is(err, keystore.ErrExists) {
		return err
	}
	b, err := p.openOutbox(ctx)
	if err != nil {
		return err
	}
	key, err := p.operator(ctx)
	if err != nil {
		return err
	}
	return (&desk.Office{Signer: key, Now: p.now}).Keep(ctx, b, n)
}
