package console

import (
	"crypto"
	"io"
	"net/http/httptest"
	"testing"
	"time"
)

// gone is a key that can be destroyed.
type gone struct {
	crypto.Signer
	destroyed bool
}

func (g *gone) Public() crypto.PublicKey                                  { return nil }
func (g *gone) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, nil }
func (g *gone) Destroy()                                                  { g.destroyed = true }

// Who locks the session while a card is being made leaves it locked: the card is made, and
// nobody else does anything meanwhile.
func TestLockWhileMaking(t *testing.T) {
	c := &Console{config: Config{Now: time.Now, Idle: time.Hour}, sessions: map[string]*session{}}
	key := &gone{}
	w := httptest.NewRecorder()
	c.begin(w, "an", key, nil)
	r := httptest.NewRequest("POST", "/lock", nil)
	r.AddCookie(w.Result().Cookies()[0])
	s := c.of(r)
	used, made := s.use(time.Hour) // by the job
	if used == nil {
		t.Fatal("no key")
	}
	if err := (&request{Request: r, c: c, w: httptest.NewRecorder()}).lock(); err != nil {
		t.Fatal(err)
	}
	if again, _ := s.use(time.Hour); again != nil || !s.locked() {
		t.Error("the session is open")
	}
	if key.destroyed {
		t.Error("the job's key is gone")
	}
	if made(); !key.destroyed {
		t.Error("the key is still there after the job")
	}
}
