package virtual

import (
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// TestWhoMayReadWhat tries every kind of file in every state of a card, by SELECT and by
// READ BINARY (TR-03105-3.2 units H and L): what may not be read is 6982 whether it is
// there or not as long as nobody has opened the card.
func TestWhoMayReadWhat(t *testing.T) {
	const (
		closed = iota
		bac
		pace
		chip
		dg3 // Terminal Authentication with the right to DG3
		states
	)
	ok, no, absent := apdu.OK, apdu.SecurityStatus, apdu.FileNotFound
	files, ca := eacFiles(t)
	u := newCountry(t, cvc.ECDSASHA256, cvc.InspectionSystem, cvc.ReadDG3)
	c, err := FromFolder(folder(files), FolderOptions{
		CA: ca, CAN: canDigits, TrustPoints: [][]byte{u.cvca.Raw}, Limits: extended, ATRInfo: atrInfo, DIR: directory,
	})
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[lds.File][states]apdu.Status{
		lds.COM:     {no, ok, ok, ok, ok},
		lds.SODFile: {no, ok, ok, ok, ok},
		lds.DG1:     {no, ok, ok, ok, ok},
		lds.DG2:     {no, ok, ok, ok, ok},
		lds.DG3:     {no, no, no, no, ok},
		lds.DG4:     {no, no, no, no, no},
		lds.DG5:     {no, absent, absent, absent, absent},
		lds.DG14:    {no, ok, ok, ok, ok},
		lds.DG16:    {no, absent, absent, absent, absent},
	} {
		for state := range states {
			for _, bySelect := range []bool{false, true} {
				over := stateOf(t, c, files, u, state, bac, chip, dg3)
				cmd := readCommand(file, 0, 1)
				if bySelect {
					cmd = apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{byte(file.FID() >> 8), byte(file.FID())}}
				}
				if r, err := over.Transmit(t.Context(), cmd); err != nil || r.Status != want[state] {
					t.Errorf("%v in state %d, SELECT %v: %v, %v; want %v", file, state, bySelect, r.Status, err, want[state])
				}
			}
		}
	}
}

// stateOf brings a card into a state with LDS1 selected: 0 is closed, bac opened by BAC, the
// one after it by PACE, chip after Chip Authentication, dg3 after Terminal Authentication.
func stateOf(t *testing.T, c *Chip, files map[lds.File][]byte, u *country, state, bac, chip, dg3 int) apdu.Transmitter {
	t.Helper()
	if state >= chip {
		i := inspect(t, c, files, false)
		if state == dg3 {
			if err := i.authenticate(u, extended); err != nil {
				t.Fatal(err)
			}
		}
		return i.ca.Channel
	}
	c.Reset()
	link := apdu.Over(c, extended)
	selectLDS := apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)}
	var over apdu.Transmitter = link
	var ch *sm.Channel
	if state > bac {
		infos, err := lds.ParseCardAccess(files[lds.CardAccess])
		if err != nil {
			t.Fatal(err)
		}
		r, err := auth.PACE(t.Context(), link, auth.CAN(canDigits), infos.PACE[0])
		if err != nil {
			t.Fatal(err)
		}
		over = r.Channel
	}
	if r, err := over.Transmit(t.Context(), selectLDS); err != nil || r.Status != apdu.OK {
		t.Fatal(r.Status, err)
	}
	if state == bac {
		var err error
		if ch, err = auth.BAC(t.Context(), link, auth.MRZ(mrzInformation)); err != nil {
			t.Fatal(err)
		}
		over = ch
	}
	return over
}
