package cms

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

func FuzzParse(f *testing.F) {
	var file struct {
		Cases []struct{ Files map[string]string }
	}
	if err := json.Unmarshal(testdata.Read(f, "passive-auth/cases.json"), &file); err != nil {
		f.Fatal(err)
	}
	for _, c := range file.Cases {
		sod, err := hex.DecodeString(c.Files["EF.SOD"])
		if err != nil || len(sod) < 4 {
			f.Fatal("no SOD")
		}
		f.Add(sod[4:]) // without tag 77 and its three length octets
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := Parse(raw)
		if err != nil {
			if d != nil {
				t.Error("a partial result with an error")
			}
			return
		}
		for _, s := range d.Signers {
			_, _ = s.SigningTime()
			for _, c := range d.SignerCertificates(s) {
				if len(raw) < 8192 {
					_ = d.Verify(s, c.PublicKey)
				}
			}
		}
	})
}

func FuzzNormalise(f *testing.F) {
	f.Add([]byte{0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00})
	f.Add([]byte{0x30, 0x81, 0x03, 0x02, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, ber []byte) {
		der, err := normalise(ber)
		if err != nil {
			return
		}
		if again, err := normalise(der); err != nil || !bytes.Equal(again, der) || len(der) > len(ber) {
			t.Errorf("%x: %x, again %x, %v", ber, der, again, err)
		}
	})
}
