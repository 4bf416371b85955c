package console

import (
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/tamthe/tamthe/verify/eid/meter"
)

// maxCeremonies bounds how many logins may be under way.
const maxCeremonies = 256

// pending is a ceremony of WebAuthn that is under way, or a login that waits for the
// operator's passphrase.
type pending struct {
	data       webauthn.SessionData
	until      time.Time
	from       string   // the network of whoever began it
	code       [32]byte // of an invitation
	operator   string
	passphrase []byte   // of the operator who registers
	passkey    *passkey // that was accepted, while the passphrase is asked for
	secret     []byte   // that it gave
}

// said is what the login's script sends.
type said struct {
	Ceremony   string          `json:"ceremony"`
	Code       string          `json:"code"`
	Passphrase string          `json:"passphrase"`
	Credential json.RawMessage `json:"credential"`
	Secret     []byte          `json:"secret"` // base64 in JSON
}

// told is what it is answered.
type told struct {
	Ceremony   string   `json:"ceremony,omitempty"`
	Options    any      `json:"options,omitempty"`
	Salt       []byte   `json:"salt,omitempty"`
	Passphrase bool     `json:"passphrase,omitempty"` // is still to be asked for
	Next       string   `json:"next,omitempty"`
	Error      *Failure `json:"error,omitempty"`
}

func (c *Console) loginRoutes(mux *http.ServeMux) {
	mux.Handle("GET /login", c.open((*request).login))
	mux.Handle("GET /login/new", c.open(func(q *request) error { return q.render("register.html", nil) }))
	mux.Handle("POST /lang", c.open((*request).speak))
	for path, answer := range map[string]func(*request, said) (told, error){
		"begin": (*request).beginLogin, "finish": (*request).finishLogin, "passphrase": (*request).typedPassphrase, "certificate": (*request).byCertificate,
		"new/begin": (*request).beginRegister, "new/finish": (*request).finishRegister,
	} {
		mux.Handle("POST /login/"+path, c.open(func(q *request) error { return q.script(answer) }))
	}
	mux.Handle("POST /logout", c.open((*request).logout))
	mux.Handle("POST /lock", c.open((*request).lock))
	mux.Handle("GET /waiting", c.page((*request).showWaiting))
	mux.Handle("POST /waiting", c.page((*request).again))
	mux.Handle("POST /waiting/drop", c.page(func(q *request) error { q.session.keep(nil); return q.redirect("/") }))
}

// login shows the page on which one logs in.
func (q *request) login() error {
	s := q.c.of(q.Request)
	if s != nil && !s.locked() {
		return q.redirect("/")
	}
	return q.render("login.html", struct {
		Locked, Waits bool
		Certificate   string // whose the browser has shown
	}{s != nil, s != nil && s.kept(false) != nil, q.shown()})
}

// script answers a step of the login's script, which speaks JSON.
func (q *request) script(answer func(*request, said) (told, error)) error {
	var in said
	var out told
	var err error
	if !q.c.mayTry(q.RemoteAddr) {
		err = errBusyPages
	} else {
		err = decodeStrict(q.Body, &in)
	}
	if err == nil {
		out, err = answer(q, in)
	}
	status := http.StatusOK
	if err != nil {
		var f Failure
		f, status = q.explain(err)
		out = told{Error: &f}
	}
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(status)
	return json.NewEncoder(q.w).Encode(out)
}

func decodeStrict(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errors.Join(errForm, err)
	}
	return nil
}

// hold keeps a ceremony until it is taken or too old. Anybody can begin one, so none is refused
// for want of room: the oldest of the network that has most makes room.
func (c *Console) hold(address string, p *pending) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Now()
	for id, old := range c.ceremonies {
		if now.After(old.until) {
			clear(old.passphrase)
			delete(c.ceremonies, id)
		}
	}
	if c.closed {
		return "", errStopping
	}
	if len(c.ceremonies) >= maxCeremonies {
		c.displace()
	}
	p.from, p.until = meter.Network(address), now.Add(ceremony)
	id = randomID()
	c.ceremonies[id] = p
	return id, nil
}

// displace forgets the oldest ceremony of the network that has most. The caller holds the lock.
func (c *Console) displace() {
	count, oldest := map[string]int{}, ""
	for _, p := range c.ceremonies {
		count[p.from]++
	}
	for id, p := range c.ceremonies {
		o := c.ceremonies[oldest]
		if o == nil || count[p.from] > count[o.from] || count[p.from] == count[o.from] && p.until.Before(o.until) {
			oldest = id
		}
	}
	clear(c.ceremonies[oldest].passphrase)
	delete(c.ceremonies, oldest)
}

// take returns a ceremony once.
func (c *Console) take(id string) (*pending, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.ceremonies[id]
	delete(c.ceremonies, id)
	if p == nil {
		return nil, errCeremony
	}
	if c.config.Now().After(p.until) {
		clear(p.passphrase)
		clear(p.secret)
		return nil, errCeremony
	}
	return p, nil
}

func (q *request) beginLogin(said) (told, error) {
	options, data, err := q.c.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return told{}, err
	}
	id, err := q.c.hold(q.RemoteAddr, &pending{data: *data})
	return told{Ceremony: id, Options: options.Response, Salt: q.c.salt}, err
}

func (q *request) finishLogin(in said) (told, error) {
	p, err := q.c.take(in.Ceremony)
	if err != nil {
		return told{}, err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(in.Credential)
	if err != nil {
		return told{}, errors.Join(errForm, err)
	}
	operator, found, err := q.c.found(q.Context(), p.data, answer)
	if err != nil {
		return told{}, err
	}
	passphrase := found.passphrase(operator, in.Secret)
	if passphrase == nil {
		id, err := q.c.hold(q.RemoteAddr, &pending{operator: operator, passkey: found, secret: in.Secret})
		return told{Ceremony: id, Passphrase: true}, errors.Join(err, q.c.keep(q.Context(), found))
	}
	defer clear(passphrase)
	key, err := q.c.unlock(q.Context(), operator, passphrase)
	if errors.Is(err, errPassphrase) { // it was changed since: it is asked for anew
		id, err := q.c.hold(q.RemoteAddr, &pending{operator: operator, passkey: found, secret: in.Secret})
		return told{Ceremony: id, Passphrase: true}, err
	}
	if err != nil {
		return told{}, err
	}
	return q.welcome(operator, found, key)
}

// typedPassphrase is the second step where the passkey alone opens nothing.
func (q *request) typedPassphrase(in said) (told, error) {
	p, err := q.c.take(in.Ceremony)
	if err != nil {
		return told{}, err
	}
	if p.passkey == nil {
		return told{}, errCeremony
	}
	text := []byte(in.Passphrase)
	defer clear(text)
	key, err := q.c.unlock(q.Context(), p.operator, text)
	if err != nil {
		return told{}, err
	}
	if err := p.passkey.seal(p.operator, p.secret, text); err != nil {
		return told{}, err
	}
	return q.welcome(p.operator, p.passkey, key)
}

// welcome begins the session.
func (q *request) welcome(operator string, p *passkey, key crypto.Signer) (told, error) {
	if err := q.c.keep(q.Context(), p); err != nil {
		return told{}, err
	}
	return q.enterAs(operator, key), nil
}

// enterAs begins the session of an operator whose key is open.
func (q *request) enterAs(operator string, key crypto.Signer) told {
	old := q.c.of(q.Request)
	next := "/"
	if old != nil && old.operator == operator && old.kept(false) != nil {
		next = "/waiting"
	}
	q.c.begin(q.w, operator, key, old)
	q.c.config.Log.InfoContext(q.Context(), "logged in", "operator", operator)
	return told{Next: next}
}

// shown is whose certificate the browser has proven to hold, if anybody's.
func (q *request) shown() string {
	if q.c.config.Clients == nil || q.TLS == nil || len(q.TLS.PeerCertificates) == 0 {
		return ""
	}
	held, now := q.TLS.PeerCertificates[0], q.c.config.Now()
	if now.Before(held.NotBefore) || now.After(held.NotAfter) {
		return ""
	}
	return q.c.config.Clients(held)
}

// byCertificate logs in whose certificate the browser holds, by the passphrase of the key.
func (q *request) byCertificate(in said) (told, error) {
	operator := q.shown()
	if operator == "" {
		return told{}, errCertificate
	}
	text := []byte(in.Passphrase)
	defer clear(text)
	key, err := q.c.unlock(q.Context(), operator, text)
	if err != nil {
		return told{}, err
	}
	return q.enterAs(operator, key), nil
}

// beginRegister takes an invitation and the passphrase, and asks for a new passkey.
func (q *request) beginRegister(in said) (told, error) {
	code := sha256.Sum256([]byte(strings.ToUpper(strings.TrimSpace(in.Code))))
	operator, err := q.c.config.Accounts.Invited(q.Context(), code, q.c.config.Now())
	if err == nil && operator == "" {
		err = errInvitation
	}
	if err != nil {
		return told{}, err
	}
	key, err := q.c.unlock(q.Context(), operator, []byte(in.Passphrase))
	if err != nil {
		return told{}, err
	}
	if k, ok := key.(interface{ Destroy() }); ok {
		k.Destroy()
	}
	options, data, err := q.c.web.BeginRegistration(q.c.user(operator))
	if err != nil {
		return told{}, err
	}
	id, err := q.c.hold(q.RemoteAddr, &pending{data: *data, code: code, operator: operator, passphrase: []byte(in.Passphrase)})
	return told{Ceremony: id, Options: options.Response, Salt: q.c.salt}, err
}

func (q *request) finishRegister(in said) (told, error) {
	p, err := q.c.take(in.Ceremony)
	if err != nil {
		return told{}, err
	}
	defer clear(p.passphrase)
	if p.passphrase == nil {
		return told{}, errCeremony
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(in.Credential)
	if err != nil {
		return told{}, errors.Join(errForm, err)
	}
	credential, err := q.c.web.CreateCredential(q.c.user(p.operator), p.data, answer)
	if err != nil {
		return told{}, errors.Join(errPasskey, err)
	}
	made := &passkey{Credential: *credential}
	if err := made.seal(p.operator, in.Secret, p.passphrase); err != nil {
		return told{}, err
	}
	record, err := json.Marshal(made)
	if err != nil {
		return told{}, err
	}
	ok, err := q.c.config.Accounts.Register(q.Context(), p.code, q.c.config.Now(), credential.ID, record)
	if err == nil && !ok {
		err = errInvitation
	}
	if err != nil {
		return told{}, err
	}
	q.c.config.Log.InfoContext(q.Context(), "passkey registered", "operator", p.operator)
	return told{Next: "/login"}, nil
}

// logout ends the session; what waited in it is gone.
func (q *request) logout() error {
	if s := q.c.of(q.Request); s != nil {
		q.c.mu.Lock()
		delete(q.c.sessions, s.id)
		q.c.mu.Unlock()
		s.end()
		q.c.looks.forget(s.operator)
	}
	http.SetCookie(q.w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return q.redirect("/login")
}

// lock locks the session at once; a job that is running goes on.
func (q *request) lock() error {
	if s := q.c.of(q.Request); s != nil {
		s.lock()
	}
	return q.redirect("/login")
}
