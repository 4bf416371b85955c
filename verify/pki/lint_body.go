package pki

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"
	"strings"

	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

// judgedElsewhere are defects for which there is a rule of their own.
var judgedElsewhere = []cert.DefectKind{
	cert.DefectVersion, cert.DefectSerialNegative, cert.DefectSerialZero, cert.DefectSerialLong, cert.DefectSerialPadded,
	cert.DefectEmptyList,
}

func (l *linter) defects(list []cert.Defect) {
	for _, d := range list {
		if !slices.Contains(judgedElsewhere, d.Kind) {
			l.add(Error, "encoding-"+string(d.Kind), d.Where)
		}
	}
}

// body is table 5 but for the names.
func (l *linter) body(c *cert.Certificate) {
	l.spec = table5
	l.must(c.Version == 3, "version", "")
	padded := slices.ContainsFunc(c.Defects, func(d cert.Defect) bool { return d.Kind == cert.DefectSerialPadded })
	l.must(c.Serial.Sign() > 0 && c.Serial.BitLen() <= 159 && !padded, "serial-number", c.Serial.String())
	l.defects(c.Defects)
	l.spec = keyRules
	alg, err := c.Algorithm.Signature()
	l.must(err == nil, "signature-algorithm", c.Algorithm.OID.String())
	if err == nil {
		l.must(alg.Hash != crypto.SHA1, "signature-hash", alg.String())
		l.should(alg.Scheme != cert.RSAPKCS1, "rsa-pss-recommended", alg.String())
	}
}

// names is table 5 and §7.1.1.1: issuer and subject.
func (l *linter) names(c, issuer *cert.Certificate) {
	l.spec = nameRules
	l.name(c.Issuer, "issuer")
	l.name(c.Subject, "subject")
	l.must(strings.EqualFold(c.Issuer.Country(), c.Subject.Country()), "country-differs", c.Issuer.Country()+" and "+c.Subject.Country())
	switch {
	case issuer == nil || bytes.Equal(c.Issuer.Raw, issuer.Subject.Raw):
	case c.Issuer.Equal(issuer.Subject):
		l.add(Warning, "issuer-name", "written otherwise than the issuer's subject")
	default:
		l.add(Error, "issuer-name", "not the issuer's subject")
	}
}

// name judges one name, of a list too.
func (l *linter) name(n cert.Name, what string) {
	country := n.Country()
	l.must(country != "", "country", what+" has none")
	l.must(n.CommonName() != "", "common-name", what+" has none")
	for _, a := range n.Attributes {
		printable := a.Tag == byte(tags.PrintableString)
		switch {
		case a.Type.Equal(cert.OIDCountry):
			l.must(printable && len(a.Value) == 2 && a.Value == strings.ToUpper(a.Value), "country", what+" "+a.Value)
		case a.Type.Equal(cert.OIDSerialNumber):
			l.must(printable, "name-serial-number", what)
		case a.Tag == byte(tags.IA5String): // mail and domain components: no DirectoryString
		default:
			l.must(printable || a.Tag == byte(tags.UTF8String), "name-string-type", what+" "+a.Type.String())
		}
	}
}

// key is §4.1.6: the lengths are those that the standard recommends.
func (l *linter) key(c *cert.Certificate, p Profile) {
	l.spec = keyRules
	if c.KeyErr != nil {
		l.add(Error, "public-key", c.KeyErr.Error())
		return
	}
	least := map[bool]int{true: minRSA, false: minEC}[c.PublicKey.RSA != nil]
	if p == ProfileCSCA || p == ProfileLink {
		least = map[bool]int{true: 3072, false: 256}[c.PublicKey.RSA != nil]
	}
	l.should(c.PublicKey.Bits() >= least, "key-size", fmt.Sprintf("%v, recommended %d", c.PublicKey, least))
	l.must(c.PublicKey.EC == nil || c.PublicKey.Explicit, "explicit-parameters", c.PublicKey.String())
}

// periods are the certificate's own and its key's (§4.1).
func (l *linter) periods(c *cert.Certificate, p Profile, issuer *cert.Certificate) {
	l.spec = table5
	l.must(c.NotBefore.Before(c.NotAfter), "validity", "ends before it begins")
	if issuer != nil && issuer != c {
		l.should(!c.NotAfter.After(issuer.NotAfter) && !c.NotBefore.Before(issuer.NotBefore), "validity-beyond-issuer", "")
	}
	u := c.PrivateKeyUsage
	if u == nil {
		return // whether it has to be there is table 6's
	}
	l.spec = table6
	l.must(!u.NotBefore.IsZero() || !u.NotAfter.IsZero(), "private-key-usage-period.value", "has no bound")
	l.should((u.NotBefore.IsZero() || !u.NotBefore.Before(c.NotBefore)) && !u.NotAfter.After(c.NotAfter),
		"private-key-usage-period.value", "goes beyond the certificate's validity")
	if u.NotBefore.IsZero() || u.NotAfter.IsZero() {
		return
	}
	l.must(u.NotBefore.Before(u.NotAfter), "private-key-usage-period.value", "ends before it begins")
	l.spec = "9303-12 §4.1 table 1"
	switch p {
	case ProfileSigner:
		l.should(!u.NotAfter.After(u.NotBefore.AddDate(0, 3, 0)), "signer-key-over-3-months", "")
	case ProfileCSCA, ProfileLink:
		l.should(!u.NotAfter.After(u.NotBefore.AddDate(5, 0, 0)), "csca-key-over-5-years", "")
	}
}
