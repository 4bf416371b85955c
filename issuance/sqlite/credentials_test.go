package sqlite

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid/credential"
)

// What is kept comes back whole, a place is taken once, and nothing is taken back.
func TestCredentials(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.db")
	if err := CreateCredentials(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := CreateCredentials(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	c, err := OpenCredentials(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	one := credential.Issued{
		Place: credential.Place{List: 1, Index: 700}, Issued: at, Expires: at.AddDate(0, 0, 30),
		Card: verify.CardRef{ID: verify.CardID{7}, Ref: &lds.StatusReference{List: "https://status.example", Index: 9}, Keys: [][32]byte{{1}, {2}}, Country: "VN", DocumentType: "ID"},
	}
	if err := c.Keep(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if err := c.Keep(t.Context(), one); !errors.Is(err, credential.ErrTaken) {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err = OpenCredentials(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []credential.Issued
	err = c.List(t.Context(), 1, func(i credential.Issued) error { got = append(got, i); return nil })
	if err != nil || !reflect.DeepEqual(got, []credential.Issued{one}) {
		t.Errorf("%v\n%+v\n%+v", err, got, one)
	}
	if n, err := c.Count(t.Context(), 1); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := c.Count(t.Context(), 0); n != 0 || err != nil {
		t.Error(n, err)
	}
	stop := errors.New("stop")
	if err := c.List(t.Context(), 1, func(credential.Issued) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	for _, s := range []string{"UPDATE credential SET expires = 0", "DELETE FROM credential"} {
		if _, err := c.db.ExecContext(t.Context(), s); err == nil {
			t.Errorf("%s is done", s)
		}
	}
	if _, err := OpenCredentials(t.Context(), filepath.Join(t.TempDir(), "no")); !errors.Is(err, ledger.ErrMissing) {
		t.Error(err)
	}
}
