package monitor_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
)

// revoke ends the use of a key.
func (a *authority) revoke(t *testing.T, name string) {
	t.Helper()
	o := a.r.office
	o.Must(t, ledgertest.Step{
		Stream: issuance.Key(name), Act: issuance.Revoke, By: o.Custodian, Second: &o.CustodianMate,
		Fields: map[string]string{"reason": "compromised"},
	})
}

// generations is a rig with two CSCA keys, the second of which has not signed yet.
func generations(t *testing.T) (*rig, *authority, *signer) {
	t.Helper()
	r, a, s := signed(t)
	put(t, r.path("pki/ds-101.cer"), s.issuer.Certificate.Raw)
	a.log(t, "csca-002", "csca", "certificate", []byte("certificate of csca-002"), nil)
	a.log(t, "csca", "", "link", []byte("link"), map[string]string{"chr": "csca-002"})
	r.office.Pass(49 * time.Hour)
	r.export(t)
	r.now = r.office.Pass(time.Second)
	r.quiet(t)
	return r, a, s
}

// TestOverdueNotNamed: a revocation is told by a list that names the certificate, and not by
// any list; one whose certificate was never seen is told too.
func TestOverdueNotNamed(t *testing.T) {
	for _, test := range []struct {
		seen, named, published bool
		want                   []monitor.Code
	}{
		{true, true, true, nil},
		{true, false, true, []monitor.Code{monitor.ListOverdue}},
		{true, true, false, []monitor.Code{monitor.ListOld, monitor.ListOverdue}},
		{false, true, true, []monitor.Code{monitor.ListOverdue}},
	} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			r, a, s := signed(t)
			if test.seen {
				put(t, r.path("pki/ds-101.cer"), s.issuer.Certificate.Raw)
			}
			a.revoke(t, s.name)
			var names []*signer
			if test.named {
				names = append(names, s)
			}
			if crl := a.crl(t, 90, true, names...); test.published {
				put(t, r.path("pki/csca.crl"), crl)
			}
			r.export(t)
			r.now = r.office.Pass(47 * time.Hour)
			r.quiet(t)
			r.now = r.office.Pass(2 * time.Hour)
			r.alarms(t, test.want...)
		})
	}
}

// TestUnlisted: a later list leaves out what an earlier one named.
func TestUnlisted(t *testing.T) {
	r, a, s := signed(t)
	put(t, r.path("pki/ds-101.cer"), s.issuer.Certificate.Raw)
	a.revoke(t, s.name)
	put(t, r.path("pki/csca.crl"), a.crl(t, 90, true, s))
	r.export(t)
	r.now = r.office.Pass(49 * time.Hour)
	r.quiet(t)
	put(t, r.path("pki/csca.crl"), a.crl(t, 90, true))
	r.export(t)
	r.now = r.office.Pass(time.Second)
	r.alarms(t, monitor.ListOverdue)
}

// TestOverdueGenerations: the list of the CSCA that certified a key tells of it, and that of
// the generation after it (Doc 9303-12 §7.1.4); an earlier one's does not.
func TestOverdueGenerations(t *testing.T) {
	for _, by := range []string{"csca", "csca-002"} {
		r, a, s := generations(t)
		a.revoke(t, s.name)
		put(t, r.path("pki/csca.crl"), a.crlBy(t, by, 90, true, s))
		r.export(t)
		r.now = r.office.Pass(49 * time.Hour)
		r.quiet(t)
	}
	r, a, _ := generations(t)
	later := a.signer(t, "ds-201", false)
	a.log(t, later.name, "ds", "certificate", []byte("certificate"), map[string]string{"issuer": "csca-002", "cap": "10"})
	a.revoke(t, later.name)
	put(t, r.path("pki/csca.crl"), a.crlBy(t, "csca", 90, true, later))
	r.export(t)
	r.now = r.office.Pass(49 * time.Hour)
	r.alarms(t, monitor.ListOverdue)
}

// TestListOfEach: the list of one CSCA does not hide that another's grows old or is gone; a
// newer generation's takes its place.
func TestListOfEach(t *testing.T) {
	r, a, _ := generations(t)
	next := a.crlBy(t, "csca-002", 90, true)
	put(t, r.path("pki/csca.crl"), next) // of the first nothing is published any more
	r.export(t)
	r.now = r.office.Pass(49 * time.Hour)
	r.quiet(t)
	old := a.crl(t, 90, true) // and does not take the newer one's place
	put(t, r.path("pki/csca.crl"), old)
	r.export(t)
	r.now = r.office.Pass(time.Second)
	r.quiet(t)
	r.now = r.office.Pass(25 * time.Hour)
	r.alarms(t, monitor.ListGone)
	put(t, r.path("pki/csca-002.crl"), next)
	r.quiet(t)
	r.now = r.office.Pass(70 * day)
	put(t, r.path("pki/csca.crl"), a.crl(t, 90, true))
	r.export(t)
	r.alarms(t, monitor.ListDue) // the second's
	os.Remove(r.path("pki/csca-002.crl"))
	r.quiet(t)
	r.now = r.office.Pass(25 * time.Hour)
	r.alarms(t, monitor.ListGone)
	r.now = r.office.Pass(20 * day)
	r.alarms(t, monitor.ListStale)
}
