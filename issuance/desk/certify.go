package desk

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// MakeCSCA makes the root: its key, and its certificate in the folder of certificates. If
// it was cut short, or failed, the same call goes on with the key that was made. There can
// be one root in this version: a second one is *issuance.TransitionError.
func (o *Office) MakeCSCA(ctx context.Context, r ca.CSCA, algorithm string) error {
	return o.certify(ctx, certification{
		name: cscaName, usage: "csca", issuer: cscaName, algorithm: algorithm,
		prepare: func(pub crypto.PublicKey, serial *big.Int) (*ca.Draft, error) {
			r.Key, r.Serial = pub, serial
			return ca.PrepareCSCA(r)
		},
	})
}

// MakeSigner makes the next document signer and returns its name. One that was begun
// before and never certified is the next. Without a root the error is ErrNoCSCA.
func (o *Office) MakeSigner(ctx context.Context, r ca.Signer, algorithm string) (string, error) {
	root, err := o.root(ctx)
	if err != nil {
		return "", err
	}
	defer root.forget()
	name, err := o.nextSigner(ctx)
	if err != nil {
		return "", err
	}
	if r.CommonName == "" {
		r.CommonName = "Document Signer " + name[len(signerPrefix):]
	}
	err = o.certify(ctx, certification{
		name: name, usage: "ds", issuer: cscaName, algorithm: algorithm, root: root, cap: signerCap,
		prepare: func(pub crypto.PublicKey, serial *big.Int) (*ca.Draft, error) {
			r.Key, r.Serial = pub, serial
			return root.issuer.PrepareSigner(r)
		},
	})
	if err != nil {
		return "", err
	}
	return name, nil
}

// signerCap is how many cards one document signer may sign: what a revocation of it would
// call into question (Doc 9303-12 §4.1.1.2 asks for few).
const signerCap = 100_000

// nextSigner names the first document signer that is not certified yet.
func (o *Office) nextSigner(ctx context.Context) (string, error) {
	list, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return "", err
	}
	n := 1
	for _, key := range list {
		if !strings.HasPrefix(key.Stream.ID, signerPrefix) {
			continue
		}
		if key.Phase == issuance.Generated || key.Phase == issuance.Preparing {
			return key.Stream.ID, nil
		}
		n++
	}
	return fmt.Sprintf("%s%03d", signerPrefix, n), nil
}

// certification is a key to be certified by the issuer's, or by itself.
type certification struct {
	name, usage, issuer, algorithm string
	cap                            int      // how many cards a document signer may sign; 0: no such key
	root                           *signing // the issuer; nil: the key itself
	prepare                        func(crypto.PublicKey, *big.Int) (*ca.Draft, error)
}

// certify makes a key and has it certified: what will be signed stands in the ledger
// before it is signed. After a cut it goes on. A certificate that was signed and published
// is recorded; one that may have been signed, but that nobody has, stays in the ledger as
// such, and another is prepared for the same key.
func (o *Office) certify(ctx context.Context, r certification) error {
	stream := issuance.Key(r.name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	sub := s.state.Subject(stream)
	act := issuance.Prepare
	switch {
	case sub.Phase == issuance.Absent:
		act = issuance.Generate
	case certified(sub) || sub.Phase == issuance.Revoked:
		return &issuance.TransitionError{
			Stream: stream, Phase: sub.Phase, Act: issuance.Generate, Possible: issuance.Possible(issuance.KindKey, sub.Phase),
		}
	}
	if err := s.may(stream, act, map[string]string{"usage": r.usage}); err != nil {
		return err
	}
	if done, err := o.recordPublished(ctx, r, sub); done || err != nil {
		return err
	}
	key, err := o.keyFor(ctx, r, sub)
	if err != nil {
		return err
	}
	defer forget(key)
	signer := key
	if r.root != nil {
		signer = r.root.key
	}
	draft, err := s.addCertification(r, key)
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	return o.issue(ctx, stream, objectCertificate, r.name+".cer", draft, signer)
}

// addCertification says that the key was made, unless it is known, and what will be signed.
func (s *session) addCertification(r certification, key crypto.Signer) (*ca.Draft, error) {
	stream := issuance.Key(r.name)
	serial := ca.NewSerial()
	draft, err := r.prepare(key.Public(), serial)
	if err != nil {
		return nil, err
	}
	public, err := publicDigest(key)
	if err != nil {
		return nil, err
	}
	if s.state.Subject(stream).Phase == issuance.Absent {
		err := s.add(stream, issuance.Generate, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"usage": r.usage, "algorithm": algorithmOf(key), "public": public}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return draft, s.add(stream, issuance.Prepare, func(e *issuance.Entry) error {
		e.Fields = prepareFields(objectCertificate, r.issuer, draft)
		if r.cap > 0 {
			e.Fields["cap"] = fmt.Sprint(r.cap)
		}
		e.Claims = []issuance.Claim{{Kind: issuance.ClaimCertSerial, Value: serialClaim(r.issuer, serial)}}
		return nil
	})
}

func prepareFields(object, issuer string, draft *ca.Draft) map[string]string {
	tbs := draft.Digest()
	return map[string]string{"object": object, "tbs": hex.EncodeToString(tbs[:]), "issuer": issuer}
}

func serialClaim(issuer string, serial *big.Int) string { return issuer + ":" + serial.Text(16) }

// issue signs what was prepared, publishes it and records that.
func (o *Office) issue(ctx context.Context, stream issuance.StreamID, object, file string, draft *ca.Draft, key crypto.Signer) error {
	der, err := draft.Issue(key)
	if err != nil {
		return err
	}
	if err := o.Authority.publish(file, der); err != nil {
		return err
	}
	return o.recordIssue(ctx, stream, object, draft.Digest(), der)
}

func (o *Office) recordIssue(ctx context.Context, stream issuance.StreamID, object string, tbs [32]byte, der []byte) error {
	return o.do(ctx, stream, issuance.Issue, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"object": object, "tbs": hex.EncodeToString(tbs[:]), "issued": digest(der)}
		return nil
	})
}

// recordPublished finishes a certification that was cut after its certificate was
// published: done is false if there is none that was prepared and verifies.
func (o *Office) recordPublished(ctx context.Context, r certification, sub issuance.Subject) (done bool, err error) {
	if sub.Phase != issuance.Preparing {
		return false, nil
	}
	der, err := os.ReadFile(filepath.Join(o.Authority.PKI, r.name+".cer"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c, err := cert.Parse(der)
	if err != nil {
		return false, nil // whatever it is, it is replaced
	}
	issuer := c
	if r.root != nil {
		issuer = r.root.issuer.Certificate
	}
	tbs := sha256.Sum256(c.RawTBS)
	if hex.EncodeToString(tbs[:]) != sub.Fields["tbs"] || c.CheckSignature(issuer.PublicKey) != nil {
		return false, nil
	}
	return true, o.recordIssue(ctx, sub.Stream, objectCertificate, tbs, der)
}
