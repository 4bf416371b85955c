package signing

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// What the authority issues, as the log names it.
const (
	objectCertificate = "certificate"
	objectCRL         = "crl"
	objectCV          = "cv-certificate"
)

// AroundDay says whether some moment of the day lies in the period, with a day to spare on
// both sides as the checkpoint has it: a signed day of issue has no time and no zone.
func AroundDay(p cert.Period, day time.Time) bool {
	return !day.AddDate(0, 0, 2).Before(p.NotBefore) && !day.AddDate(0, 0, -1).After(p.NotAfter)
}

// signer is a document signer that may sign now.
type signer struct {
	name        string
	certificate *cert.Certificate
	next        int // the number of its next use
}

// newest finds the document signer that signs a card of a day of issue now, the last one
// made that has a use left.
func (s *Service) newest(issued time.Time) (*signer, error) {
	why := ErrNoSigner
	for _, name := range slices.Backward(s.view.signers) {
		c, err := s.signs(name, issued)
		if errors.Is(err, ErrNoSigner) {
			why = err
			continue
		}
		if err != nil {
			return nil, err
		}
		next := s.view.used[name] + 1
		if limit := s.view.book.Subject(issuance.Key(name)).Cap(); uint64(next) > limit {
			why = fmt.Errorf("%w: %s, %d of them", ErrCap, name, limit)
			continue
		}
		return &signer{name, c, next}, nil
	}
	return nil, why
}

// signs returns the certificate of a document signer that may sign a card of a day of issue
// now: in use, within its time, and the certificate the one that was issued for it.
func (s *Service) signs(name string, issued time.Time) (*cert.Certificate, error) {
	if phase := s.view.book.Subject(issuance.Key(name)).Phase; phase != issuance.InUse {
		return nil, fmt.Errorf("%w: %s is %s", ErrNoSigner, name, phase)
	}
	der, err := s.published(object{name, objectCertificate}, name+".cer")
	if err != nil {
		return nil, err
	}
	c, err := cert.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", name, err)
	}
	switch p := ca.UsagePeriod(c); {
	case !p.Covers(s.o.Now()):
		return nil, fmt.Errorf("%w: the time of %s does not hold now", ErrNoSigner, name)
	case !AroundDay(p, issued):
		return nil, fmt.Errorf("%w for cards issued on %s: cancel the application and enrol again", ErrNoSigner, issued.Format(time.DateOnly))
	}
	return c, nil
}

// issuer is the certificate to sign under with its throwaway key, made once.
func (s *Service) issuer(c *cert.Certificate) (*ca.Issuer, error) {
	name := string(c.Raw)
	if i, ok := s.issuers[name]; ok {
		return i, nil
	}
	i, err := ca.NewIssuer(c)
	if err == nil {
		s.issuers[name] = i
	}
	return i, err
}

// published reads what was issued, if it is what the log says was issued last: a file put
// in its place is issuance.ErrChanged.
func (s *Service) published(what object, file string) ([]byte, error) {
	want, ok := s.view.issued[what]
	if !ok {
		return nil, fmt.Errorf("%s of %s: %w", what.kind, what.key, fs.ErrNotExist)
	}
	der, err := fs.ReadFile(s.o.PKI, file)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", what.kind, what.key, err)
	}
	if sum := sha256.Sum256(der); hex.EncodeToString(sum[:]) != want.digest {
		return nil, fmt.Errorf("%s of %s is not the one that was issued: %w", what.kind, what.key, issuance.ErrChanged)
	}
	return der, nil
}

// Ages of a revocation list (Doc 9303-12 §7.1.4 and table 2): it is good for ninety days at
// the most, and tells a revocation within two.
const (
	oldest   = 90 * 24 * time.Hour
	soonest  = 48 * time.Hour
	alarming = 0.8
)

// checkCRL refuses to sign under an authority whose list of revocations is stale, and warns
// before it is.
func (s *Service) checkCRL(c *cert.Certificate) error {
	l, index, err := s.newestCRL()
	if err != nil {
		return err
	}
	now, age := s.o.Now(), s.o.Now().Sub(l.ThisUpdate)
	life := oldest
	if !l.NextUpdate.IsZero() {
		life = min(life, l.NextUpdate.Sub(l.ThisUpdate))
	}
	switch {
	case age > life:
		return fmt.Errorf("%w: it was due on %s", ErrStaleCRL, l.ThisUpdate.Add(life).Format(time.DateOnly))
	case age < -time.Hour:
		return fmt.Errorf("%w: it is of %s, which is to come", ErrStaleCRL, l.ThisUpdate.Format(time.DateTime))
	}
	for _, r := range s.view.revoked { // each: one of today does not hide one of last week
		if r.index > index && now.Sub(r.time) > soonest {
			return fmt.Errorf("%w: it does not tell the revocation of %s", ErrStaleCRL, r.time.Format(time.DateOnly))
		}
	}
	if _, listed := l.Lookup(c.Serial); listed {
		return fmt.Errorf("%w: the revocation list has it", ErrNoSigner)
	}
	if float64(age) > alarming*float64(life) {
		s.o.Logger.Warn("the revocation list is due soon", "age", age.Round(time.Hour), "due", l.ThisUpdate.Add(life))
	}
	return nil
}

// crlFile is where the newest revocation list is, whichever key signed it.
const crlFile = "csca.crl"

// newestCRL is the list that was issued last, by a key that is still in use, and its place
// in the log.
func (s *Service) newestCRL() (*cert.CRL, int64, error) {
	var newest object
	at := int64(-1)
	for what, p := range s.view.issued {
		revoked := s.view.book.Subject(issuance.Key(what.key)).Phase == issuance.Revoked
		if what.kind == objectCRL && !revoked && p.index > at {
			newest, at = what, p.index
		}
	}
	if at < 0 {
		return nil, 0, fmt.Errorf("%w: none was issued", ErrStaleCRL)
	}
	der, err := s.published(newest, crlFile)
	if err != nil {
		return nil, 0, err
	}
	l, err := cert.ParseCRL(der)
	return l, at, err
}

func forget(key crypto.Signer) {
	if k, ok := key.(interface{ Destroy() }); ok {
		k.Destroy()
	}
}
