package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// crlFile is where the newest revocation list is, whichever key signed it.
const crlFile = cscaName + ".crl"

// ErrCSCA means that what was to be revoked is a CSCA: see RevokeCSCA.
var ErrCSCA = errors.New("a CSCA is revoked by its own last list")

// MakeCRL issues the next revocation list, by the CSCA that signs today, good for so many
// days, with the signers of documents and lists of the names revoked from now on besides all
// that were before, under earlier keys too. A revocation and the list that tells it are
// recorded together; if publishing is cut short, the same call, or one without names, makes
// another list. A name that is no signer's is ErrUnknown, one that is revoked already is no
// error.
func (o *Office) MakeCRL(ctx context.Context, days int, revoke ...string) error {
	all, err := o.generations(ctx)
	if err != nil {
		return err
	}
	name := all.current(o.Now())
	if name == "" {
		return ErrNoCSCA
	}
	return o.makeCRL(ctx, all, name, crlFile, days, revoke)
}

// RevokeCSCA ends a CSCA key: it signs one last list, which names its own certificate beside
// all that was revoked so far and is accepted once (Doc 9303-12 §4.1.5), and nothing any
// more. Where another key signs today, that one issues the next list too.
func (o *Office) RevokeCSCA(ctx context.Context, name string, days int, reason string) error {
	all, err := o.generations(ctx)
	if err != nil {
		return err
	}
	g := all.find(name)
	if g == nil {
		return fmt.Errorf("CSCA %s: %w", name, ErrUnknown)
	}
	if !g.revoked {
		file := name + "-last.crl"
		if all.current(o.Now()) == name {
			file = crlFile
		}
		if err := o.makeCRL(ctx, all, name, file, days, nil, g.cert); err != nil {
			return err
		}
		err := o.do(ctx, issuance.Key(name), issuance.Revoke, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"reason": reason}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if all, err = o.generations(ctx); err != nil {
		return err
	}
	if next := all.current(o.Now()); next != "" {
		return o.makeCRL(ctx, all, next, crlFile, days, nil)
	}
	return nil
}

// makeCRL issues a list by a generation. The certificates besides are listed as revoked now.
func (o *Office) makeCRL(ctx context.Context, all generations, name, file string, days int, revoke []string, besides ...*cert.Certificate) error {
	root, err := o.signer(ctx, name)
	if err != nil {
		return err
	}
	defer root.forget()
	s, list, err := o.beginCRL(ctx, all, revoke)
	if err != nil {
		return err
	}
	for _, c := range besides {
		list.Entries = append(list.Entries, cert.Revocation{Serial: c.Serial, Time: list.At})
	}
	list.Days, list.Former = days, all.former(name)
	draft, err := root.issuer.PrepareCRL(list)
	if err != nil {
		return err
	}
	return s.issueObject(ctx, issuing{
		stream: issuance.Key(name), object: objectCRL, file: file, issuer: name, draft: draft, key: root.key,
	})
}

// beginCRL revokes, and says what the next list holds.
func (o *Office) beginCRL(ctx context.Context, all generations, revoke []string) (*session, ca.CRL, error) {
	keys, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return nil, ca.CRL{}, err
	}
	var streams []issuance.StreamID
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
	if list.Number, err = o.nextList(ctx, all); err != nil {
		return nil, ca.CRL{}, err
	}
	list.Entries, err = s.revocations(ctx, keys, all)
	return s, list, err
}

// listed are the kinds of keys whose certificates a revocation list is about.
var listed = []string{signerPrefix, masterPrefix, deviationPrefix}

// revoke ends the use of signers. A CSCA is another matter: it signs the list that tells it
// itself.
func (s *session) revoke(keys []issuance.Summary, names []string) error {
	for _, name := range names {
		stream := issuance.Key(name)
		known := slices.ContainsFunc(keys, func(k issuance.Summary) bool { return k.Stream == stream })
		if name == cscaName || strings.HasPrefix(name, cscaPrefix) {
			return fmt.Errorf("%s: %w", name, ErrCSCA)
		}
		if !known || !slices.ContainsFunc(listed, func(p string) bool { return strings.HasPrefix(name, p) }) {
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

// nextList numbers the list after those prepared so far, by whatever key: a number is never
// used twice, even if what was prepared was not signed.
func (o *Office) nextList(ctx context.Context, all generations) (*big.Int, error) {
	n := int64(1)
	for _, g := range all {
		entries, err := o.Store.Stream(ctx, issuance.Key(g.name))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Act == issuance.Prepare && e.Fields["object"] == objectCRL {
				n++
			}
		}
	}
	return big.NewInt(n), nil
}

// revocations lists the serial numbers of the keys revoked, in that order: all that were
// ever prepared for them under any CSCA, for one that was not issued may have been signed
// all the same.
func (s *session) revocations(ctx context.Context, keys []issuance.Summary, all generations) ([]cert.Revocation, error) {
	var list []cert.Revocation
	for _, k := range keys {
		sub := s.state.Subject(k.Stream)
		if len(sub.Actors[issuance.Revoke]) == 0 {
			continue
		}
		at, err := s.revokedAt(ctx, k.Stream)
		if err != nil {
			return nil, err
		}
		for _, c := range sub.Claimed {
			issuer, text, _ := strings.Cut(c.Value, ":")
			// What a CSCA claimed for others, its links, is not revoked with it.
			own := k.Stream.ID != issuer || all.isRoot(k.Stream.ID, text)
			if c.Kind != issuance.ClaimCertSerial || all.find(issuer) == nil || !own {
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

// revokedAt is when a key was revoked: now, if this decision does it.
func (s *session) revokedAt(ctx context.Context, stream issuance.StreamID) (time.Time, error) {
	entries, err := s.o.Store.Stream(ctx, stream)
	for _, e := range entries {
		if e.Act == issuance.Revoke {
			return e.Time, err
		}
	}
	return s.o.Now(), err
}

// isRoot says whether the serial number is that of the CSCA's own certificate.
func (g generations) isRoot(name, serial string) bool {
	one := g.find(name)
	return one != nil && one.cert.Serial.Text(16) == serial
}
