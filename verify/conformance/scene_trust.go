package conformance

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// Trust is what the station of the scene trusts, as the files of a trust folder by their
// names in it: certificates and revocation lists of test keys, issuers.toml, and the lists
// of card status.
func (s *Scene) Trust() (map[string][]byte, error) {
	b := s.stage.b
	certs, crls, issuers := []pki.Material{{Cert: s.stage.made.root}}, []*cert.CRL{s.stage.made.crl}, []pki.Issuer{{Country: "VN", Status: pki.None}}
	if b.trust != nil {
		certs, crls, issuers = b.trust(s.stage.made)
	}
	files := map[string][]byte{pki.IssuersFile: issuersFile(issuers)}
	for i, c := range certs {
		if c.Cert != nil {
			files[fmt.Sprintf("specimen/certificate-%d.cer", i+1)] = c.Cert.Raw
		}
	}
	for i, l := range crls {
		if l != nil {
			files[fmt.Sprintf("specimen/list-%d.crl", i+1)] = l.Raw
		}
	}
	if a, ok := b.options.Status.(*answering); ok {
		var card verify.CardID
		if s.Report != nil {
			card = s.Report.Document.Card
		}
		raw, err := a.octets(card)
		if err != nil {
			return nil, err
		}
		files[pki.StatusFolder+"/vn"+status.Extension] = raw
	}
	return files, nil
}

// issuersFile writes what the plays use of an issuer.
func issuersFile(list []pki.Issuer) []byte {
	var b strings.Builder
	words := map[pki.Requirement]string{pki.Required: "required", pki.Optional: "optional", pki.None: "none"}
	quoted := func(list []string) string {
		for i, s := range list {
			list[i] = fmt.Sprintf("%q", s)
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	prints := func(list [][32]byte) string {
		var out []string
		for _, p := range list {
			out = append(out, hex.EncodeToString(p[:]))
		}
		return quoted(out)
	}
	for _, i := range list {
		fmt.Fprintf(&b, "[[issuer]]\ncountry = %q\ncrl = %q\nstatus = %q\nchip = %q\n", i.Country, words[i.CRL], words[i.Status], words[i.Chip])
		if len(i.Documents) > 0 {
			fmt.Fprintf(&b, "documents = %s\n", quoted(append([]string{}, i.Documents...)))
		}
		if len(i.Anchors) > 0 {
			fmt.Fprintf(&b, "anchors = %s\n", prints(i.Anchors))
		}
		if len(i.StatusKeys) > 0 {
			fmt.Fprintf(&b, "status_keys = %s\n", prints(i.StatusKeys))
		}
	}
	return []byte(b.String())
}
