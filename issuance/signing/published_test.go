package signing

import (
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// TestRefusesOtherFiles: the certificate and the list that count are those that the log says
// were issued, whatever lies in the folder.
func TestRefusesOtherFiles(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	other := must(r.root.PrepareSigner(ca.Signer{
		Serial: ca.NewSerial(), Key: r.keys["ds-001"].Public(), CommonName: "SPECIMEN ds-001", From: r.now, CardYears: 25, DocumentTypes: []string{"ID"},
	}))(t)
	list := must(r.root.PrepareCRL(ca.CRL{Number: big.NewInt(99), At: r.now, Days: 90}))(t)
	for file, der := range map[string][]byte{"ds-001.cer": must(other.Issue(r.csca))(t), "csca.crl": must(list.Issue(r.csca))(t)} {
		was := must(os.ReadFile(r.path("pki", file)))(t)
		check(t, os.WriteFile(r.path("pki", file), der, 0o600))
		r.refusesAll("another "+file, c, issuance.ErrChanged)
		check(t, os.WriteFile(r.path("pki", file), was, 0o600))
	}
	must(r.service().Sign(t.Context(), c.request))(t)
}

// TestRefusesByTheList: a signer that the list has is none, though the log does not say that
// it was revoked, and a list of tomorrow says nothing of today.
func TestRefusesByTheList(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	r.now = r.now.Add(2 * time.Hour)
	r.crl(90)
	r.now = r.now.Add(-2 * time.Hour)
	r.refusesAll("a list of two hours from now", c, ErrStaleCRL)

	der := must(os.ReadFile(r.path("pki", "ds-001.cer")))(t)
	listed := must(r.root.PrepareCRL(ca.CRL{
		Number: big.NewInt(99), At: r.now, Days: 90, Entries: []cert.Revocation{{Serial: must(cert.Parse(der))(t).Serial, Time: r.now}},
	}))(t)
	r.publish("csca", "csca", "crl", "csca.crl", must(listed.Issue(r.csca))(t), "")
	r.refusesAll("a signer that the list has", c, ErrNoSigner)
}
