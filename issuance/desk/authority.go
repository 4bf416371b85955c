package desk

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/verify/durable"
)

var (
	// ErrNoCSCA means that the authority has no certified root yet.
	ErrNoCSCA = errors.New("there is no CSCA yet")
	// ErrNoSigner means that no document signer can sign the card: there is none, it was
	// revoked, or its time of use does not hold today and the day of issue that the
	// application asks for.
	ErrNoSigner = signing.ErrNoSigner
)

// Authority is where the issuer's keys and certificates are.
type Authority struct {
	Keys keystore.Ring // nil: there are none
	PKI  string        // folder of NAME.cer and NAME.crl as issued
}

// The names of the authority's keys: csca, csca-002, ds-001, ds-002, mls-001, cvca-001 …
const (
	cscaName        = "csca"
	cscaPrefix      = "csca-"
	signerPrefix    = "ds-"
	masterPrefix    = "mls-"
	deviationPrefix = "dls-"
	cvcaPrefix      = "cvca-"
	verifierPrefix  = "dv-"
)

// What the authority signs, as entries name it.
const (
	objectCertificate = "certificate"
	objectCRL         = "crl"
	objectLink        = "link"
	objectMasterList  = "master-list"
	objectDeviations  = "deviation-list"
	objectCV          = "cv-certificate"
	objectCVLink      = "cv-link"
)

// key opens a key of the authority; the caller forgets it.
func (a Authority) key(ctx context.Context, name string) (crypto.Signer, error) {
	if a.Keys == nil {
		return nil, fmt.Errorf("open key %s: this office has no keys: %w", name, keystore.ErrMissing)
	}
	return a.Keys.Signer(ctx, name)
}

// publish puts what was issued into the folder of certificates, whole or not at all, and
// on the disk when it returns.
func (a Authority) publish(name string, der []byte) error {
	if err := durable.Replace(filepath.Join(a.PKI, name), der, 0o644); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	return nil
}

// certificate reads the certificate of a key, if it is the one that the ledger says was
// issued for it: one put in its place is issuance.ErrChanged. A key that has none yet is
// fs.ErrNotExist.
func (o *Office) certificate(ctx context.Context, name string) (*cert.Certificate, error) {
	b, err := o.issued(ctx, issuance.Key(name), objectCertificate, name+".cer")
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", name, err)
	}
	return cert.Parse(b)
}

// issued reads what was issued last of a kind on a stream from the file that it was published
// in; other octets there are issuance.ErrChanged, and fs.ErrNotExist says that there was
// nothing issued, or that the file is gone.
func (o *Office) issued(ctx context.Context, stream issuance.StreamID, object, file string) ([]byte, error) {
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	issued := ""
	for _, e := range entries {
		if e.Act == issuance.Issue && e.Fields["object"] == object {
			issued = e.Fields["issued"]
		}
	}
	if issued == "" {
		return nil, fs.ErrNotExist
	}
	b, err := os.ReadFile(filepath.Join(o.Authority.PKI, file))
	if err != nil {
		return nil, err
	}
	if digest(b) != issued {
		return nil, fmt.Errorf("%s is not the one that was issued: %w", file, issuance.ErrChanged)
	}
	return b, nil
}

// certifier is a certificate and the key to sign under it.
type certifier struct {
	name   string
	issuer *ca.Issuer
	key    crypto.Signer
}

// forget wipes the key where it is one that can be wiped.
func (s *certifier) forget() { forget(s.key) }

func forget(key crypto.Signer) {
	if k, ok := key.(interface{ Destroy() }); ok {
		k.Destroy()
	}
}

// signer opens a certified key of the authority, which signs in the time of its use; the
// caller forgets it.
func (o *Office) signer(ctx context.Context, name string) (*certifier, error) {
	c, err := o.certificate(ctx, name)
	if err != nil {
		return nil, err
	}
	key, err := o.Authority.key(ctx, name)
	if err != nil {
		return nil, err
	}
	issuer, err := ca.NewIssuer(c)
	if err != nil {
		forget(key)
		return nil, err
	}
	p := ca.UsagePeriod(c)
	return &certifier{name, issuer, keystore.During(key, p.NotBefore, p.NotAfter, o.Now)}, nil
}

// root opens the CSCA that signs today: see generations.
func (o *Office) root(ctx context.Context) (*certifier, error) {
	all, err := o.generations(ctx)
	if err != nil {
		return nil, err
	}
	name := all.current(o.Now())
	if name == "" {
		return nil, ErrNoCSCA
	}
	return o.signer(ctx, name)
}

// certified reports whether the key's certificate was issued.
func certified(key issuance.Subject) bool { return len(key.Actors[issuance.Issue]) > 0 }

// newestSigner names the document signer that signs today for cards issued on the day.
func (o *Office) newestSigner(ctx context.Context, issued time.Time) (string, error) {
	list, err := o.Store.List(ctx, issuance.KindKey, issuance.InUse)
	if err != nil {
		return "", err
	}
	why := ErrNoSigner
	for _, s := range slices.Backward(list) {
		if !strings.HasPrefix(s.Stream.ID, signerPrefix) {
			continue
		}
		c, err := o.certificate(ctx, s.Stream.ID)
		if err != nil {
			return "", err
		}
		p := ca.UsagePeriod(c)
		switch {
		case !p.Covers(o.Now()):
		case !signing.AroundDay(p, issued):
			why = fmt.Errorf("%w for cards issued on %s: cancel the application and enrol again", ErrNoSigner, issued.Format(time.DateOnly))
		default:
			return s.Stream.ID, nil
		}
	}
	return "", why
}

// signsToday makes sure that a document signer is neither revoked nor out of its time.
func (o *Office) signsToday(ctx context.Context, name string) error {
	s, err := issuance.Load(ctx, o.Store, issuance.Key(name))
	if err != nil {
		return err
	}
	if phase := s.Subject(issuance.Key(name)).Phase; phase != issuance.InUse {
		return fmt.Errorf("%w: %s is %s", ErrNoSigner, name, phase)
	}
	c, err := o.certificate(ctx, name)
	if err != nil {
		return err
	}
	if !ca.UsagePeriod(c).Covers(o.Now()) {
		return fmt.Errorf("%w: the time of %s is over", ErrNoSigner, name)
	}
	return nil
}
