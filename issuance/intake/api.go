package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tamthe/tamthe/verify/eid/meter"
)

// Handler is the service over HTTP. Its paths and types are described at /openapi.json
// (OpenAPI 3.1). Bodies are signed octet for octet in both directions, see Header.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	c := huma.DefaultConfig("tamthe intake of applications from portals", "1")
	c.DocsPath, c.CreateHooks = "", nil // its page of documentation loads scripts of others
	api := humago.New(mux, c)
	schema := func(v any) *huma.Schema { return api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "") }
	op := func(method, path, id, what string, out any) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: path, Summary: what, SkipValidateBody: true, MaxBodyBytes: MaxMessage + 1,
			Responses: map[string]*huma.Response{
				"200":     {Description: "Signed by the office", Content: map[string]*huma.MediaType{"application/json": {Schema: schema(out)}}},
				"default": {Description: "Refused: nothing was stored", Content: map[string]*huma.MediaType{"application/json": {Schema: schema(Refusal{})}}},
			},
		}
	}
	huma.Register(api, op(http.MethodPost, "/intake/v1/messages", "take", "A portal files, amends or withdraws a case", Receipt{}), s.apiTake)
	huma.Register(api, op(http.MethodPost, "/intake/v1/events", "events", "A portal asks what became of its cases", Events{}), s.apiEvents)
	huma.Register(api, op(http.MethodGet, "/intake/v1/status/{code}", "status", "Whoever has a receipt asks how its case stands", Status{}), s.apiStatus)
	for path, body := range map[string]any{"/intake/v1/messages": Message{}, "/intake/v1/events": Ask{}} { // huma sees octets only
		api.OpenAPI().Paths[path].Post.RequestBody.Content["application/json"].Schema = schema(body)
	}
	mux.HandleFunc("GET /intake/v1/keys", func(w http.ResponseWriter, _ *http.Request) {
		keys, err := s.Keys()
		if err != nil {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Write(keys)
	})
	mux.HandleFunc("GET /healthz", s.health)
	return bounded(mux)
}

// health says ok where a message could be stored.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if _, err := s.c.Store.Followed(r.Context()); err != nil {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ok\n")
}

// bounded reads the body before anybody judges it: one that is too long is refused by this
// package's code.
func bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxMessage))
		if err != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			io.WriteString(w, `{"code":"`+string(CodeSize)+`"}`+"\n")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		h.ServeHTTP(w, r)
	})
}

// Problem is a refusal as the service tells it.
type Problem struct {
	status int
	Refusal
}

// GetStatus is its HTTP status.
func (p *Problem) GetStatus() int { return p.status }

// answer is what the service says, octet for octet.
type answer struct {
	ContentType string `header:"Content-Type"`
	Signature   string `header:"Intake-Signature"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

func (s *Server) answered(what string, out Signed, err error) (*answer, error) {
	if r, ok := errors.AsType[*Refusal](err); ok {
		status, ok := statuses[r.Code]
		if !ok {
			status = http.StatusBadRequest
		}
		s.c.Log.Info("refused", "what", what, "code", string(r.Code))
		return nil, &Problem{status, *r}
	}
	if err != nil {
		s.c.Log.Error("failed", "what", what, "err", err)
		return nil, &Problem{http.StatusServiceUnavailable, Refusal{Code: CodeDown}}
	}
	return &answer{"application/json", out.Signature, "no-store", out.Body}, nil
}

// network is where a call comes from: an address, or of IPv6 the half that names the network.
type network struct{ name string }

// Resolve reads it off the connection.
func (n *network) Resolve(ctx huma.Context) []error {
	n.name = meter.Network(ctx.RemoteAddr())
	return nil
}

type signedInput struct {
	network
	Signature string `header:"Intake-Signature" doc:"JSON Web Signature with detached content (RFC 7515 Appendix F), ES256 or EdDSA; kid is the portal"`
	RawBody   []byte `contentType:"application/json"`
}

func (s *Server) apiTake(ctx context.Context, in *signedInput) (*answer, error) {
	out, err := s.Take(ctx, in.name, Signed{in.RawBody, in.Signature})
	return s.answered("message", out, err)
}

func (s *Server) apiEvents(ctx context.Context, in *signedInput) (*answer, error) {
	out, err := s.Events(ctx, in.name, Signed{in.RawBody, in.Signature})
	return s.answered("events", out, err)
}

type statusInput struct {
	network
	Code string `path:"code"`
}

func (s *Server) apiStatus(ctx context.Context, in *statusInput) (*answer, error) {
	out, err := s.Status(ctx, in.name, in.Code)
	return s.answered("status", out, err)
}
