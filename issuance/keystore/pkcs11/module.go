//go:build cgo && !nopkcs11

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// Modules owns the libraries that this process has loaded, one of each: a library is
// initialised once for the whole process, so that two owners of one would take each
// other's sessions away. The zero value has loaded none. It is safe for concurrent use.
type Modules struct {
	mu     sync.Mutex
	loaded map[string]*module
}

// module is a library that is loaded. Calls hold calls for reading; whoever initialises it
// again holds it for writing, for nothing may run in the library meanwhile.
type module struct {
	path   string
	ctx    *pkcs11.Ctx
	calls  sync.RWMutex
	epoch  int // counts initialisations; guarded by calls
	tokens []*Token
}

// Open opens the token that the URI names and logs in. The token belongs to m: Close lets
// go of it. Errors: ErrModule, ErrToken, ErrPIN, and those of the token's library.
func (m *Modules) Open(ctx context.Context, u URI, o Options) (*Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod, err := m.load(u.ModulePath)
	if err != nil {
		return nil, err
	}
	t := newToken(mod, u, o)
	if err := t.connect(ctx); err != nil {
		return nil, err
	}
	mod.tokens = append(mod.tokens, t)
	return t, nil
}

// load initialises a library that nobody but its owner can have changed.
func (m *Modules) load(path string) (*module, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	if mod := m.loaded[path]; mod != nil {
		return mod, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	case !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%w: %s: others may write to it", ErrModule, path)
	}
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, fmt.Errorf("%w: %s: no library for this machine", ErrModule, path)
	}
	if err := ctx.Initialize(); err != nil {
		// Not unloaded: another part of the process may use it.
		return nil, fmt.Errorf("%w: %s: %w", ErrModule, path, err)
	}
	if m.loaded == nil {
		m.loaded = map[string]*module{}
	}
	mod := &module{path: path, ctx: ctx}
	m.loaded[path] = mod
	return mod, nil
}

// Close closes every token, forgets the PINs and lets go of the libraries. A library in
// which a call hangs stays loaded.
func (m *Modules) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for path, mod := range m.loaded {
		for _, t := range mod.tokens {
			t.forget()
		}
		if err := mod.alone(context.Background(), time.Second, mod.ctx.Finalize); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", path, err))
		} else {
			mod.ctx.Destroy()
		}
		delete(m.loaded, path)
	}
	return errors.Join(errs...)
}

// again initialises the library anew, unless that was done since the epoch: some see a
// token that was put back, or notice that one was taken away, only then. Sessions of all
// its tokens end; they open new ones.
func (m *module) again(ctx context.Context, wait time.Duration, epoch int) error {
	return m.alone(ctx, wait, func() error {
		if m.epoch != epoch {
			return nil
		}
		m.epoch++
		if err := m.ctx.Finalize(); err != nil && !isAny(err, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED) {
			return err
		}
		return m.ctx.Initialize()
	})
}

// alone runs f while no call is in the library; keystore.ErrTimeout if one does not end.
func (m *module) alone(ctx context.Context, wait time.Duration, f func() error) error {
	deadline := time.Now().Add(wait)
	for !m.calls.TryLock() {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is busy: %w", m.path, keystore.ErrTimeout)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	defer m.calls.Unlock()
	return f()
}
