//go:build cgo && !nopcsc

package pcsc

import (
	"context"

	"github.com/ebfe/scard"
)

// Diagnose looks at the service and at each reader, and opens each card for a moment,
// without a command and without a reset. It takes at most some seconds a reader.
func Diagnose(ctx context.Context) Diagnosis {
	d := Diagnosis{Library: libraryVersion()}
	readers, err := Readers(ctx)
	if err != nil {
		d.Service = err
		return d
	}
	for _, r := range readers {
		d.Readers = append(d.Readers, diagnose(ctx, r))
	}
	return d
}

func diagnose(ctx context.Context, r Reader) ReaderDiagnosis {
	d := ReaderDiagnosis{Reader: r}
	if !r.Card {
		return d
	}
	d.Extended = extended(historical(r.ATR))
	c, err := establish(ctx, defaultEstablishTimeout)
	if err != nil {
		d.Error = err
		return d
	}
	type seen struct {
		protocol   Protocol
		maxCommand int
	}
	s, err := within(ctx, defaultEstablishTimeout, func() (seen, error) {
		defer c.Release()
		card, err := c.Connect(r.Name, scard.ShareShared, anyProtocol)
		if err != nil {
			return seen{}, problem(err)
		}
		defer card.Disconnect(scard.LeaveCard)
		s := seen{maxCommand: maxAPDU(card)}
		if card.ActiveProtocol() == scard.ProtocolT0 {
			s.protocol = T0
		} else {
			s.protocol = T1
		}
		return s, nil
	}, func(seen) {})
	d.Protocol, d.MaxCommand, d.Error = s.protocol, s.maxCommand, err
	return d
}

// maxAPDU asks the reader, whose driver may know none of the questions.
func maxAPDU(card *scard.Card) int {
	features, err := card.Control(scard.CtlCode(featureRequest), nil)
	if err != nil {
		return 0
	}
	code, ok := feature(features, featureTLVProperties)
	if !ok {
		return 0
	}
	properties, err := card.Control(code, nil)
	if err != nil {
		return 0
	}
	return number(property(properties, propertyMaxAPDU))
}
