package cvc

import (
	"fmt"
	"slices"
)

// TrustPoint is a CVCA key that a chip trusts.
type TrustPoint struct {
	Name      Reference
	Key       PublicKey // with its curve
	CHAT      CHAT
	Effective Date
	Expiry    Date
}

// TrustPoint returns what a chip keeps of a CVCA's certificate.
func (c *Certificate) TrustPoint() TrustPoint {
	return TrustPoint{c.Holder, c.Key, c.CHAT, c.Effective, c.Expiry}
}

// Chain is a chip's judgement of the certificates that a terminal shows it one by one
// (TR-03110-3 §2.2). Import moves the chip's date and trust points on; what it holds
// besides is forgotten with the Chain.
type Chain struct {
	points []TrustPoint
	today  Date
	chosen *link
	last   *link // the key of the last certificate, until the next
}

// link is a key that may verify the next certificate, or authenticate the terminal.
type link struct {
	TrustPoint
	domestic   bool // below a domestic document verifier
	extensions []byte
	signed     Algorithm // that the certificate was signed by
}

// NewChain begins with the trust points and the date of a chip.
func NewChain(points []TrustPoint, today Date) *Chain {
	return &Chain{points: slices.Clone(points), today: today}
}

// Today is the chip's date: the newest day that a certificate of its own state has shown
// it.
func (c *Chain) Today() Date { return c.today }

// TrustPoints are the chip's trust points as they are now.
func (c *Chain) TrustPoints() []TrustPoint { return slices.Clone(c.points) }

// Choose selects the key that the next certificate is verified with: a trust point, or the
// key of the certificate before. Another name is ErrChain.
func (c *Chain) Choose(name Reference) error {
	c.chosen = nil
	if c.last != nil && c.last.Name == name {
		c.chosen = c.last
		return nil
	}
	for _, p := range c.points {
		if p.Name == name {
			c.chosen = &link{TrustPoint: p}
			return nil
		}
	}
	return fmt.Errorf("no key is called %q: %w", name, ErrChain)
}

// Import verifies a certificate with the chosen key and takes it in: a CVCA's as a trust
// point, another's key as the next one to choose. A failure changes nothing but that no
// key is chosen any more.
func (c *Chain) Import(cert *Certificate) error {
	issuer := c.chosen
	c.chosen = nil
	if issuer == nil {
		return fmt.Errorf("no key was chosen: %w", ErrChain)
	}
	key, err := c.check(cert, issuer)
	if err != nil {
		return err
	}
	next := &link{TrustPoint: TrustPoint{cert.Holder, key, cert.CHAT.And(issuer.CHAT), cert.Effective, cert.Expiry}}
	next.extensions, next.signed = cert.Extensions, issuer.Key.Algorithm
	next.domestic = cert.CHAT.Role == DVDomestic || cert.CHAT.Role == TerminalRole && issuer.domestic
	if (cert.CHAT.Role == CVCA || next.domestic) && c.today.Before(cert.Effective) {
		c.today = cert.Effective
	}
	if cert.CHAT.Role == CVCA {
		next.CHAT = cert.CHAT
		c.trust(issuer.Name, next.TrustPoint)
	}
	c.last = next
	return nil
}

// check holds a certificate against its issuer and the date, and returns its key.
func (c *Chain) check(cert *Certificate, issuer *link) (PublicKey, error) {
	role, above := cert.CHAT.Role, issuer.CHAT.Role
	switch {
	case cert.Authority != issuer.Name:
		return PublicKey{}, fmt.Errorf("signed by %q and not by %q: %w", cert.Authority, issuer.Name, ErrChain)
	case cert.CHAT.Terminal != issuer.CHAT.Terminal:
		return PublicKey{}, fmt.Errorf("for another kind of terminal: %w", ErrChain)
	case above == CVCA && role == TerminalRole, (above == DVDomestic || above == DVForeign) && role != TerminalRole, above == TerminalRole:
		return PublicKey{}, fmt.Errorf("a %v below a %v: %w", role, above, ErrChain)
	}
	key, err := cert.Key.Inherit(issuer.Key)
	if err != nil {
		return PublicKey{}, err
	}
	if err := cert.Verify(issuer.Key); err != nil {
		return PublicKey{}, err
	}
	// A link certificate that has ended still leads to the key that is in force.
	if role != CVCA && cert.Expiry.Before(c.today) {
		return PublicKey{}, fmt.Errorf("it ended on %v, today is %v: %w", cert.Expiry, c.today, ErrExpired)
	}
	return key, nil
}

// trust takes in a trust point beside the one that vouched for it; a third of the same
// kind of terminal goes.
func (c *Chain) trust(issuer Reference, p TrustPoint) {
	c.points = slices.DeleteFunc(c.points, func(old TrustPoint) bool {
		return old.CHAT.Terminal == p.CHAT.Terminal && old.Name != issuer
	})
	c.points = append(c.points, p)
}

// Terminal returns the key of the last certificate with its effective rights, if that
// certificate was a terminal's of this name; else ErrChain.
func (c *Chain) Terminal(name Reference) (PublicKey, CHAT, error) {
	if c.last == nil || c.last.Name != name || c.last.CHAT.Role != TerminalRole {
		return PublicKey{}, CHAT{}, fmt.Errorf("no terminal is called %q: %w", name, ErrChain)
	}
	return c.last.Key, c.last.CHAT, nil
}

// Path picks from certificates in any order those that lead from a key of the chip, named
// by one of cars, to the terminal's key, in the order in which to show them; the shortest
// way, and from the first of cars that has one. The chip's own certificates need not be
// among them. Signatures are the chip's to check. No way is ErrChain.
func Path(certificates []*Certificate, cars []Reference, terminal Reference) ([]*Certificate, error) {
	for _, car := range cars {
		if path := walk(certificates, car, terminal); path != nil {
			return path, nil
		}
	}
	return nil, fmt.Errorf("no certificates lead from %q to %q: %w", cars, terminal, ErrChain)
}

// walk searches breadth first.
func walk(certificates []*Certificate, from, to Reference) []*Certificate {
	type step struct {
		at   Reference
		path []*Certificate
	}
	seen := map[Reference]bool{from: true}
	for queue := []step{{at: from}}; len(queue) > 0; queue = queue[1:] {
		for _, c := range certificates {
			if c.Authority != queue[0].at || seen[c.Holder] {
				continue
			}
			path := append(slices.Clone(queue[0].path), c)
			if c.Holder == to && c.CHAT.Role == TerminalRole {
				return path
			}
			seen[c.Holder] = true
			queue = append(queue, step{c.Holder, path})
		}
	}
	return nil
}

// EncodeCVCA writes EF.CVCA: the names of the chip's trust points, the newest first and at
// most two, filled with zeros to 36 octets (Doc 9303-11 §7.1.1, TR-03110-3 §A.6.2).
func EncodeCVCA(names ...Reference) []byte {
	var b []byte
	for _, n := range names[:min(len(names), 2)] {
		b = append(append(b, byte(tagCAR), byte(len(n))), n...)
	}
	return append(b, make([]byte, max(0, sizeCVCA-len(b)))...)
}

// sizeCVCA is the length of EF.CVCA.
const sizeCVCA = 36

// ParseCVCA reads EF.CVCA. Errors wrap ErrMalformed.
func ParseCVCA(raw []byte) ([]Reference, error) {
	var names []Reference
	b := raw
	for len(b) >= 2 && b[0] == byte(tagCAR) && len(names) < 2 {
		n := int(b[1])
		if n > len(b)-2 || !Reference(b[2:2+n]).valid() {
			return nil, fmt.Errorf("EF.CVCA: %w", ErrMalformed)
		}
		names = append(names, Reference(b[2:2+n]))
		b = b[2+n:]
	}
	for _, v := range b {
		if v != 0 {
			return nil, fmt.Errorf("EF.CVCA: %w", ErrMalformed)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("EF.CVCA names no key: %w", ErrMalformed)
	}
	return names, nil
}
