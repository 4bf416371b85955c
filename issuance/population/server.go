package population

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// Source is what a register knows, and the book of who asked. A program may answer for many
// goroutines at once.
type Source interface {
	// Find is the record of a number; ErrNoSuchPerson.
	Find(ctx context.Context, n vn.Number) (Record, error)
	// Asked writes down that a question was asked and whether it was confirmed, before the
	// answer leaves. A request that was another question, be it by a letter, is ErrReused.
	Asked(ctx context.Context, q Query, at time.Time, confirmed bool) error
	// Confirmed is the number of whom a unit's request confirmed; ErrNoSuchPerson.
	Confirmed(ctx context.Context, unit, request string) (vn.Number, error)
}

// ErrReused means that a request's name was used for a question about somebody else.
var ErrReused = errors.New("the request was another question")

// Server answers questions in both shapes: SOAP at /soap, OSIA at /osia/v1/persons.
type Server struct {
	Source   Source
	URL      string            // at which accounts reach it, before /soap
	Accounts map[string]Secret // of SOAP: the secret of each account
	Tokens   []Secret          // of OSIA
	Now      func() time.Time
}

// window is how far an account's clock may be off.
const window = 5 * time.Minute

// Handler is the register as a web service.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /soap", s.soap)
	mux.HandleFunc("POST /osia/v1/persons", s.osiaFind)
	mux.HandleFunc("GET /osia/v1/persons/{id}", s.osiaPerson)
	mux.HandleFunc("GET /osia/v1/persons/{id}/reference", s.osiaReference)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	return mux
}

// confirm answers one question and has it written down.
func (s *Server) confirm(ctx context.Context, q Query) (Record, error) {
	if err := q.Check(); err != nil {
		return Record{}, err
	}
	r, err := s.Source.Find(ctx, q.Number)
	if err == nil && !r.Confirms(q) {
		err = ErrNoSuchPerson
	}
	if err != nil && !errors.Is(err, ErrNoSuchPerson) {
		return Record{}, err
	}
	if err := s.Source.Asked(ctx, q, s.Now(), err == nil); err != nil {
		return Record{}, err
	}
	return r, err
}
