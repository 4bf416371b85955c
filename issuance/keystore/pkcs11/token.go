//go:build cgo && !nopkcs11

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// Token is an open token; it is a keystore.Ring with Secrets, and safe for concurrent use.
// Where its sessions were lost, it logs in again and repeats the operation once; while the
// token is away, every operation is ErrToken.
type Token struct {
	module *module
	uri    URI
	o      Options
	limit  chan struct{} // one for each operation that is in the library

	connecting sync.Mutex // held while somebody logs in; never with mu

	mu     sync.Mutex // guards what follows
	pin    []byte
	slot   uint
	pool   []pkcs11.SessionHandle // those at rest; the first keeps the login alive
	age    int                    // counts connections; sessions of another age are void
	epoch  int                    // the module's, when the token was connected
	looked time.Time              // when a token that was away was looked for
	open   bool
	closed bool
}

func newToken(m *module, u URI, o Options) *Token {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Sessions <= 0 {
		o.Sessions = DefaultSessions
	}
	return &Token{module: m, uri: u, o: o, limit: make(chan struct{}, o.Sessions)}
}

// forget closes the sessions and wipes the PIN.
func (t *Token) forget() {
	t.mu.Lock()
	clear(t.pin)
	t.pin, t.closed = nil, true
	t.mu.Unlock()
	t.drop()
}

// drop closes the sessions at rest; those at work find out by themselves.
func (t *Token) drop() {
	t.mu.Lock()
	pool, epoch := t.pool, t.epoch
	t.pool, t.open = nil, false
	t.age++
	t.mu.Unlock()
	_ = t.bounded(context.Background(), func() error {
		if t.module.epoch != epoch {
			return nil // they ended with the library; by these numbers it may know others by now
		}
		for _, s := range pool {
			_ = t.module.ctx.CloseSession(s)
		}
		return nil
	})
}

// bounded runs calls of the library, which nothing can interrupt: when the time is over,
// or ctx, whoever waits is let go, and the goroutine ends with the call.
func (t *Token) bounded(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, t.o.Timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		t.module.calls.RLock()
		defer t.module.calls.RUnlock()
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return t.late(ctx.Err())
	}
}

// late says why nobody waits any longer.
func (t *Token) late(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		err = keystore.ErrTimeout
	}
	return fmt.Errorf("token %q: %w", t.uri.Token, err)
}

// connect finds the token and logs in, unless that is done. The goroutine that does it
// hands over what it found, for it may outlive this call.
func (t *Token) connect(ctx context.Context) error {
	t.connecting.Lock()
	defer t.connecting.Unlock()
	t.mu.Lock()
	open, closed := t.open, t.closed
	pin := slices.Clone(t.pin)
	t.mu.Unlock()
	defer clear(pin)
	switch {
	case closed:
		return fmt.Errorf("%w: it was closed", ErrToken)
	case open:
		return nil
	}
	found := make(chan place, 1)
	err := t.bounded(ctx, func() error {
		p, err := t.find()
		found <- p
		return err
	})
	if errors.Is(err, ErrToken) {
		t.mu.Lock()
		t.epoch = (<-found).epoch // that of the library which did not see it
		t.mu.Unlock()
	}
	if err != nil {
		return err
	}
	p := <-found
	typed := false
	if pin == nil && p.needsPIN() {
		if pin, typed, err = askPIN(ctx, t.uri, t.o, p.info.Label); err != nil {
			return err
		}
	}
	session := make(chan pkcs11.SessionHandle, 1)
	secret := string(pin)
	err = t.bounded(ctx, func() error {
		s, err := t.login(p, secret, typed)
		session <- s
		return err
	})
	if err != nil {
		return fmt.Errorf("token %q: %w", p.info.Label, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slot, t.epoch, t.pool, t.open = p.slot, p.epoch, []pkcs11.SessionHandle{<-session}, true
	t.pin = slices.Clone(pin)
	t.age++
	return nil
}

// place is where a token was found.
type place struct {
	slot  uint
	epoch int
	info  pkcs11.TokenInfo
}

// needsPIN says that the token asks for a PIN, and not on a keypad of its own.
func (p place) needsPIN() bool {
	return p.info.Flags&pkcs11.CKF_LOGIN_REQUIRED != 0 && p.info.Flags&pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH == 0
}

// find looks for the one token that the URI names.
func (t *Token) find() (place, error) {
	p := place{epoch: t.module.epoch}
	slots, err := t.module.ctx.GetSlotList(true)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrToken, err)
	}
	n := 0
	for _, s := range slots {
		i, err := t.module.ctx.GetTokenInfo(s)
		if err != nil || i.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 || !t.uri.names(s, i) {
			continue
		}
		p.slot, p.info = s, i
		n++
	}
	if n != 1 {
		return p, fmt.Errorf("%w: %d tokens are as %s says", ErrToken, n, t.uri)
	}
	return p, nil
}

// names says whether the URI means this token.
func (u URI) names(slot uint, i pkcs11.TokenInfo) bool {
	for _, p := range [][2]string{
		{u.Token, i.Label},
		{u.Manufacturer, i.ManufacturerID},
		{u.Model, i.Model},
		{u.Serial, i.SerialNumber},
		{u.Slot, strconv.FormatUint(uint64(slot), 10)},
	} {
		if p[0] != "" && p[0] != p[1] {
			return false
		}
	}
	return true
}

// login opens the first session. A PIN that nobody typed is not tried when it could be the
// last try.
func (t *Token) login(p place, pin string, typed bool) (pkcs11.SessionHandle, error) {
	if p.info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0 {
		return 0, fmt.Errorf("%w: it is locked", ErrPIN)
	}
	if p.info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0 && !typed {
		return 0, fmt.Errorf("%w: one try is left; log in by hand", ErrPIN)
	}
	s, err := t.module.ctx.OpenSession(p.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if p.info.Flags&pkcs11.CKF_LOGIN_REQUIRED == 0 {
		return s, nil
	}
	err = t.module.ctx.Login(s, pkcs11.CKU_USER, pin)
	if err == nil || isAny(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		return s, nil
	}
	_ = t.module.ctx.CloseSession(s)
	if isAny(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_EXPIRED) {
		err = fmt.Errorf("%w: %w", ErrPIN, err)
	}
	return 0, err
}

func isAny(err error, codes ...uint) bool {
	e, ok := errors.AsType[pkcs11.Error](err)
	return ok && slices.Contains(codes, uint(e))
}

// lost says that an operation failed because the session, the login or the token is gone,
// or the handle of an object is that of another time.
func lost(err error) bool {
	return isAny(err, pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_DEVICE_REMOVED,
		pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_SLOT_ID_INVALID,
		pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED, pkcs11.CKR_OBJECT_HANDLE_INVALID,
		pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_GENERAL_ERROR, pkcs11.CKR_FUNCTION_FAILED)
}

// session is what an operation works with, valid while it runs.
type session struct {
	*pkcs11.Ctx
	handle pkcs11.SessionHandle
	slot   uint
	age    int
}

// do runs an operation in a session of its own; where everything was lost, once more after
// a new login. An operation that must not run twice says so.
func (t *Token) do(ctx context.Context, once bool, f func(session) error) error {
	age, err := t.run(ctx, f)
	if err == nil || !lost(err) {
		return err
	}
	if again := t.reconnect(ctx, age); again != nil {
		return errors.Join(again, err)
	}
	if once {
		return err
	}
	_, err = t.run(ctx, f)
	return err
}

// reconnect logs in again, unless somebody else has done so since the connection of that
// age. The library is initialised anew, unless that was done for another token of it.
func (t *Token) reconnect(ctx context.Context, age int) error {
	t.mu.Lock()
	stale, epoch := t.age == age, t.epoch
	t.mu.Unlock()
	if stale {
		t.drop()
		if err := t.module.again(ctx, t.o.Timeout, epoch); err != nil {
			return fmt.Errorf("%w: %w", ErrToken, err)
		}
	}
	return t.connect(ctx)
}

// patience is how long a token that is away is not looked for again: to look ends the
// sessions of the library's other tokens.
const patience = 200 * time.Millisecond

// back connects a token, also one that was away: some libraries see that it was put back
// only when they are initialised anew.
func (t *Token) back(ctx context.Context) error {
	err := t.connect(ctx)
	t.mu.Lock()
	look := errors.Is(err, ErrToken) && t.age > 0 && !t.closed && time.Since(t.looked) > patience
	epoch := t.epoch
	if look {
		t.looked = time.Now()
	}
	t.mu.Unlock()
	if !look {
		return err
	}
	if err := t.module.again(ctx, t.o.Timeout, epoch); err != nil {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	return t.connect(ctx)
}

// run takes a session, or opens one, and puts it back unless it was lost. A call that
// hangs keeps its place: after as many as there are sessions, nobody gets one.
func (t *Token) run(ctx context.Context, f func(session) error) (age int, err error) {
	if err := t.back(ctx); err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(ctx, t.o.Timeout)
	defer cancel()
	select {
	case t.limit <- struct{}{}:
	case <-wait.Done():
		return 0, t.late(wait.Err())
	}
	t.mu.Lock()
	s, epoch := session{t.module.ctx, 0, t.slot, t.age}, t.epoch
	if n := len(t.pool); n > 1 { // the first stays
		s.handle = t.pool[n-1]
		t.pool = t.pool[:n-1]
	}
	t.mu.Unlock()
	age = s.age
	return age, t.bounded(ctx, func() (err error) {
		defer func() { <-t.limit }()
		// Once the library was initialised anew the handle is nobody's, or, worse, the session
		// of somebody else in the middle of a search.
		if t.module.epoch != epoch {
			return pkcs11.Error(pkcs11.CKR_SESSION_HANDLE_INVALID)
		}
		if s.handle == 0 {
			if s.handle, err = s.OpenSession(s.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
				return err
			}
		}
		err = f(s)
		t.rest(s, err)
		return err
	})
}

// rest puts a session back into the pool. One of another time, or in which something may be
// left half done, is closed.
func (t *Token) rest(s session, err error) {
	t.mu.Lock()
	keep := err == nil && t.open && t.age == s.age
	if keep {
		t.pool = append(t.pool, s.handle)
	}
	t.mu.Unlock()
	if !keep {
		_ = s.CloseSession(s.handle)
	}
}

// secret is the PIN for a signature that asks for it again.
func (t *Token) secret() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.pin)
}
