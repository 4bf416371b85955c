package eid

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/eid/meter"
)

// Handler is the service over HTTP. Its paths, types and errors are described at
// /openapi.json (OpenAPI 3.1). Relying parties sign in by HTTP Basic with their name and
// secret; agents need no account, only the code of a login.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	c := huma.DefaultConfig("tamthe e-authentication", "1")
	c.DocsPath, c.CreateHooks = "", nil // its page of documentation loads scripts of others
	c.Formats = map[string]huma.Format{"application/json": strictJSON, "json": strictJSON}
	c.Transformers = append(c.Transformers, silent)
	api := humago.New(mux, c)
	refused := map[string]*huma.Response{"default": {Description: "Refused: why", Content: map[string]*huma.MediaType{
		"application/json": {Schema: c.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
	}}}
	post := func(path, id, what string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: what, MaxBodyBytes: 4 * maxFiles, Responses: maps.Clone(refused)}
	}
	get := func(path, id, what string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: what, Responses: maps.Clone(refused)}
	}
	huma.Register(api, post("/eid/v1/logins", "begin", "A relying party begins a login"), s.apiBegin)
	huma.Register(api, get("/eid/v1/logins/{session}", "state", "The browser session that began a login asks how it stands"), s.apiState)
	huma.Register(api, post("/eid/v1/logins/{session}/redeem", "redeem", "A relying party redeems a login, once"), s.apiRedeem)
	huma.Register(api, post("/eid/v2/agent/open", "open", "A citizen's agent takes a login by its code"), s.apiOpen)
	present := post("/eid/v2/agent/{session}/present", "present", "An agent presents what it read of the card")
	present.SkipValidateBody = true // it is parsed once, strictly, and Presented.evidence bounds it
	huma.Register(api, present, s.apiPresent)
	huma.Register(api, post("/eid/v2/agent/{session}/answer", "answer", "An agent presents the chip's answer"), s.apiAnswer)
	mux.HandleFunc("GET /eid/v1/keys", func(w http.ResponseWriter, _ *http.Request) {
		keys, err := s.c.Signer.Keys()
		if err != nil {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Write(keys)
	})
	mux.HandleFunc("POST /eid/v1/agent/", func(w http.ResponseWriter, _ *http.Request) { // its agents let the server choose the challenge
		writeProblem(w, refuse(CodeProtocol))
	})
	mux.HandleFunc("POST /eid/v2/agent/{session}/relay", s.apiRelay)
	s.health(mux)
	return mux
}

// strictJSON takes one document without fields that nobody knows.
var strictJSON = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(b []byte, v any) error {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(v); err != nil {
			return err
		}
		if _, err := d.Token(); err != io.EOF {
			return errors.New("more than one document")
		}
		return nil
	},
}

// silent tells who sent what cannot be understood that it is so, and not what it was: the
// library's own errors repeat it.
func silent(_ huma.Context, _ string, v any) (any, error) {
	if m, ok := v.(*huma.ErrorModel); ok {
		return &Problem{status: m.Status, Code: CodeEvidence}, nil
	}
	return v, nil
}

// Problem is an error as the service tells it: a code of this package, or out-of-order.
type Problem struct {
	status  int
	Code    Code     `json:"code"`
	Reasons []string `json:"reasons,omitempty"`
}

func (p *Problem) Error() string  { return string(p.Code) }
func (p *Problem) GetStatus() int { return p.status }

// CodeOutOfOrder is a service that could not do its work: what was asked may be asked again.
const CodeOutOfOrder Code = "out-of-order"

// statuses are the codes whose HTTP status is not 403.
var statuses = map[Code]int{
	CodeProtocol: http.StatusGone, CodeUnknown: http.StatusNotFound, CodeExpired: http.StatusGone, CodeTaken: http.StatusConflict, CodeReplayed: http.StatusConflict,
	CodeParty: http.StatusUnauthorized, CodeRate: http.StatusTooManyRequests, CodeEvidence: http.StatusBadRequest, CodePurpose: http.StatusBadRequest,
}

func problem(err error) error {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		return &Problem{status: http.StatusServiceUnavailable, Code: CodeOutOfOrder}
	}
	status, ok := statuses[r.Code]
	if !ok {
		status = http.StatusForbidden
	}
	return &Problem{status, r.Code, r.Reasons}
}

// writeProblem answers with an error where huma is not in between.
func writeProblem(w http.ResponseWriter, err error) {
	p := problem(err).(*Problem)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	json.NewEncoder(w).Encode(p)
}

type body[T any] struct{ Body T }

func answered[T any](v T, err error) (*body[T], error) {
	if err != nil {
		return nil, problem(err)
	}
	return &body[T]{v}, nil
}

// basic reads who signs in.
func basic(header string) (party, secret string) {
	r := http.Request{Header: http.Header{"Authorization": {header}}}
	party, secret, _ = r.BasicAuth()
	return party, secret
}

type beginInput struct {
	Authorization string `header:"Authorization"`
	Body          struct {
		Purpose string   `json:"purpose" maxLength:"200"`
		Fields  []string `json:"fields" maxItems:"32"`
		Level   Level    `json:"level,omitempty" enum:"possession,holder"`
		Nonce   string   `json:"nonce,omitempty" maxLength:"200"`
	}
}

func (s *Server) apiBegin(_ context.Context, in *beginInput) (*body[*Begun], error) {
	party, secret := basic(in.Authorization)
	return answered(s.Begin(secret, Ask{Party: party, Purpose: in.Body.Purpose, Fields: in.Body.Fields, Level: in.Body.Level, Nonce: in.Body.Nonce}))
}

type stateInput struct {
	Session string `path:"session" maxLength:"64"`
	Browser string `header:"Eid-Browser"`
}

type stateOutput struct {
	State string `json:"state" doc:"begun, open, decided or redeemed"`
}

func (s *Server) apiState(_ context.Context, in *stateInput) (*body[stateOutput], error) {
	state, err := s.State(in.Session, in.Browser)
	return answered(stateOutput{state}, err)
}

type redeemInput struct {
	Authorization string `header:"Authorization"`
	Session       string `path:"session" maxLength:"64"`
	Body          struct {
		Browser string `json:"browser" maxLength:"100"`
		Finish  string `json:"finish" maxLength:"20"`
	}
}

type redeemOutput struct {
	Assertion string `json:"assertion"`
}

func (s *Server) apiRedeem(_ context.Context, in *redeemInput) (*body[redeemOutput], error) {
	_, secret := basic(in.Authorization)
	token, _, err := s.Redeem(secret, in.Session, in.Body.Browser, in.Body.Finish)
	return answered(redeemOutput{token}, err)
}

// network is where a call comes from.
type network struct{ name string }

// Resolve reads it off the connection.
func (n *network) Resolve(ctx huma.Context) []error {
	n.name = meter.Network(ctx.RemoteAddr())
	return nil
}

type openInput struct {
	network
	Body struct {
		Code       string `json:"code" maxLength:"20"`
		Commitment string `json:"commitment" maxLength:"64" doc:"of the agent's nonce: SHA-256 of \"tamthe eid agent v2\", a zero octet and the nonce, in hexadecimal"`
	}
}

func (s *Server) apiOpen(_ context.Context, in *openInput) (*body[*Request], error) {
	return answered(s.Open(in.name, in.Body.Code, in.Body.Commitment))
}

// Presented is Evidence on the wire: octets in hexadecimal, files by their names (DG1).
type Presented struct {
	Agent     string            `json:"agent" maxLength:"64" doc:"the agent's nonce, to which it committed itself"`
	Files     map[string]string `json:"files"`
	Signature string            `json:"signature,omitempty" maxLength:"2048"`
	Present   bool              `json:"present,omitempty"`
	For       *SignedFor        `json:"for,omitempty"`
}

// Next is a Step on the wire: commands as APDUs in hexadecimal.
type Next struct {
	Agreement []string `json:"agreement,omitempty"`
	First     string   `json:"first,omitempty"`
	Finish    string   `json:"finish,omitempty"`
	Told      []string `json:"told,omitempty"`
}

type presentInput struct {
	Authorization string `header:"Authorization" doc:"of the party whose counter is attended, where present is true"`
	Session       string `path:"session" maxLength:"64"`
	Body          Presented
}

func (s *Server) apiPresent(ctx context.Context, in *presentInput) (*body[*Next], error) {
	e, err := in.Body.evidence()
	if err != nil {
		return nil, problem(err)
	}
	_, e.Attendant = basic(in.Authorization)
	step, err := s.Present(ctx, in.Session, in.Body.Agent, e)
	if err != nil {
		return nil, problem(err)
	}
	return answered(step.next())
}

func (p Presented) evidence() (Evidence, error) {
	if len(p.Agent) > 64 || len(p.Signature) > 2048 {
		return Evidence{}, refuse(CodeEvidence)
	}
	e := Evidence{Files: map[lds.File][]byte{}, Present: p.Present, For: p.For}
	for name, text := range p.Files {
		f, known := lds.ByName(name)
		b, err := hex.DecodeString(text)
		if _, twice := e.Files[f]; err != nil || !known || twice {
			return Evidence{}, refuse(CodeEvidence)
		}
		e.Files[f] = b
	}
	if p.Signature != "" {
		var err error
		if e.Signature, err = hex.DecodeString(p.Signature); err != nil {
			return Evidence{}, refuse(CodeEvidence)
		}
	}
	return e, nil
}

// presented is what an agent sends.
func (e Evidence) presented(agent string) Presented {
	p := Presented{Agent: agent, Files: map[string]string{}, Signature: hex.EncodeToString(e.Signature), Present: e.Present, For: e.For}
	for f, b := range e.Files {
		p.Files[f.Name()] = hex.EncodeToString(b)
	}
	return p
}

func (s *Step) next() (*Next, error) {
	n := &Next{Finish: s.Finish, Told: s.Told}
	for _, c := range s.Agreement {
		b, err := c.Encode(false)
		if err != nil {
			return nil, err
		}
		n.Agreement = append(n.Agreement, hex.EncodeToString(b))
	}
	if s.Agreement == nil {
		return n, nil
	}
	first, err := s.First.Encode(false)
	n.First = hex.EncodeToString(first)
	return n, err
}

// step reads what the service sent.
func (n Next) step() (*Step, error) {
	s := &Step{Finish: n.Finish, Told: n.Told}
	for i, text := range append(n.Agreement, n.First) {
		if text == "" && i == 0 {
			return s, nil
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, ErrService
		}
		c, err := apdu.ParseCommand(b)
		if err != nil {
			return nil, ErrService
		}
		if i < len(n.Agreement) {
			s.Agreement = append(s.Agreement, c)
		} else {
			s.First = c
		}
	}
	return s, nil
}

type answerInput struct {
	Session string `path:"session" maxLength:"64"`
	Body    struct {
		Agent  string `json:"agent" maxLength:"64"`
		Answer string `json:"answer" maxLength:"1024" doc:"the chip's answer with its status, in hexadecimal"`
	}
}

func (s *Server) apiAnswer(ctx context.Context, in *answerInput) (*body[*Next], error) {
	b, err := hex.DecodeString(strings.TrimSpace(in.Body.Answer))
	if err != nil {
		return nil, problem(refuse(CodeEvidence))
	}
	r, err := apdu.ParseResponse(b)
	if err != nil {
		return nil, problem(refuse(CodeEvidence))
	}
	step, err := s.Answer(ctx, in.Session, in.Body.Agent, r)
	if err != nil {
		return nil, problem(err)
	}
	return answered(step.next())
}
