package desk

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// MakeCSCA makes the first root: its key, and its certificate in the folder of certificates.
// If it was cut short, or failed, the same call goes on with the key that was made. Where
// there is one already it is *issuance.TransitionError; see NextCSCA.
func (o *Office) MakeCSCA(ctx context.Context, r ca.CSCA, algorithm string) error {
	return o.certify(ctx, certification{
		name: cscaName, usage: "csca", issuer: cscaName, algorithm: algorithm,
		prepare: func(pub crypto.PublicKey, serial *big.Int) (*ca.Draft, error) {
			r.Key, r.Serial = pub, serial
			return ca.PrepareCSCA(r)
		},
	})
}

// MakeSigner makes the next document signer under the CSCA that signs today and returns its
// name. One that was begun before and never certified is the next. Without a root the error
// is ErrNoCSCA.
func (o *Office) MakeSigner(ctx context.Context, r ca.Signer, algorithm string) (string, error) {
	root, err := o.root(ctx)
	if err != nil {
		return "", err
	}
	defer root.forget()
	name, err := o.nextName(ctx, signerPrefix)
	if err != nil {
		return "", err
	}
	if r.CommonName == "" {
		r.CommonName = "Document Signer " + name[len(signerPrefix):]
	}
	err = o.certify(ctx, certification{
		name: name, usage: "ds", issuer: root.name, algorithm: algorithm, root: root, cap: cmp.Or(r.Cap, signerCap),
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

// MakeListSigner makes the next signer of master lists, or of deviation lists, as MakeSigner
// does.
func (o *Office) MakeListSigner(ctx context.Context, r ca.ListSigner, algorithm string) (string, error) {
	root, err := o.root(ctx)
	if err != nil {
		return "", err
	}
	defer root.forget()
	prefix, title := masterPrefix, "Master List Signer "
	if r.Deviations {
		prefix, title = deviationPrefix, "Deviation List Signer "
	}
	name, err := o.nextName(ctx, prefix)
	if err != nil {
		return "", err
	}
	if r.CommonName == "" {
		r.CommonName = title + name[len(prefix):]
	}
	err = o.certify(ctx, certification{
		name: name, usage: strings.TrimSuffix(prefix, "-"), issuer: root.name, algorithm: algorithm, root: root,
		prepare: func(pub crypto.PublicKey, serial *big.Int) (*ca.Draft, error) {
			r.Key, r.Serial = pub, serial
			return root.issuer.PrepareListSigner(r)
		},
	})
	if err != nil {
		return "", err
	}
	return name, nil
}

// nextName names the first key of a kind that is not certified yet.
func (o *Office) nextName(ctx context.Context, prefix string) (string, error) {
	list, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return "", err
	}
	n := 1
	for _, key := range list {
		if !strings.HasPrefix(key.Stream.ID, prefix) {
			continue
		}
		if key.Phase == issuance.Generated || key.Phase == issuance.Preparing {
			s, err := issuance.Load(ctx, o.Store, key.Stream)
			if err != nil {
				return "", err
			}
			if !certified(s.Subject(key.Stream)) {
				return key.Stream.ID, nil
			}
		}
		n++
	}
	return fmt.Sprintf("%s%03d", prefix, n), nil
}

// certification is a key to be certified by the issuer's, or by itself.
type certification struct {
	name, usage, issuer, algorithm string
	cap                            int        // how many cards a document signer may sign; 0: no such key
	root                           *certifier // the issuer; nil: the key itself
	fields                         map[string]string
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
	return o.issue(ctx, issuing{stream: stream, object: objectCertificate, file: r.name + ".cer", draft: draft, key: signer})
}

// addCertification says that the key was made, unless it is known, and what will be signed.
func (s *session) addCertification(r certification, key crypto.Signer) (*ca.Draft, error) {
	stream := issuance.Key(r.name)
	serial := ca.NewSerial()
	draft, err := r.prepare(key.Public(), serial)
	if err != nil {
		return nil, err
	}
	if s.state.Subject(stream).Phase == issuance.Absent {
		if err := s.addKey(r, key); err != nil {
			return nil, err
		}
	}
	return draft, s.add(stream, issuance.Prepare, func(e *issuance.Entry) error {
		e.Fields = prepareFields(objectCertificate, r.issuer, draft)
		if r.cap > 0 {
			e.Fields["cap"] = fmt.Sprint(r.cap)
		}
		maps.Copy(e.Fields, r.fields)
		e.Claims = []issuance.Claim{{Kind: issuance.ClaimCertSerial, Value: serialClaim(r.issuer, serial)}}
		return nil
	})
}

// addKey says that a key was made.
func (s *session) addKey(r certification, key crypto.Signer) error {
	public, err := publicDigest(key)
	if err != nil {
		return err
	}
	return s.add(issuance.Key(r.name), issuance.Generate, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"usage": r.usage, "algorithm": algorithmOf(key), "public": public}
		maps.Copy(e.Fields, r.fields)
		return nil
	})
}

func prepareFields(object, issuer string, draft *ca.Draft) map[string]string {
	tbs := draft.Digest()
	return map[string]string{"object": object, "tbs": hex.EncodeToString(tbs[:]), "issuer": issuer}
}

func serialClaim(issuer string, serial *big.Int) string { return issuer + ":" + serial.Text(16) }

// An issuing is something that a key of the authority shall sign, but the certificate of a
// key that is made for it.
type issuing struct {
	stream               issuance.StreamID // where it is recorded
	object, file, issuer string
	fields               map[string]string // remarks
	claims               []issuance.Claim
	draft                *ca.Draft
	key                  crypto.Signer
}

// issueObject records what will be signed together with the session's acts so far, signs it,
// publishes it and records that.
func (s *session) issueObject(ctx context.Context, i issuing) error {
	err := s.add(i.stream, issuance.Prepare, func(e *issuance.Entry) error {
		e.Fields = prepareFields(i.object, i.issuer, i.draft)
		maps.Copy(e.Fields, i.fields)
		e.Claims = i.claims
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	return s.o.issue(ctx, i)
}

// issue signs what was prepared, publishes it and records that.
func (o *Office) issue(ctx context.Context, i issuing) error {
	der, err := i.draft.Issue(i.key)
	if err != nil {
		return err
	}
	if err := o.Authority.publish(i.file, der); err != nil {
		return err
	}
	return o.recordIssue(ctx, i, i.draft.Digest(), der)
}

func (o *Office) recordIssue(ctx context.Context, i issuing, tbs [32]byte, der []byte) error {
	return o.do(ctx, i.stream, issuance.Issue, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"object": i.object, "tbs": hex.EncodeToString(tbs[:]), "issued": digest(der)}
		maps.Copy(e.Fields, i.fields)
		return nil
	})
}

// recordPublished finishes a certification that was cut after its certificate was
// published: done is false if there is none that was prepared and verifies.
func (o *Office) recordPublished(ctx context.Context, r certification, sub issuance.Subject) (done bool, err error) {
	if sub.Phase != issuance.Preparing || sub.Fields["object"] != objectCertificate {
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
	return true, o.recordIssue(ctx, issuing{stream: sub.Stream, object: objectCertificate}, tbs, der)
}
