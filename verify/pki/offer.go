package pki

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// sort finds out what a file holds. What stands for itself is refused if it is of no use;
// a part of a directory or of a pack is passed over.
func (im *importing) sort(o Offer) error {
	b := o.Octets
	blocked := path.Base(strings.ReplaceAll(o.Name, "\\", "/")) == blockedFile
	switch {
	case blocked && im.o.Each:
		return fmt.Errorf("%w: the operator's own %s is imported by its name", ErrList, blockedFile)
	case blocked:
		return im.block(b)
	case len(b) > 0 && b[0] == 0x30:
		return im.der(b, false)
	case bytes.Contains(b, []byte("-----BEGIN ")):
		return im.pem(b)
	}
	found, err := readLDIF(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%w: neither a list nor a certificate in DER or PEM; %w", ErrList, err)
	}
	return im.directory(found)
}

// der takes one DER value.
func (im *importing) der(b []byte, part bool) error {
	p := offered{receipt: im.at, octets: b, part: part}
	if c, err := cert.Parse(b); err == nil {
		return im.certificate(c, part)
	}
	if _, err := cert.ParseCRL(b); err == nil {
		im.rcrls = append(im.rcrls, p)
		return nil
	}
	if certs, crls, err := unpack(b); err == nil && !isSignedList(b) {
		return im.directory(&holdings{Certificates: certs, CRLs: crls})
	}
	im.signed = append(im.signed, p)
	return nil
}

// isSignedList says whether it is SignedData of a kind of list, in order or not.
func isSignedList(b []byte) bool {
	d, err := cms.Parse(b)
	return err == nil && new(SignedList).readKind(d) != nil
}

func (im *importing) pem(b []byte) error {
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		if !slices.Contains([]string{"CERTIFICATE", "X509 CRL", "CMS", "PKCS7"}, block.Type) {
			return fmt.Errorf("%w: PEM block %q", ErrList, block.Type)
		}
		if err := im.der(block.Bytes, false); err != nil {
			return err
		}
	}
}

// directory takes what a directory or a pack holds; nobody signed it as a whole.
func (im *importing) directory(found *holdings) error {
	for _, b := range found.Certificates {
		c, err := cert.Parse(b)
		if err == nil {
			err = im.certificate(c, true)
		}
		if err != nil {
			im.at.Passed = append(im.at.Passed, err)
		}
	}
	for _, b := range found.CRLs {
		im.rcrls = append(im.rcrls, offered{receipt: im.at, octets: b, part: true})
	}
	for _, b := range found.Lists {
		im.signed = append(im.signed, offered{receipt: im.at, octets: b, part: true})
	}
	return nil
}

// certificate takes a certificate: as an anchor if it is self-signed and the operator
// pinned it, as material otherwise. One that may certify others must be pinned too, or
// come with a signed list: a link certificate hands trust on, whoever brings it.
func (im *importing) certificate(c *cert.Certificate, part bool) error {
	self := c.KeyErr == nil && c.Issuer.Equal(c.Subject) && c.SelfSigned()
	vouches := self || c.IsCA() || c.KeyUsage&cert.KeyCertSign != 0
	pinned := slices.Contains(im.o.Pins, c.Fingerprint())
	if pinned {
		im.found[c.Fingerprint()] = true
	}
	e := im.store.find(c)
	switch {
	case pinned && !c.IsCA():
		return fmt.Errorf("%w: what the operator pinned is no certificate of an authority", ErrList)
	case pinned && self && (e == nil || !im.store.pinned(e)):
		return im.pin(c)
	case pinned && self && len(im.o.Documents) > 0 && e.listed == nil:
		return fmt.Errorf("%w: %s lies in the folder and vouches for all documents: remove it first", ErrList, e.source)
	case pinned && self && len(im.o.Documents) > 0 && !slices.Equal(im.o.Documents, e.listed.Documents):
		return im.pin(c)
	case e != nil:
		im.at.Known++
	case vouches && !pinned:
		err := fmt.Errorf("%w: %v, SHA-256 %x", ErrUnpinned, c.Subject, c.Fingerprint())
		if len(im.o.Pins) > 0 {
			err = fmt.Errorf("%w, which is no fingerprint that was given", err)
		}
		if !part {
			return err
		}
		im.at.Passed = append(im.at.Passed, err)
	case !im.seen[c.Fingerprint()]:
		im.seen[c.Fingerprint()] = true
		im.certs = append(im.certs, c.Raw)
		im.at.Certificates++
	}
	return nil
}

// block takes the operator's own list of document signers to refuse, in the place of the
// one that was imported before.
func (im *importing) block(b []byte) error {
	if _, err := parseBlocked(b); err != nil {
		return fmt.Errorf("%w: %w", ErrList, err)
	}
	if slices.ContainsFunc(im.index.Imports, func(o Import) bool { return o.List == listBlocked && o.SHA256 == fingerprint(b) }) {
		im.at.Known++
		return nil
	}
	i := Import{
		File: fmt.Sprintf("%s-%06d.toml", listBlocked, im.index.Generation), Kind: ImportBlocked, List: listBlocked,
		Imported: im.o.At.UTC().Truncate(time.Second), Operator: im.o.Operator,
	}
	im.changed = true
	i, err := im.put(i, b, false, func(o Import) bool { return o.List == listBlocked })
	im.at.Lists = append(im.at.Lists, i)
	return err
}
