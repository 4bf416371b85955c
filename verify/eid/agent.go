package eid

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
)

// inNational are the fields that lie in DG13; all others lie in DG1.
var inNational = []string{"ethnicity", "name", "origin", "residence"}

// national reports whether the file with the national fields is needed.
func (r Request) national() bool {
	return slices.ContainsFunc(r.Fields, func(f string) bool { return slices.Contains(inNational, f) })
}

// Gather is the citizen's side: it reads the files that the request's fields need and no
// others, none of the holder's picture or fingers, and has the chip sign the request's
// challenge where it can. The session is still open afterwards, for Carry.
func Gather(ctx context.Context, s *card.Session, r Request, agent string) (Evidence, error) {
	e := Evidence{Files: map[lds.File][]byte{}, For: &SignedFor{r.Server, r.Party, r.Session, r.Nonce}}
	read := func(f lds.File, needed bool) error {
		b, err := s.ReadFile(ctx, f, nil)
		if errors.Is(err, card.ErrFileAbsent) && !needed {
			return nil
		}
		if err == nil {
			e.Files[f] = b
		}
		return err
	}
	if err := read(lds.SODFile, true); err != nil {
		return Evidence{}, err
	}
	if b := s.Access().CardAccess; b != nil {
		e.Files[lds.CardAccess] = b
	}
	files := []lds.File{lds.DG14, lds.DG15}
	if r.national() {
		files = append(files, lds.DG13)
	}
	if err := read(lds.DG1, true); err != nil {
		return Evidence{}, err
	}
	for _, f := range files {
		if err := read(f, false); err != nil {
			return Evidence{}, err
		}
	}
	if raw, ok := e.Files[lds.DG15]; ok {
		pub, err := lds.ParseDG15(raw)
		if err != nil {
			return Evidence{}, err
		}
		if e.Signature, err = s.InternalAuthenticate(ctx, pub, r.Challenge(agent)); err != nil {
			return Evidence{}, fmt.Errorf("have the chip sign: %w", err)
		}
	}
	return e, nil
}

// Carry has the chip answer a Step. The session is over afterwards.
func Carry(ctx context.Context, s *card.Session, step *Step) (apdu.Response, error) {
	r, err := s.Carry1(ctx, step.Agreement, step.First)
	if errors.Is(err, auth.ErrForeignCommand) {
		return r, fmt.Errorf("the service wants more of the card than was agreed: %w", err)
	}
	return r, err
}
