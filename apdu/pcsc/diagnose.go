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
	seen, err := within(ctx, defaultEstablishTimeout, func() (ReaderDiagnosis, error) {
		defer c.Release()
		card, err := c.Connect(r.Name, scard.ShareShared, anyProtocol)
		if err != nil {
			return d, problem(err)
		}
		defer card.Disconnect(scard.LeaveCard)
		return asked(d, card), nil
	}, func(ReaderDiagnosis) {})
	if err != nil {
		d.Error = err
		return d
	}
	return seen
}

// asked adds what the driver tells of the reader. It may know none of the questions.
func asked(d ReaderDiagnosis, card *scard.Card) ReaderDiagnosis {
	d.Protocol = T1
	if card.ActiveProtocol() == scard.ProtocolT0 {
		d.Protocol = T0
	}
	attribute := func(id scard.Attrib) []byte {
		b, err := card.GetAttrib(id)
		if err != nil {
			return nil
		}
		return b
	}
	d.Driver = driverVersion(attribute(scard.AttrVendorName), attribute(scard.AttrVendorIfdVersion))
	d.MaxRate = number(attribute(scard.AttrMaxDataRate))
	d.CardRate = cardRate(d.ATR)
	d.MaxCommand = maxAPDU(card)
	return d
}

// maxAPDU asks the reader for dwMaxAPDUDataSize.
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
