package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/console"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// store is an open ledger as the verbs use it, whichever engine it lies in.
type store interface {
	desk.Store
	console.Ledger
	ledger.Published
	Behind() error
	Health(ctx context.Context) (ledger.Health, error)
	Rehash(ctx context.Context, shown ...*ledger.Older) (*ledger.Report, error)
	Excerpt(ctx context.Context, w io.Writer, from int64) error
	Retire(ctx context.Context, f func() error) error
	Taken(ctx context.Context, kind issuance.ClaimKind, after string, n int) ([]ledger.Taken, error)
	Close() error
}

// storeOptions say how a ledger is opened; both engines have the same.
type storeOptions struct {
	signer      note.Signer   // the log key; nil: nothing is appended
	verifier    note.Verifier // the key that the log is known by; nil: the one that its first entry names
	checkpoints string        // folder that gets the newest checkpoint
	second      string        // folder on another medium that gets it too
	readOnly    bool
}

func (o storeOptions) sqlite() sqlite.Options {
	return sqlite.Options{Signer: o.signer, Verifier: o.verifier, Checkpoints: o.checkpoints, Second: o.second, ReadOnly: o.readOnly}
}

// place is where a ledger lies. It prints as what may be shown of it.
type place struct {
	path string // of the SQLite file
}

// errPlace says that a text names no ledger. It does not repeat the text, which may hold a
// password.
var errPlace = errors.New("a ledger is named sqlite:PATH")

// parsePlace reads a name as TAMTHE_LEDGER has it.
func parsePlace(text string) (place, error) {
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok && path != "" {
		return place{path: path}, nil
	}
	return place{}, errPlace
}

// String is the place without anything that is secret.
func (w place) String() string { return w.path }

// name is the place as TAMTHE_LEDGER has it, without anything that is secret.
func (w place) name() string { return "sqlite:" + w.path }

// GoString is the same, whatever it is printed with.
func (w place) GoString() string { return w.String() }

// open opens the ledger that lies there.
func (w place) open(ctx context.Context, o storeOptions) (store, error) {
	l, err := sqlite.Open(ctx, w.path, o.sqlite())
	if err != nil {
		return nil, err // a nil *sqlite.Ledger would be a store that is not nil
	}
	return l, nil
}

// create makes an empty ledger there. clear takes it away again, as long as nobody uses it.
func (w place) create(ctx context.Context, origin string, o storeOptions) (_ store, clear func(), err error) {
	l, err := sqlite.Create(ctx, w.path, origin, o.sqlite())
	if err != nil {
		return nil, nil, err
	}
	return l, w.clear, nil
}

// clear takes away what was made there and is of no use.
func (w place) clear() {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(w.path + suffix)
	}
}

// fill copies a ledger, as of one moment, to where none lies. What it returns takes the copy
// away again.
func (w place) fill(ctx context.Context, l store) (clear func(), err error) {
	if b, ok := l.(*sqlite.Ledger); ok {
		return w.clear, b.Backup(ctx, w.path)
	}
	return w.clear, carry(ctx, l, func(v note.Verifier, x *ledger.ExcerptReader) error {
		_, err := sqlite.Load(ctx, w.path, v, x)
		return err
	})
}

// aside moves what lies there out of the way; it is never deleted.
func (w place) aside(stamp string) error {
	return os.Rename(w.path, w.path+".moved-"+stamp)
}

// there reports whether something lies there, without a key: a secret is asked for only where
// there is something to use it on.
func (w place) there(context.Context) (bool, error) {
	_, err := os.Stat(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// mustBeThere refuses where nothing lies.
func (w place) mustBeThere(ctx context.Context) error {
	if there, err := w.there(ctx); there || err != nil {
		return err
	}
	return fmt.Errorf("open the ledger %s: %w", w, ledger.ErrMissing)
}

// ledgerPlace is where the ledger lies: where TAMTHE_LEDGER says, else in the home.
func (p *program) ledgerPlace() place {
	if p.ledger != (place{}) {
		return p.ledger
	}
	return place{path: p.home.path(ledgerFile)}
}

// readOnly are the options to read the home's ledger with.
func (p *program) readOnly() storeOptions {
	return storeOptions{readOnly: true, checkpoints: p.home.path(checkpointsDir), second: p.conf.Log.Second}
}
