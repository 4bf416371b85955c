package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func TestLife(t *testing.T) {
	s, v := ledgertest.LogKey(t)
	dir := t.TempDir()
	l, err := sqlite.Create(t.Context(), filepath.Join(dir, "ledger.db"), ledgertest.Origin, sqlite.Options{Signer: s, Verifier: v, Checkpoints: filepath.Join(dir, "checkpoints")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.IssueCard(t, "A-1", "C-1", "ann", "")
	o.IssueCard(t, "A-2", "C-2", "ann", "C-1")
	r, err := l.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Error(f)
	}
	t.Log(r.Size)
}
