package lds

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
)

// TestCardSecurity reads what chips of three makers say signed, and verifies the signature
// under the certificate that comes with it.
func TestCardSecurity(t *testing.T) {
	var file struct {
		Cases []struct {
			CardSecurity string `json:"card_security"`
			Static       string `json:"static_public_key"`
			CAChip       string `json:"ca_chip_public"`
		}
	}
	files := map[string][]byte{"persosim": testdata.Vectors(t, "lds/de-td1-defaultpersogt/EF.CardSecurity.bin")}
	keys := map[string]string{}
	for _, name := range []string{"worked/pace-cam-ecdh-recording.json", "worked/eac2-ecdh.json"} {
		if err := json.Unmarshal(testdata.Vectors(t, name), &file); err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(file.Cases[0].CardSecurity)
		if err != nil {
			t.Fatal(err)
		}
		files[name], keys[name] = raw, file.Cases[0].Static+file.Cases[0].CAChip
		file.Cases = nil
	}
	for name, raw := range files {
		s, err := ParseCardSecurity(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(s.Infos.ChipKeys) == 0 || len(s.Infos.Chip) == 0 || len(s.Infos.PACE) == 0 {
			t.Errorf("%s: %+v", name, s.Infos)
		}
		for _, k := range s.Infos.ChipKeys {
			if k.Err != nil || k.Key.EC.Curve() != dh.BrainpoolP256r1() {
				t.Errorf("%s: %v, %v", name, k.Key, k.Err)
			}
		}
		if want, _ := hex.DecodeString(keys[name]); len(want) > 0 && hex.EncodeToString(s.Infos.ChipKeys[0].Key.EC.Bytes()) != hex.EncodeToString(want) {
			t.Errorf("%s: key %X", name, s.Infos.ChipKeys[0].Key.EC.Bytes())
		}
		signer, err := cert.Parse(s.Signed.Certificates[0].Raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Verify(signer.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		other, err := cert.NewPublicKey(dh.P256().Generator())
		if err != nil {
			t.Fatal(err)
		}
		if s.Verify(other) == nil {
			t.Errorf("%s verifies under any key", name)
		}
		for _, bad := range [][]byte{nil, raw[:len(raw)-1], append([]byte{0x77}, raw[1:]...)} {
			if got, err := ParseCardSecurity(bad); err == nil || got != nil {
				t.Errorf("%s: %d octets are taken", name, len(bad))
			}
		}
	}
	if _, err := ParseCardSecurity(testdata.Vectors(t, "lds/bsi-reference/EF.SOD.bin")[4:]); err == nil {
		t.Error("a SOD is taken for EF.CardSecurity")
	}
}
