package desk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/keystore/helpertest"
	"github.com/tamthe/tamthe/issuance/keystore/pkcs11"
	"github.com/tamthe/tamthe/issuance/keystore/softhsmtest"
)

func TestMain(m *testing.M) {
	helpertest.Run()
	os.Exit(m.Run())
}

// unpublished makes sure that a certification that failed left nothing that could be taken
// for a certificate, in the folder or in the ledger.
func (r *rig) unpublished(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(r.path("pki", name+".cer")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s.cer: %v", name, err)
	}
	k, err := r.an.Key(t.Context(), name)
	if err == nil && k.Phase != issuance.Generated && k.Phase != issuance.Preparing || err != nil && !errors.Is(err, ErrUnknown) {
		t.Errorf("%s is %s, %v", name, k.Phase, err)
	}
}

// TestBadHolder: the holder of the root's key hangs, lies, breaks off, mixes its keys up,
// or has lost them (fault F13). Nothing of it is published or recorded as issued; once it
// behaves again, the same call goes on, and everything that was issued verifies.
func TestBadHolder(t *testing.T) {
	ctx := t.Context()
	h := helpertest.New(t)
	x := &keystore.Exec{Program: h.Program, Timeout: time.Minute}
	t.Cleanup(func() { _ = x.Close() })
	r := newOffice(t)
	r.an.Authority.Keys = x
	_, err := x.Generate(ctx, "other", "P-384")
	check(t, err)
	check(t, r.an.MakeCSCA(ctx, r.csca(), "P-384"))
	for i, f := range []struct {
		mode string
		want error
	}{
		{helpertest.Silent, keystore.ErrTimeout},
		{helpertest.Wrong, keystore.ErrSignature},
		{helpertest.Swapped, keystore.ErrSignature},
		{helpertest.Dies, keystore.ErrHelper},
		{helpertest.Refuses, keystore.ErrRefused},
	} {
		name := []string{"ds-001", "ds-002", "ds-003", "ds-004", "ds-005"}[i]
		h.Behave(t, f.mode)
		if f.mode == helpertest.Silent {
			x.Timeout = time.Second
		}
		_, err := r.an.MakeSigner(ctx, r.signer(), "P-256")
		wantError(t, f.mode, err, f.want)
		r.unpublished(t, name)
		x.Timeout = time.Minute
		h.Behave(t, helpertest.Good)
		got, err := r.an.MakeSigner(ctx, r.signer(), "P-256")
		if err != nil || got != name {
			t.Errorf("after %s: %q, %v", f.mode, got, err)
		}
	}
	check(t, r.an.MakeCRL(ctx, 90))
	check(t, x.Destroy(ctx, "csca"))
	_, err = r.an.MakeSigner(ctx, r.signer(), "P-256")
	wantError(t, "its key is gone", err, keystore.ErrMissing)
	r.unpublished(t, "ds-006")
	r.verifies(t, "ds-001", "ds-002", "ds-003", "ds-004", "ds-005")
}

// verifies checks that the root signed each certificate.
func (r *rig) verifies(t *testing.T, names ...string) {
	t.Helper()
	root := must(cert.Parse(must(os.ReadFile(r.path("pki", "csca.cer")))(t)))(t)
	for _, name := range append(names, "csca") {
		c := must(cert.Parse(must(os.ReadFile(r.path("pki", name+".cer")))(t)))(t)
		if err := c.CheckSignature(root.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestToken: an authority in a hardware token, on the curve of Vietnam's CSCA. The token is
// taken away in the middle of a batch and put back, and a document signer that is done is
// destroyed there for good.
func TestToken(t *testing.T) {
	ctx := t.Context()
	hsm := softhsmtest.New(t, "authority")
	m := &pkcs11.Modules{}
	t.Cleanup(func() { _ = m.Close() })
	token := must(m.Open(ctx, must(pkcs11.ParseURI(hsm.URI()))(t), pkcs11.Options{}))(t)
	r := newOffice(t)
	r.an.Authority.Keys = token
	check(t, r.an.MakeCSCA(ctx, r.csca(), "brainpoolP384r1"))
	ds := must(r.an.MakeSigner(ctx, r.signer(), "brainpoolP256r1"))(t)

	hsm.Away(t, true)
	_, err := r.an.MakeSigner(ctx, r.signer(), "P-256")
	wantError(t, "the token is away", err, pkcs11.ErrToken)
	r.unpublished(t, "ds-002")
	check(t, os.Remove(hsm.Dir+"/tokens"))
	hsm.Away(t, false)
	name, err := "", pkcs11.ErrToken
	for end := time.Now().Add(time.Minute); errors.Is(err, pkcs11.ErrToken) && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		name, err = r.an.MakeSigner(ctx, r.signer(), "RSA-2048")
	}
	if err != nil || name != "ds-002" {
		t.Fatalf("%q, %v", name, err)
	}
	check(t, r.an.MakeCRL(ctx, 90))
	r.verifies(t, "ds-001", "ds-002")

	check(t, r.an.CheckKey(ctx, ds))
	alone := *r.an
	alone.Second = nil
	wantError(t, "one custodian destroys it", alone.DestroyKey(ctx, ds, "spent"), issuance.ErrFourEyes)
	cut := &interrupted{Ring: token}
	r.an.Authority.Keys = cut
	wantError(t, "cut short", r.an.DestroyKey(ctx, ds, "spent"), errFault)
	if k := must(r.an.Key(ctx, ds))(t); k.Phase != issuance.Destroyed || k.Algorithm != "brainpoolp256r1" || k.From.IsZero() {
		t.Errorf("%+v", k)
	}
	r.an.Authority.Keys = token
	check(t, r.an.CheckKey(ctx, ds)) // it is still there
	for range 2 {
		check(t, r.an.DestroyKey(ctx, ds, "spent"))
	}
	wantError(t, "destroyed", r.an.CheckKey(ctx, ds), keystore.ErrMissing)

	// Somebody puts another key in a key's place.
	check(t, token.Destroy(ctx, "ds-002"))
	_, err = token.Generate(ctx, "ds-002", "RSA-2048")
	check(t, err)
	wantError(t, "another key", r.an.CheckKey(ctx, "ds-002"), issuance.ErrChanged)
}

// interrupted is a ring whose first destruction does not happen.
type interrupted struct{ keystore.Ring }

func (i *interrupted) Destroy(context.Context, string) error { return errFault }

// TestKeyPeriod: a certified key signs in the time of its use only, by the desk's clock.
func TestKeyPeriod(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := newRig(t)
	s := must(r.an.signer(ctx, "ds-001"))(t)
	defer s.forget()
	p := ca.UsagePeriod(s.issuer.Certificate)
	for at, want := range map[time.Time]error{
		p.NotBefore: nil, p.NotAfter: nil, p.NotBefore.Add(-time.Second): keystore.ErrPeriod, p.NotAfter.Add(time.Second): keystore.ErrPeriod,
	} {
		r.now = at
		_, err := cert.SignMessage(s.key, must(cert.DefaultAlgorithm(s.key.Public()))(t), []byte("an object"))
		wantError(t, at.String(), err, want)
	}
}
