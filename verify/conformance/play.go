package conformance

import (
	"slices"

	"github.com/tamthe/tamthe/verify"
)

// play is one way in which a case is played: a change to a card that is sound without it.
type play struct {
	id      string
	what    string
	base    func() *blueprint
	verdict string
	reason  verify.Reason // that must be among those given; "" is none in particular
	change  func(*blueprint)
}

// The verdicts that a play may expect.
const (
	accept = "accept"
	refuse = "refuse"
	refer  = "refer"
)

// plays holds every play.
func plays() []play {
	return slices.Concat(
		accessPlays(), hostilePlays(), bacPlays(), mappingPlays(), sessionPlays(), algorithmPlays(), sodPlays(), chainPlays(), activePlays(), agreementPlays(), terminalPlays(), dataPlays(), deskPlays(), listPlays(), evidencePlays(),
	)
}
