package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres"
)

func newLedgerMove(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "move FILE|sqlite:FILE|postgres:DSN",
		Short: "Move the ledger to another file, or into a database and back",
		Long: `Copies the ledger to where none lies while nothing can be appended, rebuilds the copy, and
closes the old one: a program that still has it open appends nothing there any more, so that two
ledgers never go on from one point. It is moved aside, never deleted: a file gets another name, a
database's schema tamthe too. Entries, what is sealed beside them, the checkpoint and so all
receipts are the same afterwards. TAMTHE_LEDGER must name the new one from then on. The keys of the
vault stay where they are.

A DSN is host=db.example dbname=office user=owner sslmode=verify-full, or such an address
postgres://…; the role must be allowed to make a schema in the database. It has no password: that
belongs into ~/.pgpass. A move that is cut short leaves the old ledger as it was; into a database
it leaves nothing.
`,
		Example: "  tamthe ledger move /srv/tamthe/ledger.db\n  tamthe ledger move 'postgres:host=db.example dbname=office user=owner sslmode=verify-full'",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runLedgerMove(cmd.Context(), p, args[0]) },
	}
}

func runLedgerMove(ctx context.Context, p *program, name string) error {
	to, err := placeNamed(name)
	if err != nil {
		return err
	}
	log, err := keystore.OpenLogIn(ctx, p.home.path(keysDir, logKeyName), laterRing{p})
	if err != nil {
		return err
	}
	o := p.readOnly()
	o.readOnly, o.signer = false, log
	from := p.ledgerPlace()
	l, err := from.open(ctx, o)
	if err != nil {
		return mayOwn(err)
	}
	defer l.Close()
	var r *ledger.Report
	err = l.Retire(ctx, func() (err error) {
		r, err = p.filled(ctx, l, to)
		return err
	})
	switch err = errors.Join(err, l.Close()); {
	case errors.Is(err, ledger.ErrAway) && r != nil:
		return hint(err, "it is not known whether %s was closed: the copy in %s is whole; if `tamthe ledger checkpoint` still finds the old one, it goes on there and the copy is of no use", from, to)
	case err != nil && r != nil:
		return mayOwn(errors.Join(err, to.clear(ctx)))
	case err != nil:
		return mayOwn(err)
	}
	if err := from.aside(ctx, "moved", p.now()); err != nil {
		return hint(err, "the ledger is in %s and goes on there; nothing is appended to the old one any more", to)
	}
	if !strings.HasPrefix(to.path, string(p.home)) || p.ledger != to {
		p.say(p.text(wordNamed(to)), to.name())
	}
	return p.copied("move", to.String(), r)
}

// wordNamed says how the ledger is named from now on. A DSN is not shown.
func wordNamed(w place) phrase {
	if w.dsn != "" {
		return wordNamedAsHere
	}
	return wordNamedBy
}

// mayOwn says who may close a ledger or put another in its place.
func mayOwn(err error) error {
	if errors.Is(err, ledger.ErrReadOnly) {
		return hintBoth(err, wordOwner)
	}
	return err
}

// placeNamed reads where a ledger is to go: as TAMTHE_LEDGER has it, or the path of a file.
func placeNamed(name string) (place, error) {
	w := place{path: name}
	if strings.HasPrefix(name, "sqlite:") || strings.HasPrefix(name, "postgres:") || strings.HasPrefix(name, "postgresql:") {
		var err error
		if w, err = parsePlace(name); err != nil {
			return w, usageError{err}
		}
	}
	if w.dsn != "" && postgres.HasPassword(w.dsn) { // anybody sees what a command is called with
		return w, usageError{errPassword}
	}
	if w.path == "" {
		return w, nil
	}
	path, err := filepath.Abs(w.path)
	return place{path: path}, err
}

// errPassword says that a password stands where others see it.
var errPassword = errors.New("a password of a database belongs into ~/.pgpass or a service file, not on the command line")

// filled copies a ledger to where none lies and rebuilds what is there then. After an error
// there is none.
func (p *program) filled(ctx context.Context, l store, to place) (*ledger.Report, error) {
	if err := to.fill(ctx, l); err != nil {
		return nil, err
	}
	r, err := p.rebuilt(ctx, to)
	if err == nil {
		return r, nil
	}
	return nil, errors.Join(err, to.clear(ctx))
}
