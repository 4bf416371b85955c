package desk

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// MakeCRL issues the next revocation list of the CSCA, good for so many days, with the
// document signers of the names revoked from now on besides those that were before. A
// revocation and the list that tells it are recorded together; if publishing is cut short,
// the same call, or one without names, makes another list. A name that is no document
// signer's is ErrUnknown, one that is revoked already is no error.
func (o *Office) MakeCRL(ctx context.Context, days int, revoke ...string) error {
	root, err := o.root(ctx)
	if err != nil {
		return err
	}
	defer root.forget()
	csca := issuance.Key(cscaName)
	s, list, err := o.beginCRL(ctx, csca, revoke)
	if err != nil {
		return err
	}
	list.Days = days
	draft, err := root.issuer.PrepareCRL(list)
	if err != nil {
		return err
	}
	err = s.add(csca, issuance.Prepare, func(e *issuance.Entry) error {
		e.Fields = prepareFields(objectCRL, cscaName, draft)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	return o.issue(ctx, csca, objectCRL, cscaName+".crl", draft, root.key)
}

// beginCRL revokes, and says what the next list holds.
func (o *Office) beginCRL(ctx context.Context, csca issuance.StreamID, revoke []string) (*session, ca.CRL, error) {
	keys, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return nil, ca.CRL{}, err
	}
	streams := []issuance.StreamID{csca}
	for _, k := range keys {
		streams = append(streams, k.Stream)
	}
	s, err := o.begin(ctx, streams...)
	if err != nil {
		return nil, ca.CRL{}, err
	}
	if err := s.revoke(keys, revoke); err != nil {
		return nil, ca.CRL{}, err
	}
	list := ca.CRL{At: o.Now().UTC().Truncate(time.Second)}
	if list.Number, err = o.nextList(ctx, csca); err != nil {
		return nil, ca.CRL{}, err
	}
	list.Entries, err = s.revocations(keys)
	return s, list, err
}

// revoke ends the use of document signers. A root is another matter: nothing could sign
// the list that tells it.
func (s *session) revoke(keys []issuance.Summary, names []string) error {
	for _, name := range names {
		stream := issuance.Key(name)
		known := slices.ContainsFunc(keys, func(k issuance.Summary) bool { return k.Stream == stream })
		if !known || !strings.HasPrefix(name, signerPrefix) {
			return fmt.Errorf("document signer %s: %w", name, ErrUnknown)
		}
		if s.state.Subject(stream).Phase == issuance.Revoked {
			continue
		}
		err := s.add(stream, issuance.Revoke, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"reason": "revoked"}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nextList numbers the list after those prepared so far: a number is never used twice,
// even if what was prepared was not signed.
func (o *Office) nextList(ctx context.Context, csca issuance.StreamID) (*big.Int, error) {
	entries, err := o.Store.Stream(ctx, csca)
	if err != nil {
		return nil, err
	}
	n := int64(1)
	for _, e := range entries {
		if e.Act == issuance.Prepare && e.Fields["object"] == objectCRL {
			n++
		}
	}
	return big.NewInt(n), nil
}

// revocations lists the serial numbers of the signers revoked, in that order: all that
// were ever prepared, for one that was not issued may have been signed all the same.
func (s *session) revocations(keys []issuance.Summary) ([]cert.Revocation, error) {
	var list []cert.Revocation
	for _, k := range keys {
		sub := s.state.Subject(k.Stream)
		if len(sub.Actors[issuance.Revoke]) == 0 {
			continue
		}
		at := k.Since
		if k.Phase != issuance.Revoked { // since this decision
			at = s.o.Now()
		}
		for _, c := range sub.Claimed {
			text, ours := strings.CutPrefix(c.Value, cscaName+":")
			if c.Kind != issuance.ClaimCertSerial || !ours {
				continue
			}
			serial, ok := new(big.Int).SetString(text, 16)
			if !ok {
				return nil, fmt.Errorf("%s: serial number %q: %w", k.Stream, text, issuance.ErrEntry)
			}
			list = append(list, cert.Revocation{Serial: serial, Time: at.UTC().Truncate(time.Second)})
		}
	}
	slices.SortStableFunc(list, func(a, b cert.Revocation) int {
		return cmp.Or(a.Time.Compare(b.Time), a.Serial.Cmp(b.Serial))
	})
	return list, nil
}
