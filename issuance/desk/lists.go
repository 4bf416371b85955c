package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// ErrNoListSigner means that no signer of such lists is in use.
var ErrNoListSigner = errors.New("no signer of such lists is in use")

// The files of the newest lists.
const (
	masterListFile    = "csca.ml"
	deviationListFile = "csca.dvl"
)

// MakeMasterList signs a list of the CSCA certificates of this state, links included, and of
// those given, and returns its file. It is signed by the newest signer of master lists in
// use, else ErrNoListSigner.
func (o *Office) MakeMasterList(ctx context.Context, others ...[]byte) (string, error) {
	all, err := o.generations(ctx)
	if err != nil {
		return "", err
	}
	list := slices.Clone(others)
	for i, g := range all {
		if g.revoked {
			continue
		}
		list = append(list, g.cert.Raw)
		if i > 0 && !g.linked.IsZero() {
			link, err := o.issued(ctx, issuance.Key(all[i-1].name), objectLink, g.name+"-link.cer")
			if err != nil {
				return "", err
			}
			list = append(list, link)
		}
	}
	return masterListFile, o.makeList(ctx, all, masterPrefix, objectMasterList, masterListFile, func(i *ca.Issuer, root *cert.Certificate) (*ca.Draft, error) {
		return i.PrepareMasterList(ca.MasterList{Certificates: list, CSCA: root, At: o.Now()})
	})
}

// A Recall says which of the office's own cards have a fault: those of a document signer, by
// its name here, those issued on some days, those of some numbers. All that is set applies.
type Recall struct {
	Signer    string
	Deviation ca.Deviation // but for its signer
}

// MakeDeviationList signs the list of all recalls that are in force, and returns its file: the
// list takes the place of the one before. It is signed by the newest signer of deviation lists
// in use, else ErrNoListSigner. A signer of documents that is not known is ErrUnknown.
func (o *Office) MakeDeviationList(ctx context.Context, recalls ...Recall) (string, error) {
	var list []ca.Deviation
	for _, r := range recalls {
		if r.Signer != "" {
			if !strings.HasPrefix(r.Signer, signerPrefix) {
				return "", fmt.Errorf("document signer %s: %w", r.Signer, ErrUnknown)
			}
			c, err := o.certificate(ctx, r.Signer)
			if err != nil {
				return "", err
			}
			r.Deviation.Signer = c
		}
		list = append(list, r.Deviation)
	}
	all, err := o.generations(ctx)
	if err != nil {
		return "", err
	}
	return deviationListFile, o.makeList(ctx, all, deviationPrefix, objectDeviations, deviationListFile, func(i *ca.Issuer, root *cert.Certificate) (*ca.Draft, error) {
		return i.PrepareDeviationList(ca.DeviationList{Deviations: list, CSCA: root, At: o.Now()})
	})
}

// makeList has the newest signer of a kind sign a list.
func (o *Office) makeList(ctx context.Context, all generations, prefix, object, file string, prepare func(*ca.Issuer, *cert.Certificate) (*ca.Draft, error)) error {
	name, err := o.listSigner(ctx, prefix)
	if err != nil {
		return err
	}
	signer, err := o.signer(ctx, name)
	if err != nil {
		return err
	}
	defer signer.forget()
	var root *cert.Certificate
	for _, g := range all {
		if signer.issuer.Certificate.CheckSignature(g.cert.PublicKey) == nil {
			root = g.cert
		}
	}
	draft, err := prepare(signer.issuer, root)
	if err != nil {
		return err
	}
	stream := issuance.Key(name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	return s.issueObject(ctx, issuing{stream: stream, object: object, file: file, issuer: name, draft: draft, key: signer.key})
}

// listSigner names the newest signer of a kind whose key may sign now.
func (o *Office) listSigner(ctx context.Context, prefix string) (string, error) {
	list, err := o.Store.List(ctx, issuance.KindKey, issuance.InUse, issuance.Preparing)
	if err != nil {
		return "", err
	}
	for _, s := range slices.Backward(list) {
		if !strings.HasPrefix(s.Stream.ID, prefix) {
			continue
		}
		c, err := o.certificate(ctx, s.Stream.ID)
		if err != nil {
			continue // begun, and not certified
		}
		if ca.UsagePeriod(c).Covers(o.Now()) {
			return s.Stream.ID, nil
		}
	}
	return "", ErrNoListSigner
}

// Export is what the authority gives to the ICAO PKD: its document signers that are valid and
// were not revoked, its newest revocation list and its newest master list, by name of file.
func (o *Office) Export(ctx context.Context, version int) (map[string][]byte, error) {
	e := ca.Export{Version: version}
	keys, err := o.Store.List(ctx, issuance.KindKey, issuance.InUse)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !strings.HasPrefix(k.Stream.ID, signerPrefix) {
			continue
		}
		c, err := o.certificate(ctx, k.Stream.ID)
		if err != nil {
			return nil, err
		}
		if o.Now().Before(c.NotAfter) {
			e.Signers = append(e.Signers, c)
		}
	}
	if list, err := o.newestCRL(ctx); err != nil {
		return nil, err
	} else if list != nil {
		e.CRLs = append(e.CRLs, list)
	}
	if name, err := o.listSigner(ctx, masterPrefix); err == nil {
		if raw, err := o.issued(ctx, issuance.Key(name), objectMasterList, masterListFile); err == nil {
			e.MasterLists = append(e.MasterLists, raw)
		} else if !isAbsent(err) {
			return nil, err
		}
	}
	return e.Files()
}
