package main

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/credential"
)

// The files of derived credentials, in the folder of the service.
const (
	credentialKey    = "credentials"
	credentialsStore = "credentials.db"
)

// errNoStatus means that nobody tells this service how cards stand.
var errNoStatus = errors.New("credentials follow their cards, and nobody tells here how these stand")

// credentialDesk issues credentials beside a service of e-authentication; nil if it does not.
type credentialDesk struct {
	desk  *credential.Desk
	store *sqlite.Credentials
}

// credentialDesk puts the desk into the service that c describes. Key and record are made on
// first use.
func (o serveEIDOptions) credentialDesk(ctx context.Context, p *program, c *eid.Config) (*credentialDesk, error) {
	if !o.credentials {
		return nil, nil
	}
	if c.Options.Status == nil {
		return nil, hint(errNoStatus, "run it with the ledger's home, or with lists of card status in the trust folder")
	}
	keys := keystore.Folder{Dir: o.dir}
	key, err := keys.Signer(ctx, credentialKey)
	if errors.Is(err, keystore.ErrMissing) {
		if _, err = keys.Generate(ctx, credentialKey, "P-256"); err == nil {
			key, err = keys.Signer(ctx, credentialKey)
		}
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(o.dir, credentialsStore)
	store, err := sqlite.OpenCredentials(ctx, path)
	if errors.Is(err, ledger.ErrMissing) {
		if err = sqlite.CreateCredentials(ctx, path); err == nil {
			store, err = sqlite.OpenCredentials(ctx, path)
		}
	}
	if err != nil {
		return nil, err
	}
	issuer, err := credential.New(credential.Config{URL: c.URL, Key: key, Store: store, Status: c.Options.Status, Specimen: c.Options.Specimen, Now: p.now})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	d := &credentialDesk{credential.NewDesk(issuer), store}
	c.Parties = append(c.Parties, d.desk.Party())
	c.Options.Status, c.Store = d.desk.Follow(c.Options.Status), d.desk.Watch(c.Store)
	return d, nil
}

// beside serves the desk's paths, and all others by the service's own handler.
func (d *credentialDesk) beside(s *eid.Server, h http.Handler) http.Handler {
	if d == nil {
		return h
	}
	d.desk.Open(s)
	mux, own := http.NewServeMux(), d.desk.Handler()
	mux.Handle("/credential/", own)
	mux.Handle("/.well-known/jwt-vc-issuer", own)
	mux.Handle("/", h)
	return mux
}

func (d *credentialDesk) close() {
	if d != nil {
		_ = d.store.Close() // each entry was on the disk when it was kept
	}
}
