package monitor

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance/ca"
)

// root is a CSCA of a log whose certificate was seen.
type root struct {
	origin, key string
	*cert.Certificate
}

// recall finds the roots that were seen before: what is published may vanish.
func (c *court) recall() {
	for _, origin := range sortedKeys(c.facts) {
		f := c.facts[origin]
		for _, name := range sortedKeys(f.Keys) {
			if x, err := cert.Parse(f.Keys[name].Root); err == nil {
				c.roots = append(c.roots, root{origin, name, x})
			}
		}
	}
}

// keyOf finds whose key of the logs a certificate is about: by the key itself, for the octets
// around it may be others. The signature of a certificate has more than one form, and who has a
// stolen key may make a certificate of their own for it.
func (c *court) keyOf(x *cert.Certificate) (origin, key string, ours bool) {
	if spki, err := cert.MarshalPublicKey(x.PublicKey, false); err == nil {
		sum := sha256.Sum256(spki)
		public := hex.EncodeToString(sum[:])
		for _, origin := range sortedKeys(c.facts) {
			for _, name := range sortedKeys(c.facts[origin].Keys) {
				if c.facts[origin].Keys[name].Public == public {
					return origin, name, true
				}
			}
		}
	}
	origin, o, ours := c.object(x.Raw)
	return origin, o.Key, ours && o.Object == objectCertificate
}

// certificate notes what a certificate of a key of the logs says of it, and tells whether the
// certificate itself stands in one.
func (c *court) certificate(x *cert.Certificate) (ours bool) {
	_, o, ours := c.object(x.Raw)
	origin, key, known := c.keyOf(x)
	k := (*keyFacts)(nil)
	if known {
		k = c.facts[origin].Keys[key]
	}
	if k == nil {
		return ours
	}
	if k.Usage == "csca" && len(k.Root) == 0 {
		k.Root = x.Raw
		c.roots = append(c.roots, root{origin, key, x})
	}
	if _, seen := k.Serials[x.Serial.Text(16)]; !seen {
		c.serial(origin, k, x, ours && o.Object == objectCertificate)
	}
	if ours && o.Object == objectCertificate {
		k.Until = ca.UsagePeriod(x).NotAfter
		c.facts[origin].outlived(key, k)
	}
	return ours
}

// serial notes by what a list names a key's certificate: one that stands in the log, or that
// a CSCA of the log signed, for anybody may put another's key into a certificate.
func (c *court) serial(origin string, k *keyFacts, x *cert.Certificate, logged bool) {
	by := c.issuerOf(origin, x)
	if !logged && by == "" {
		return
	}
	if k.Issuer = cmp.Or(by, k.Issuer); k.Serials == nil {
		k.Serials = map[string]time.Time{}
	}
	k.Serials[x.Serial.Text(16)] = x.NotAfter
}

// issuerOf is the CSCA key of a log that signed a certificate, empty if none did of those at hand.
func (c *court) issuerOf(origin string, x *cert.Certificate) string {
	for _, root := range c.roots {
		if root.origin == origin && x.CheckSignature(root.PublicKey) == nil {
			return root.key
		}
	}
	return ""
}

// strange judges what s.SOD is: whatever a CSCA of the logs signed stands in them. While the certificate of one of
// them is not at hand nobody can tell whether it signed, and what was seen is kept.
func (c *court) strange(s Sight, name string, ours bool, signed func(cert.PublicKey) error, more ...File) (done bool) {
	if ours {
		return true
	}
	more = append([]File{{"object", s.SOD}}, more...)
	for _, root := range c.roots {
		if signed(root.PublicKey) != nil {
			continue
		}
		if !c.ripe(s) {
			return false
		}
		sum := sha256.Sum256(s.SOD)
		c.found = append(c.found, newAlarm(StrangeObject, root.origin, -1, hex.EncodeToString(sum[:]),
			"%s signed what does not stand in the log: %s", root.Subject, name).with(more...).with(File{"csca.cer", root.Raw}))
		return true
	}
	if c.unjudged(s, name, more) {
		return false
	}
	age := c.now.Sub(s.Since)
	return age > c.m.o.Lag && c.founded() || age > unfounded // a log may be read later
}

// unfounded is how long what was seen waits for a log of which nothing was ever read.
const unfounded = 30 * 24 * time.Hour

// founded says whether each log was read, so that its keys are known.
func (c *court) founded() bool {
	for _, f := range c.facts {
		if !f.Founded {
			return false
		}
	}
	return true
}

// unjudged says whether a CSCA of the logs is not at hand, and alarms of each that has not come
// within the time that it may take until it is published.
func (c *court) unjudged(s Sight, name string, files []File) (lacking bool) {
	for _, origin := range sortedKeys(c.facts) {
		f := c.facts[origin]
		for _, key := range sortedKeys(f.Keys) {
			k := f.Keys[key]
			if k.Usage != "csca" || k.Certified.IsZero() || len(k.Root) > 0 {
				continue
			}
			lacking = true
			if c.now.Sub(s.Since) > c.m.o.Lag && c.now.Sub(k.Certified) > ca.ListWithin {
				c.found = append(c.found, newAlarm(CSCAUnknown, origin, -1, key,
					"%s may have signed what does not stand in the log, and its certificate of %s is not at hand to tell: %s",
					key, k.Certified.Format(time.DateOnly), name).with(files...))
			}
		}
	}
	return lacking
}
