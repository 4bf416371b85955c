package cms

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/testdata"
)

type listCase struct {
	File         string
	ContentType  string `json:"content_type"`
	Certificates int
	SignerID     string `json:"signer_identifier"`
	SignatureAlg string `json:"signature_algorithm"`
}

// contents reads MasterListContent: version, SET OF Certificate (Doc 9303-12 §8).
func contents(t testing.TB, der []byte) []*cert.Certificate {
	s := cryptobyte.String(der)
	var list, set cryptobyte.String
	var version int
	if !s.ReadASN1(&list, tags.SEQUENCE) || !list.ReadASN1Integer(&version) || !list.ReadASN1(&set, tags.SET) {
		t.Fatal("no master list")
	}
	var out []*cert.Certificate
	for !set.Empty() {
		var raw cryptobyte.String
		if !set.ReadASN1Element(&raw, tags.SEQUENCE) {
			t.Fatal("no certificate")
		}
		c, err := cert.Parse(raw)
		if err != nil {
			t.Errorf("certificate %d: %v", len(out), err)
			continue
		}
		if c.KeyErr != nil {
			t.Errorf("%v: %v", c.Subject, c.KeyErr)
		}
		out = append(out, c)
	}
	return out
}

// TestMasterLists verifies every list under the signer that it names and that signer
// under a CSCA of the list, and loads every certificate of it.
func TestMasterLists(t *testing.T) {
	var index struct{ Cases []listCase }
	if err := json.Unmarshal(testdata.Vectors(t, "pki/master-lists/index.json"), &index); err != nil {
		t.Fatal(err)
	}
	distinct := make(map[[32]byte]*cert.Certificate)
	for _, c := range index.Cases {
		t.Run(strings.TrimPrefix(c.File, "pki/master-lists/"), func(t *testing.T) {
			d, err := Parse(testdata.Vectors(t, c.File))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Signers) != 1 || !d.ContentType.Equal(OIDMasterList) || d.ContentType.String() != c.ContentType {
				t.Fatalf("%d signers, content %v", len(d.Signers), d.ContentType)
			}
			signer := d.Signers[0]
			if (signer.KeyID != nil) != (c.SignerID == "subject_key_identifier") {
				t.Errorf("signer by key id: %v, want %s", signer.KeyID != nil, c.SignerID)
			}
			certs := d.SignerCertificates(signer)
			if len(certs) != 1 {
				t.Fatalf("%d signer certificates", len(certs))
			}
			if err := d.Verify(signer, certs[0].PublicKey); err != nil {
				t.Error(err)
			}
			list := contents(t, d.Content)
			if len(list) != c.Certificates {
				t.Errorf("%d certificates, want %d", len(list), c.Certificates)
			}
			issued := false
			for _, csca := range list {
				distinct[csca.Fingerprint()] = csca
				issued = issued || csca.Subject.Equal(certs[0].Issuer) && certs[0].CheckSignature(csca.PublicKey) == nil
			}
			if !issued {
				t.Error("signer was issued by no CSCA of the list")
			}
			if _, ok := signer.SigningTime(); !ok {
				t.Error("no signing time") // mandatory in Doc 9303-12
			}
		})
	}
	if testing.Short() {
		return
	}
	selfSigned, linked, orphans := 0, 0, 0
	for _, c := range distinct {
		switch {
		case c.SelfSigned():
			selfSigned++
		case signedByAny(c, distinct):
			linked++
		default:
			orphans++
			t.Logf("no issuer: %v by %v", c.Subject, c.Issuer)
		}
	}
	t.Logf("%d certificates: %d self-signed, %d under another, %d without issuer here", len(distinct), selfSigned, linked, orphans)
	if orphans > 12 { // those whose issuer is in no list
		t.Errorf("%d certificates verify under no other", orphans)
	}
}

func signedByAny(c *cert.Certificate, all map[[32]byte]*cert.Certificate) bool {
	for _, other := range all {
		if other.Subject.Country() == c.Issuer.Country() && c.CheckSignature(other.PublicKey) == nil {
			return true
		}
	}
	return false
}
