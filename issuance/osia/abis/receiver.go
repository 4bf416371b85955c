package abis

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"
)

// CallbackPath is where a register calls back, before the secret of the question.
const CallbackPath = "/abis/v1/callbacks/"

// Receiver takes what a register answers later. Who calls must know the question's secret, and
// its names on both sides; the answer is stored, sealed, and acted on by an operator only.
type Receiver struct {
	Store Store
	// Seal seals an answer under keys that are destroyed with the application's biometrics.
	Seal func(ctx context.Context, q Question, answer []byte) ([]byte, error)
	Now  func() time.Time
	Log  *slog.Logger // nil: silent
}

// Handler is the receiver over HTTP: POST CallbackPath + secret.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+CallbackPath+"{secret}", r.called)
	return mux
}

func (r *Receiver) called(w http.ResponseWriter, req *http.Request) {
	q, err := r.Store.Called(req.Context(), sha256.Sum256([]byte(req.PathValue("secret"))))
	if err == nil && (req.URL.Query().Get("transactionId") != q.ID || !isID(req.URL.Query().Get("taskId")) || q.Task != "" && q.Task != req.URL.Query().Get("taskId")) {
		err = ErrUnknown
	}
	if errors.Is(err, ErrUnknown) {
		r.refuse(w, "nobody asked")
		return
	}
	if err == nil {
		err = r.take(w, req, q)
	}
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, ErrAnswered), errors.Is(err, ErrAnswer):
		r.refuse(w, err.Error())
	default:
		r.log().Error("an answer could not be stored", "err", err)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		json.NewEncoder(w).Encode(wireError{http.StatusInternalServerError, "the answer was not stored; send it again"})
	}
}

// take stores an answer, once.
func (r *Receiver) take(w http.ResponseWriter, req *http.Request, q Question) error {
	b, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MaxAnswer))
	if err != nil {
		return ErrAnswer
	}
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil {
		return ErrAnswer
	}
	to, sealed := Answered, []byte(nil)
	switch kind {
	case "application/error+json":
		to = Failed
	case "application/json":
		if err := check(q.Op, b); err != nil {
			return err
		}
		if q.Op == Identify && q.State == Open {
			if sealed, err = r.Seal(req.Context(), q, b); err != nil {
				return err
			}
		}
	default:
		return ErrAnswer
	}
	q.Task = req.URL.Query().Get("taskId")
	taken, err := r.Store.Answer(req.Context(), q, to, sha256.Sum256(b), sealed, r.Now())
	if err == nil && taken {
		r.log().Info("answered", "question", q.ID, "op", string(q.Op), "state", string(to))
	}
	return err
}

func (r *Receiver) refuse(w http.ResponseWriter, why string) {
	r.log().Info("an answer was refused", "why", why)
	w.WriteHeader(http.StatusForbidden)
}

func (r *Receiver) log() *slog.Logger {
	if r.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Log
}
