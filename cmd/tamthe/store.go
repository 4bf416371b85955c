package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/console"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/postgres"
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
	still       bool          // with readOnly: a copy that nobody writes to; nothing is left beside it
	busy        time.Duration // how long to wait for a server that is away, and for another program; zero: as the engine does
}

func (o storeOptions) sqlite() sqlite.Options {
	return sqlite.Options{Signer: o.signer, Verifier: o.verifier, Checkpoints: o.checkpoints, Second: o.second, ReadOnly: o.readOnly, Still: o.still, Busy: o.busy}
}

func (o storeOptions) postgres() postgres.Options {
	return postgres.Options{Signer: o.signer, Verifier: o.verifier, Checkpoints: o.checkpoints, Second: o.second, ReadOnly: o.readOnly, Busy: o.busy}
}

// place is where a ledger lies: in an SQLite file, or in a PostgreSQL database. It prints as
// what may be shown of it.
type place struct {
	path string // of the file
	dsn  string // of the database; it may hold a password, and is never shown
	show string // HOST/DATABASE
}

// errPlace says that a text names no ledger. It does not repeat the text, which may hold a
// password.
var errPlace = errors.New("a ledger is named sqlite:PATH, or postgres:DSN with a DSN such as host=db.example dbname=office user=desk sslmode=verify-full")

// parsePlace reads a name as TAMTHE_LEDGER has it.
func parsePlace(text string) (place, error) {
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok && path != "" {
		return place{path: path}, nil
	}
	dsn, ok := strings.CutPrefix(text, "postgres:")
	switch {
	case strings.HasPrefix(dsn, "//"), strings.HasPrefix(text, "postgresql://"):
		dsn = text
	case !ok || dsn == "":
		return place{}, errPlace
	}
	show, err := postgres.Name(dsn)
	if err != nil {
		return place{}, err
	}
	return place{dsn: dsn, show: show}, nil
}

// String is the place without anything that is secret.
func (w place) String() string {
	if w.dsn != "" {
		return "postgres:" + w.show
	}
	return w.path
}

// name is the place as TAMTHE_LEDGER has it, without anything that is secret.
func (w place) name() string {
	if w.dsn != "" {
		return w.String()
	}
	return "sqlite:" + w.path
}

// GoString is the same, whatever it is printed with.
func (w place) GoString() string { return w.String() }

// sequenced reports whether another program can add to the log what one without its key hands
// in: `serve ledger`.
func (w place) sequenced() bool { return w.dsn != "" }

// open opens the ledger that lies there.
func (w place) open(ctx context.Context, o storeOptions) (store, error) {
	if w.dsn != "" {
		return opened(postgres.Open(ctx, w.dsn, o.postgres()))
	}
	return opened(sqlite.Open(ctx, w.path, o.sqlite()))
}

// opened is a store, or none: what points to no ledger would be a store that is not nil.
func opened[L store](l L, err error) (store, error) {
	if err != nil {
		return nil, err
	}
	return l, nil
}

// create makes an empty ledger there.
func (w place) create(ctx context.Context, origin string, o storeOptions) (store, error) {
	if w.dsn != "" {
		return opened(postgres.Create(ctx, w.dsn, origin, o.postgres()))
	}
	return opened(sqlite.Create(ctx, w.path, origin, o.sqlite()))
}

// clear takes away what this program made there and is of no use: nobody else has seen it.
func (w place) clear(ctx context.Context) error {
	if w.dsn != "" {
		return postgres.Discard(context.WithoutCancel(ctx), w.dsn)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(w.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// fill copies a ledger, as of one moment, to where none lies.
func (w place) fill(ctx context.Context, l store) error {
	if b, ok := l.(*sqlite.Ledger); ok && w.dsn == "" {
		return b.Backup(ctx, w.path)
	}
	return carry(ctx, l, func(v note.Verifier, x *ledger.ExcerptReader) (err error) {
		if w.dsn != "" {
			_, err = postgres.Load(ctx, w.dsn, v, x)
		} else {
			_, err = sqlite.Load(ctx, w.path, v, x)
		}
		return err
	})
}

// aside moves what lies there out of the way, under a name that ends in the word and the time;
// it is never deleted.
func (w place) aside(ctx context.Context, word string, at time.Time) error {
	stamp := at.UTC().Format(stampForm)
	if w.dsn != "" {
		return postgres.Aside(ctx, w.dsn, word+"_"+strings.ToLower(stamp))
	}
	return aside([]string{w.path, w.path + "-wal", w.path + "-shm"}, "."+word+"-"+stamp)
}

// stampForm is a moment in the name of what was moved aside.
const stampForm = "20060102T150405Z"

// aside renames files that are there.
func aside(paths []string, suffix string) error {
	for _, path := range paths {
		if err := os.Rename(path, path+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// there reports whether something lies there, without a key: a secret is asked for only where
// there is something to use it on.
func (w place) there(ctx context.Context) (bool, error) {
	if w.dsn != "" {
		return postgres.There(ctx, w.dsn)
	}
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
	l, err := w.open(ctx, storeOptions{readOnly: true}) // which says whether it was moved away
	if err == nil {
		return l.Close()
	}
	return err
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
