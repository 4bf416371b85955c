package desk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// fronting is the ledger as the service sees it: behind what the context says, if it says so.
type fronting struct{ *sqlite.Ledger }

type frontKey struct{}

func (f *fronting) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	if front, ok := ctx.Value(frontKey{}).(Store); ok {
		return front.Append(ctx, at, e...)
	}
	return f.Ledger.Append(ctx, at, e...)
}

// fronted asks the service while something stands before its ledger.
type fronted struct {
	service *signing.Service
	front   Store
}

func (f fronted) Sign(ctx context.Context, r *signing.Request) ([]byte, error) {
	return f.service.Sign(context.WithValue(ctx, frontKey{}, f.front), r)
}

// pin enrols the service's key and tells it which log it serves.
func (r *rig) pin(t testing.TB) {
	t.Helper()
	ring := keystore.Folder{Dir: r.path("keys")}
	key := must(ring.Generate(t.Context(), "signer", "P-256"))(t)
	check(t, signing.Create(r.path("signer"), must(r.an.EnrolService(t.Context(), key.Public(), "service"))(t)))
	r.openService(t)
	r.an.Signing, r.binh.Signing = r.service, r.service
}

// openService opens the service if it was pinned.
func (r *rig) openService(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(r.path("signer")); errors.Is(err, fs.ErrNotExist) {
		return
	}
	ring := keystore.Folder{Dir: r.path("keys")}
	r.service = must(signing.Open(r.path("signer"), signing.Options{
		Log: &fronting{r.store}, Operator: must(ring.Signer(t.Context(), "signer"))(t), Keys: ring, PKI: os.DirFS(r.path("pki")), Status: statusList,
		CardKeys: CardKeys(gp.AESMaster(r.master)), Documents: Documents(), Imported: true, Now: func() time.Time { return r.now },
	}))(t)
}
