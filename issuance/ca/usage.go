package ca

import "github.com/tamthe/tamthe/card/cert"

// UsagePeriod is when a certificate's key may sign.
func UsagePeriod(c *cert.Certificate) cert.Period {
	p := cert.Period{NotBefore: c.NotBefore, NotAfter: c.NotAfter}
	if u := c.PrivateKeyUsage; u != nil {
		if !u.NotBefore.IsZero() {
			p.NotBefore = u.NotBefore
		}
		if !u.NotAfter.IsZero() {
			p.NotAfter = u.NotAfter
		}
	}
	return p
}
