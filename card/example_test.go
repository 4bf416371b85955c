package card_test

import (
	"context"
	"fmt"
	"log"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/lds"
)

// A file is read from a card that is opened with the number printed on it. Nothing here says
// that the card is genuine: package verify does.
func ExampleOpen() {
	ctx := context.Background()
	var reader apdu.Wire // such as a pcsc.Card
	s, err := card.Open(ctx, apdu.Over(reader, apdu.Limits{}), card.Options{Passwords: []auth.Password{auth.CAN("123456")}})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	raw, err := s.ReadFile(ctx, lds.DG1, nil)
	if err != nil {
		log.Fatal(err)
	}
	zone, err := lds.ParseDG1(raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(zone.Number, s.Access().Protocol)
}

// A terminal with certificates reads a group of an eID card: PACE with the holder's PIN and
// the rights that it asks for, Terminal Authentication, then Chip Authentication with a key of
// EF.CardSecurity, whose signature is Passive Authentication's to check.
func ExampleSession_Terminal2() {
	const familyNames = 7 + 5 // the right to read DG5 (TR-03110-4 §2.2.3)
	ctx := context.Background()
	var reader apdu.Wire
	var key auth.TerminalKey // the terminal's certificates, and its key or an HSM's
	chat := cvc.NewCHAT(cvc.AuthenticationTerminal, cvc.TerminalRole, familyNames)
	s, err := card.Open(ctx, apdu.Over(reader, apdu.Limits{}), card.Options{Passwords: []auth.Password{auth.PIN("123456")}, CHAT: chat.Bytes()})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	offer, err := lds.ParseCardAccess(s.Access().CardAccess)
	if err != nil || len(offer.Domains) == 0 {
		log.Fatal("no group for Chip Authentication: ", err)
	}
	ta, err := s.Terminal2(ctx, key, offer.Domains[0].Domain.Group, nil)
	if err != nil {
		log.Fatal(err)
	}
	raw, err := s.ReadFile(ctx, lds.CardSecurity, nil)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := lds.ParseCardSecurity(raw)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := auth.ChipAuthKeys(signed.Infos)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Chip2(ctx, ta, keys[0]); err != nil {
		log.Fatal(err) // the chip does not hold the key
	}
	if err := s.Select(ctx, lds.EIDApplication()); err != nil {
		log.Fatal(err)
	}
	raw, err = s.ReadFile(ctx, lds.EIDFile(5), nil)
	if err != nil {
		log.Fatal(err)
	}
	group, err := lds.ParseEID(5, raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Text)
}
