package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tamthe/tamthe/issuance"
)

// Print makes the print job of a finished card, front and back as two pages of a PDF at
// true size from what was approved, and records before it returns that the body is about
// to be printed: from then on the card is passed only with a reading of its body. The same
// card gives the same octets each time, and may be printed again while nobody has checked
// it. What cannot be printed is an error of package printjob, and nothing is recorded.
func (o *Office) Print(ctx context.Context, id string) ([]byte, error) {
	stream := issuance.Card(id)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	card := s.state.Subject(stream)
	if err := known(card); err != nil {
		return nil, err
	}
	if err := s.may(stream, issuance.Print, nil); err != nil {
		return nil, err
	}
	d, err := o.Draft(ctx, card.Fields["application"])
	if err != nil {
		return nil, err
	}
	job, err := d.body().PDF()
	if err != nil {
		return nil, err
	}
	err = s.add(stream, issuance.Print, func(e *issuance.Entry) error {
		p := printed{Job: sha256.Sum256(job)}
		rand.Read(p.Salt[:])
		sum := issuance.Commit(p.Salt, p.Job[:])
		e.Fields = map[string]string{"print": hex.EncodeToString(sum[:])}
		return o.seal(ctx, e, card.Fields["application"], printName, p)
	})
	if err != nil {
		return nil, err
	}
	return job, s.commit(ctx)
}

// printed is what is sealed of a print job: its digest, and the salt of what the leaf says.
type printed struct{ Job, Salt [32]byte }
