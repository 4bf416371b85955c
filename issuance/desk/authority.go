package desk

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// ErrNoSigner means that no document signer can sign today: there is none, its time of
// use is over, or it was revoked.
var ErrNoSigner = errors.New("no document signer is in use")

// Authority is where the issuer's keys and certificates are.
type Authority struct {
	Keys string // folder of key files
	PKI  string // folder of NAME.cer and NAME.crl as issued
}

// The names of the authority's keys: csca, ds-001, ds-002 …
const (
	cscaName   = "csca"
	signerName = "ds-%03d"
)

func (a Authority) key(name string) (crypto.Signer, error) {
	return keystore.Open("file:" + filepath.Join(a.Keys, name))
}

func (a Authority) certificate(name string) (*cert.Certificate, error) {
	b, err := os.ReadFile(filepath.Join(a.PKI, name+".cer"))
	if err != nil {
		return nil, err
	}
	return cert.Parse(b)
}

// signing is a certificate and the key to sign under it.
type signing struct {
	issuer *ca.Issuer
	key    crypto.Signer
}

func (o *Office) signer(_ context.Context, name string) (*signing, error) {
	c, err := o.Authority.certificate(name)
	if err != nil {
		return nil, err
	}
	key, err := o.Authority.key(name)
	if err != nil {
		return nil, err
	}
	issuer, err := ca.NewIssuer(c)
	if err != nil {
		return nil, err
	}
	return &signing{issuer, key}, nil
}

// newestSigner names the document signer that signs today.
func (o *Office) newestSigner(ctx context.Context) (string, error) {
	list, err := o.Store.List(ctx, issuance.KindKey, issuance.InUse)
	if err != nil {
		return "", err
	}
	now := o.Now()
	for _, s := range slices.Backward(list) {
		if !strings.HasPrefix(s.Stream.ID, "ds-") {
			continue
		}
		c, err := o.Authority.certificate(s.Stream.ID)
		if err != nil {
			return "", err
		}
		if inUse(c, now) {
			return s.Stream.ID, nil
		}
	}
	return "", ErrNoSigner
}

func inUse(c *cert.Certificate, now time.Time) bool {
	from, until := c.NotBefore, c.NotAfter
	if p := c.PrivateKeyUsage; p != nil {
		if !p.NotBefore.IsZero() {
			from = p.NotBefore
		}
		if !p.NotAfter.IsZero() {
			until = p.NotAfter
		}
	}
	return !now.Before(from) && !now.After(until)
}

// MakeCSCA makes the root: its key, and its certificate in the folder of certificates.
// There can be one in this version.
func (o *Office) MakeCSCA(ctx context.Context, r ca.CSCA, algorithm string) error {
	return o.certify(ctx, cscaName, "csca", "", algorithm, func(pub crypto.PublicKey, serial *big.Int) (*ca.Draft, error) {
		r.Key, r.Serial = pub, serial
		return ca.PrepareCSCA(r)
	})
}

// MakeSigner makes the next document signer and returns its name.
func (o *Office) MakeSigner(ctx context.Context, r ca.Signer, algorithm string) (string, error) {
	list, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return "", err
	}
	n := 1
	for _, s := range list {
		if strings.HasPrefix(s.Stream.ID, "ds-") {
			n++
		}
	}
	name := fmt.Sprintf(signerName, n)
	root, err := o.signer(ctx, cscaName)
	if err != nil {
		return "", err
	}
	return name, o.certify(ctx, name, "ds", cscaName, algorithm, func(pub crypto.PublicKey, serial *big.Int) (*ca.Draft, error) {
		r.Key, r.Serial = pub, serial
		if r.CommonName == "" {
			r.CommonName = "DS " + name[len("ds-"):]
		}
		return root.issuer.PrepareSigner(r)
	})
}

// certify makes a key and has it certified by the issuer's key, or by itself: what will be
// signed stands in the ledger before it is signed.
func (o *Office) certify(ctx context.Context, name, usage, issuer, algorithm string, prepare func(crypto.PublicKey, *big.Int) (*ca.Draft, error)) error {
	stream := issuance.Key(name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if sub := s.state.Subject(stream); sub.Phase != issuance.Absent {
		return &issuance.TransitionError{Stream: stream, Phase: sub.Phase, Act: issuance.Generate, Possible: issuance.Possible(issuance.KindKey, sub.Phase)}
	}
	key, err := keystore.Generate(filepath.Join(o.Authority.Keys, name), algorithm)
	if err != nil {
		return err
	}
	spki, err := cert.MarshalPublicKey(key.Public(), false)
	if err != nil {
		return err
	}
	serial := ca.NewSerial()
	draft, err := prepare(key.Public(), serial)
	if err != nil {
		return err
	}
	signing := key
	if issuer != "" {
		if signing, err = o.Authority.key(issuer); err != nil {
			return err
		}
	} else {
		issuer = name
	}
	tbs := draft.Digest()
	err = s.add(stream, issuance.Generate, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"usage": usage, "algorithm": strings.ToLower(algorithm), "public": digest(spki)}
		return nil
	})
	if err != nil {
		return err
	}
	err = s.add(stream, issuance.Prepare, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"object": "certificate", "tbs": hex.EncodeToString(tbs[:]), "issuer": issuer}
		e.Claims = []issuance.Claim{{Kind: issuance.ClaimCertSerial, Value: issuer + ":" + serial.Text(16)}}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	der, err := draft.Issue(signing)
	if err != nil {
		return err
	}
	if err := o.publish(name+".cer", der); err != nil {
		return err
	}
	return o.issued(ctx, stream, "certificate", tbs, der)
}

// issued records that what was prepared is signed.
func (o *Office) issued(ctx context.Context, stream issuance.StreamID, object string, tbs [32]byte, der []byte) error {
	return o.do(ctx, stream, issuance.Issue, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"object": object, "tbs": hex.EncodeToString(tbs[:]), "issued": digest(der)}
		return nil
	})
}

// MakeCRL issues the next revocation list of the CSCA, with the signers of the names
// revoked from now on besides those that were before.
func (o *Office) MakeCRL(ctx context.Context, days int, revoke ...string) error {
	for _, name := range revoke {
		err := o.do(ctx, issuance.Key(name), issuance.Revoke, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"reason": "revoked"}
			return nil
		})
		if err != nil {
			return err
		}
	}
	root, err := o.signer(ctx, cscaName)
	if err != nil {
		return err
	}
	stream := issuance.Key(cscaName)
	number, err := o.lists(ctx, stream)
	if err != nil {
		return err
	}
	entries, err := o.revocations(ctx)
	if err != nil {
		return err
	}
	draft, err := root.issuer.PrepareCRL(ca.CRL{Number: big.NewInt(number + 1), At: o.Now().UTC().Truncate(time.Second), Days: days, Entries: entries})
	if err != nil {
		return err
	}
	tbs := draft.Digest()
	err = o.do(ctx, stream, issuance.Prepare, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"object": "crl", "tbs": hex.EncodeToString(tbs[:]), "issuer": cscaName}
		return nil
	})
	if err != nil {
		return err
	}
	der, err := draft.Issue(root.key)
	if err != nil {
		return err
	}
	if err := o.publish(cscaName+".crl", der); err != nil {
		return err
	}
	return o.issued(ctx, stream, "crl", tbs, der)
}

// lists counts the revocation lists prepared so far: a number is never used twice, even
// if what was prepared was not signed.
func (o *Office) lists(ctx context.Context, stream issuance.StreamID) (n int64, err error) {
	entries, err := o.Store.Stream(ctx, stream)
	for _, e := range entries {
		if e.Act == issuance.Prepare && e.Fields["object"] == "crl" {
			n++
		}
	}
	return n, err
}

// revocations lists the signers revoked, in that order.
func (o *Office) revocations(ctx context.Context) ([]cert.Revocation, error) {
	list, err := o.Store.List(ctx, issuance.KindKey, issuance.Revoked)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b issuance.Summary) int { return a.Since.Compare(b.Since) })
	var entries []cert.Revocation
	for _, s := range list {
		c, err := o.Authority.certificate(s.Stream.ID)
		if err != nil {
			return nil, err
		}
		entries = append(entries, cert.Revocation{Serial: c.Serial, Time: s.Since.UTC().Truncate(time.Second)})
	}
	return entries, nil
}

// publish puts what was issued into the folder of certificates, whole or not at all.
func (o *Office) publish(name string, der []byte) error {
	path := filepath.Join(o.Authority.PKI, name)
	tmp := path + ".new"
	if err := os.WriteFile(tmp, der, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
