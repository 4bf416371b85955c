package virtual

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// referenceFiles have the sizes of the document that performance is measured with: SOD
// 1,264 octets, DG1 95, DG2 20,042, DG13 904, DG14 173, DG15 93.
func referenceFiles(t testing.TB, aa, ca *dh.Point) map[lds.File][]byte {
	t.Helper()
	files := documentFiles(t, aa, ca)
	delete(files, lds.COM)
	files[lds.SODFile] = tlv.Encode(0x77, make([]byte, 1264-4))
	files[lds.DG2] = tlv.Encode(0x75, make([]byte, 20042-4))
	files[lds.DG13] = tlv.Encode(0x6D, make([]byte, 904-4))
	return files
}

// plan reads the reference document with as few commands as can be, block octets at a
// time, and returns what it cost by a model.
func plan(t testing.TB, m Model, block int) Cost {
	t.Helper()
	aa, ca := generated(t, dh.P256()), generated(t, dh.BrainpoolP256r1())
	files := referenceFiles(t, aa.Point(), ca.Point())
	c, err := FromFolder(folder(files), FolderOptions{AA: aa, CA: ca, CAN: canDigits, Limits: extended})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetModel(m)
	limits := extended
	if block < 256 {
		limits = apdu.Limits{}
	}
	link := apdu.Over(c, limits)
	must := func(r apdu.Response, err error) []byte {
		t.Helper()
		if err != nil || r.Status != apdu.OK && r.Status != apdu.EndOfFile {
			t.Fatal(r.Status, err)
		}
		return r.Data
	}
	raw := must(link.Transmit(t.Context(), apdu.Command{INS: 0xB0, P1: 0x9C, Le: 256}))
	infos, err := lds.ParseCardAccess(raw)
	if err != nil {
		t.Fatal(err)
	}
	result, err := auth.PACE(t.Context(), link, auth.CAN(canDigits), infos.PACE[0])
	if err != nil {
		t.Fatal(err)
	}
	ch := result.Channel
	defer ch.Close()
	must(ch.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(aidLDS1)}))
	for _, f := range []lds.File{lds.SODFile, lds.DG14, lds.DG15, lds.DG1, lds.DG13, lds.DG2} {
		if f == lds.DG1 {
			must(ch.Transmit(t.Context(), apdu.Command{INS: 0x88, Data: make([]byte, 8), Le: 256}))
		}
		if got := readBy(t, ch, f, block, len(files[f]), must); !bytes.Equal(got, files[f]) {
			t.Fatalf("%v: %d octets", f, len(got))
		}
	}
	if got := link.Traffic(); got.APDUs != c.Cost().APDUs || got.BytesIn+got.BytesOut != c.Cost().Octets {
		t.Errorf("%+v on the wire, %+v in the model", got, c.Cost())
	}
	return c.Cost()
}

func readBy(t testing.TB, ch *sm.Channel, f lds.File, block, size int, must func(apdu.Response, error) []byte) []byte {
	var got []byte
	for len(got) < size {
		cmd := apdu.Command{INS: 0xB0, P1: byte(len(got) >> 8), P2: byte(len(got)), Le: min(block, size-len(got))}
		if len(got) == 0 {
			cmd.P1 = 0x80 | f.SFI()
		}
		got = append(got, must(ch.Transmit(t.Context(), cmd))...)
	}
	return got
}

func generated(t testing.TB, c *dh.Curve) *dh.PrivateKey {
	t.Helper()
	k, err := c.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestModel holds the model against the seconds that were worked out by hand for the
// reference document from the same parameters.
func TestModel(t *testing.T) {
	short, medium, long, whole := 223, 1487, 4080, 65000
	for _, x := range []struct {
		name  string
		m     Model
		block int
		apdus int
		want  float64
	}{
		{"P71, 848", P71(), short, 112, 1.47},
		{"P71, 848", P71(), medium, 27, 0.72},
		{"P71, 848", P71(), long, 18, 0.64},
		{"P71, 848", P71(), whole, 14, 0.60},
		{"P60, 848", P60(), short, 112, 4.38},
		{"P60, 848", P60(), medium, 27, 1.69},
		{"P60, 848", P60(), long, 18, 1.41},
		{"P60, 848", P60(), whole, 14, 1.28},
		{"native, 848", Native(), short, 112, 0.98},
		{"native, 848", Native(), medium, 27, 0.61},
		{"native, 848", Native(), long, 18, 0.57},
		{"native, 848", Native(), whole, 14, 0.55},
		{"P71, 106", P71().At(106), short, 112, 3.57},
		{"P71, 106", P71().At(106), long, 18, 2.46},
		{"P71, 424", P71().At(424), medium, 27, 0.98},
		{"P71, 3390", P71().At(3390), short, 112, 1.25},
		{"P71, 3390", P71().At(3390), whole, 14, 0.41},
		{"P60, 424", P60().At(424), short, 112, 4.68},
		{"P60, 424", P60().At(424), long, 18, 1.67},
		{"P71, 848, slow reader", P71().Behind(15 * time.Millisecond), long, 18, 0.86},
		{"P71, 848, fast reader", P71().Behind(time.Millisecond), long, 18, 0.61},
	} {
		t.Run(fmt.Sprintf("%s/%d", x.name, x.block), func(t *testing.T) {
			c := plan(t, x.m, x.block)
			t.Logf("%.2f s, wanted %.2f: %+v", c.Total().Seconds(), x.want, c)
			if c.APDUs != x.apdus {
				t.Errorf("%d commands, want %d", c.APDUs, x.apdus)
			}
			if math.Abs(c.Total().Seconds()-x.want) > 0.03*x.want+0.005 {
				t.Errorf("%.3f s, want %.2f", c.Total().Seconds(), x.want)
			}
		})
	}
}

// TestModelIsDeterministic reads the same document twice.
func TestModelIsDeterministic(t *testing.T) {
	if a, b := plan(t, P71(), 1487), plan(t, P71(), 1487); a != b {
		t.Errorf("%+v and %+v", a, b)
	}
}

func TestNoModelCostsNothing(t *testing.T) {
	c, _ := issued(t)
	send(t, c, "00A4040C07A0000002471001")
	if c.Cost().Total() != 0 {
		t.Errorf("%+v", c.Cost())
	}
}
