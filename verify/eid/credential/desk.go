package credential

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/meter"
)

// PartyID is the relying party under which a service of e-authentication issues credentials to
// citizens themselves, and Purpose what it asks their card for.
const (
	PartyID = "credential"
	Purpose = "lưu thông tin thẻ vào thiết bị của chính bạn"
)

// expiryField is asked for with whatever else: no credential outlives its card.
const expiryField = "document_expiry"

// Desk issues credentials to those who log in at a service of e-authentication with their
// card. It is safe for concurrent use.
type Desk struct {
	issuer *Issuer
	server *eid.Server

	mu    sync.Mutex
	asked map[string]seen // by login: the card that is being judged
	shown map[string]seen // and that was accepted
}

type seen struct {
	card verify.CardRef
	at   time.Time
}

// wait is how long a card that was shown is remembered, and maxWaiting how many.
const (
	wait       = 10 * time.Minute
	maxWaiting = 20_000
)

// NewDesk makes the desk of an issuer. Its Party, Watch and Follow go into the configuration of
// the service, which Open then takes.
func NewDesk(i *Issuer) *Desk {
	return &Desk{issuer: i, asked: map[string]seen{}, shown: map[string]seen{}}
}

// Party is the desk as a relying party: of all fields, for one purpose.
func (d *Desk) Party() eid.Party {
	return eid.Party{
		ID: PartyID, Name: "Thông tin định danh trên thiết bị của bạn", Kind: "state", Purposes: []string{Purpose}, Fields: eid.Fields(), Proofs: []string{eid.ProofActive}, Rate: 600,
	}
}

// Open gives the desk its service.
func (d *Desk) Open(s *eid.Server) { d.server = s }

// Follow is a source of card status that lets the desk know which card is being judged.
func (d *Desk) Follow(s verify.StatusSource) verify.StatusSource { return following{s, d} }

type following struct {
	verify.StatusSource
	desk *Desk
}

func (f following) Status(ctx context.Context, c verify.CardRef) (verify.StatusAnswer, error) {
	if session := eid.LoginOf(ctx); session != "" {
		f.desk.mu.Lock()
		put(f.desk.asked, session, seen{c, f.desk.issuer.c.Now()})
		f.desk.mu.Unlock()
	}
	return f.StatusSource.Status(ctx, c)
}

// Watch is a store of decisions that lets the desk know whose card was accepted, once that is
// on the disk.
func (d *Desk) Watch(s eid.Store) eid.Store { return watching{s, d} }

type watching struct {
	eid.Store
	desk *Desk
}

func (w watching) Decide(ctx context.Context, d eid.Decision) error {
	err := w.Store.Decide(ctx, d)
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	card, ok := w.desk.asked[d.Session]
	delete(w.desk.asked, d.Session)
	if err == nil && d.Party == PartyID && d.Code == "" && ok && card.card.ID == d.Card {
		put(w.desk.shown, d.Session, card)
	}
	return err
}

// put remembers, and forgets what is old.
func put(m map[string]seen, k string, s seen) {
	if len(m) >= maxWaiting {
		for old, o := range m {
			if s.at.Sub(o.at) > wait || len(m) >= maxWaiting {
				delete(m, old)
			}
		}
	}
	m[k] = s
}

// take is the card that was shown in a login, once.
func (d *Desk) take(session string) (verify.CardRef, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.shown[session]
	delete(d.shown, session)
	return s.card, ok && d.issuer.c.Now().Sub(s.at) <= wait
}

// asking is what an agent asks for: fields, for a key of this thumbprint.
type asking struct {
	Fields     []string `json:"fields"`
	Thumbprint string   `json:"thumbprint"`
}

// fetching is what it shows for it.
type fetching struct {
	Browser string `json:"browser"`
	Finish  string `json:"finish"`
	Proof   string `json:"proof"`
}

type fetched struct {
	Credential string `json:"credential"`
}

// Handler serves the desk, the issuer's metadata (draft-ietf-oauth-sd-jwt-vc §4) and its status
// lists.
func (d *Desk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /credential/v1/logins", d.begin)
	mux.HandleFunc("POST /credential/v1/logins/{session}/credential", d.issue)
	mux.HandleFunc("GET /.well-known/jwt-vc-issuer", d.metadata)
	mux.HandleFunc("GET /credential/status/{list}", d.status)
	return http.NewCrossOriginProtection().Handler(mux)
}

const maxBody = 16 << 10

// read reads one strict JSON document.
func read(r *http.Request, v any) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(b) > maxBody {
		return refuse(CodeMalformed)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if dec.Decode(v) != nil {
		return refuse(CodeMalformed)
	}
	if _, err := dec.Token(); err != io.EOF {
		return refuse(CodeMalformed)
	}
	return nil
}

func (d *Desk) begin(w http.ResponseWriter, r *http.Request) {
	var a asking
	if err := read(r, &a); err != nil {
		answer(w, nil, err)
		return
	}
	if b, err := b64.DecodeString(a.Thumbprint); err != nil || len(b) != crypto.SHA256.Size() {
		answer(w, nil, refuse(CodeMalformed))
		return
	}
	fields := append(slices.Clone(a.Fields), expiryField)
	begun, err := d.server.BeginFor(meter.Network(r.RemoteAddr), eid.Ask{Party: PartyID, Purpose: Purpose, Fields: fields, Nonce: a.Thumbprint})
	answer(w, begun, err)
}

func (d *Desk) issue(w http.ResponseWriter, r *http.Request) {
	var f fetching
	if err := read(r, &f); err != nil {
		answer(w, nil, err)
		return
	}
	text, err := d.Issue(r.Context(), r.PathValue("session"), f.Browser, f.Finish, f.Proof)
	answer(w, fetched{text}, err)
}

// Issue gives the credential of a login to whoever began it, once, for the key that they named
// then and prove to have now.
func (d *Desk) Issue(ctx context.Context, session, browser, finish, proof string) (string, error) {
	key, err := proven(proof, d.issuer.c.URL, session, d.issuer.c.Now())
	if err != nil {
		return "", err
	}
	claims, err := d.server.RedeemFor(PartyID, session, browser, finish)
	if err != nil {
		return "", err
	}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil || claims.Nonce != b64.EncodeToString(print) {
		return "", refuse(CodeProof)
	}
	card, ok := d.take(session)
	if !ok {
		return "", refuse(CodeUnknown)
	}
	return d.issuer.Issue(ctx, Subject{Fields: claims.Fields, Level: claims.Level, Expiry: claims.Fields[expiryField], Card: card}, key)
}

func (d *Desk) metadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, struct {
		Issuer string             `json:"issuer"`
		Keys   jose.JSONWebKeySet `json:"jwks"`
	}{d.issuer.c.URL, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{d.issuer.jwk}}}, nil)
}

func (d *Desk) status(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("list"))
	if err != nil {
		answer(w, nil, refuse(CodeUnknown))
		return
	}
	token, err := d.issuer.StatusToken(r.Context(), n)
	if err != nil {
		answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/statuslist+jwt")
	w.Header().Set("Cache-Control", "max-age="+strconv.Itoa(int(listFresh/time.Second)))
	_, _ = io.WriteString(w, token)
}

// problem is an error as the desk tells it: a code of this package or of eid, or out-of-order.
type problem struct {
	Code string `json:"code"`
}

// answer writes a document, or why there is none.
func answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		status, code := http.StatusServiceUnavailable, string(eid.CodeOutOfOrder)
		if r, ok := errors.AsType[*Refusal](err); ok {
			status, code = http.StatusForbidden, string(r.Code)
		}
		if r, ok := errors.AsType[*eid.Refusal](err); ok {
			status, code = http.StatusForbidden, string(r.Code)
		}
		w.WriteHeader(status)
		v = problem{code}
	}
	_ = json.NewEncoder(w).Encode(v) // whoever is gone hears nothing
}
