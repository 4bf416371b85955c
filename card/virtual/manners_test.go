package virtual

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
)

// manners are quirks that a session has to read through.
var manners = map[string]Quirks{
	"none":                         {},
	"SELECT MF is 6D00":            {SelectMF: apdu.INSNotSupported},
	"SELECT MF is 6A86":            {SelectMF: apdu.WrongP1P2},
	"SELECT MF is 6A82":            {SelectMF: apdu.FileNotFound},
	"Le on SELECT and MSE is 6700": {CaseFour: apdu.WrongLength},
	"no SFI, 6985":                 {SFI: apdu.ConditionsNotSatisfied},
	"no SFI, 6A82":                 {SFI: apdu.FileNotFound},
	"no SFI, 6A81":                 {SFI: apdu.FunctionNotSupported},
	"blocks of 231":                {Block: 231},
	"blocks of 223":                {Block: 223},
	"blocks of 160":                {Block: 160},
	"above 223 is 6700":            {Block: 223, Above: apdu.WrongLength},
	"above 231 is 6B00":            {Block: 231, Above: apdu.WrongOffset},
	"above 160 is 6C":              {Block: 160, Above: apdu.WrongLe},
	"above 112 is 6700":            {Block: 112, Above: apdu.WrongLength},
	"end is 9000":                  {Beyond: apdu.OK},
	"end is 6282":                  {Beyond: apdu.EndOfFile},
	"end is 6C":                    {Beyond: apdu.WrongLe},
	"end is 6700":                  {Beyond: apdu.WrongLength},
	"end is 6B00":                  {Beyond: apdu.WrongOffset},
	"padding behind files":         {Padding: 40},
	"padding, 6282":                {Padding: 40, Beyond: apdu.EndOfFile},
	"EF.ATR/INFO by SELECT":        {SelectATR: true},
	"all answers held back":        {Held: 16},
	"Le 00 is none":                {LiteralLe: true},
}

// manyApplications fill more than one answer.
var manyApplications = lds.EncodeDIR(slices.Repeat([]lds.Application{{AID: []byte(aidLDS1), Label: "a label of the card's own"}}, 12)...)

// TestSessionsBearManners reads whole cards of every manner with the session of package
// card, at each size of commands.
func TestSessionsBearManners(t *testing.T) {
	for name, q := range manners {
		for _, l := range []apdu.Limits{{}, {Command: 1520, Response: 1520}, extended} {
			for _, info := range [][]byte{nil, atrInfo} {
				t.Run(fmt.Sprintf("%s/%d/%d", name, l.Response, len(info)), func(t *testing.T) {
					files := documentFiles(t, nil, nil)
					files[lds.DG2] = tlv.Encode(0x75, bytes.Repeat([]byte("portrait"), 900))
					c, err := FromFolder(folder(files), FolderOptions{CAN: canDigits, Quirks: q, Limits: l, ATRInfo: info, DIR: manyApplications})
					if err != nil {
						t.Fatal(err)
					}
					s := openBy(t, c, l, auth.CAN(canDigits))
					defer s.Close()
					for f, want := range files {
						if f == lds.CardAccess {
							continue
						}
						if got, err := s.ReadFile(t.Context(), f, nil); err != nil || !bytes.Equal(got, want) {
							t.Errorf("%v: %d octets instead of %d, %v", f, len(got), len(want), err)
						}
					}
					if _, err := s.ReadFile(t.Context(), lds.DG16, nil); !errors.Is(err, card.ErrFileAbsent) {
						t.Errorf("DG16: %v", err)
					}
					got, err := s.ReadMaster(t.Context(), lds.DIR)
					if q.SelectMF != 0 {
						if !errors.Is(err, q.SelectMF) {
							t.Errorf("EF.DIR without a master file: %v", err)
						}
					} else if want := append(bytes.Clone(manyApplications), make([]byte, q.Padding)...); err != nil || !bytes.Equal(got, want) {
						t.Errorf("EF.DIR: %d octets instead of %d, %v", len(got), len(want), err)
					}
				})
			}
		}
	}
}
