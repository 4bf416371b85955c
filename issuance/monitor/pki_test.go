package monitor_test

import (
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
)

const day = 24 * time.Hour

// TestListAges: a list is due at four fifths of its time and stale past its end, whether the
// list is seen or only the log.
func TestListAges(t *testing.T) {
	r, a, _ := signed(t)
	put(t, r.path("pki/csca.crl"), a.crl(t, 10, true))
	r.export(t)
	r.quiet(t)
	r.now = r.now.Add(7 * day)
	r.quiet(t)
	r.now = r.now.Add(day + time.Hour)
	r.alarms(t, monitor.ListDue)
	r.quiet(t)
	r.now = r.now.Add(2 * day)
	r.alarms(t, monitor.ListStale)
	r.office.Pass(10 * day)
	put(t, r.path("pki/csca.crl"), a.crl(t, 90, true))
	r.export(t)
	r.quiet(t)
	os.RemoveAll(r.path("pki"))
	r.now = r.office.Pass(91 * day)
	r.alarms(t, monitor.ListStale)
}

// TestListOld: the log says that a newer list was signed than the published one.
func TestListOld(t *testing.T) {
	r, a, s := signed(t)
	a.crl(t, 90, true, s)
	r.export(t)
	r.quiet(t)
	r.now = r.now.Add(49 * time.Hour)
	r.alarms(t, monitor.ListOld)
}

// TestOverdue: a revocation is not told by a list within 48 hours.
func TestOverdue(t *testing.T) {
	r, a, s := signed(t)
	revoke := ledgertest.Step{
		Stream: issuance.Key(s.name), Act: issuance.Revoke, By: r.office.Custodian, Second: &r.office.CustodianMate,
		Fields: map[string]string{"reason": "compromised"},
	}
	r.office.Must(t, revoke)
	r.export(t)
	r.now = r.office.Pass(47 * time.Hour)
	r.quiet(t)
	r.now = r.office.Pass(2 * time.Hour)
	r.alarms(t, monitor.ListOverdue)
	put(t, r.path("pki/csca.crl"), a.crl(t, 90, true, s))
	r.export(t)
	r.quiet(t)
}

// TestOutlived: a signer signs past its period of use.
func TestOutlived(t *testing.T) {
	r, a, s := signed(t)
	put(t, r.path("pki/ds-101.cer"), s.issuer.Certificate.Raw)
	put(t, r.path("seen/1"), a.card(t, s, s.name))
	r.export(t)
	r.quiet(t)
	r.now = r.office.Pass(100 * day)
	put(t, r.path("pki/csca.crl"), a.crl(t, 90, true))
	a.lateCard(t, s)
	r.export(t)
	r.now = r.office.Pass(time.Second)
	r.alarms(t, monitor.Outlived)
}

// lateCard is one that the log says was signed, whatever the certificate allows.
func (a *authority) lateCard(t *testing.T, s *signer) {
	t.Helper()
	o := a.r.office
	o.Must(t, o.Enrol("A-late", "late", ""))
	o.Must(t, o.Approve("A-late"))
	o.Must(t, o.Begin("A-late", "C-late")...)
	for _, step := range o.Journal("A-late", "C-late") {
		if step.Act == issuance.Prepare || step.Act == issuance.Sign {
			step.Fields["ds"] = s.name
		}
		if step.Act == issuance.Prepare {
			step.Claims[1].Value = s.name + ":999"
		}
		o.Must(t, step)
	}
}

// TestEmbargo: a CSCA that follows another signs before others can know it.
func TestEmbargo(t *testing.T) {
	for _, wait := range []time.Duration{time.Hour, 49 * time.Hour} {
		r, a, _ := signed(t)
		a.log(t, "csca-002", "csca", "certificate", []byte("certificate of csca-002"), nil)
		a.log(t, "csca", "", "link", []byte("link"), map[string]string{"chr": "csca-002"})
		r.office.Pass(wait)
		a.log(t, "ds-102", "ds", "certificate", []byte("certificate of ds-102"), map[string]string{"issuer": "csca-002", "cap": "10"})
		r.export(t)
		r.now = r.office.Pass(time.Second)
		if wait < 48*time.Hour {
			r.alarms(t, monitor.Embargoed)
		} else {
			r.quiet(t)
		}
	}
}

// TestMasterListStale: a CSCA is followed by another, and no new master list says so.
func TestMasterListStale(t *testing.T) {
	r, a, _ := signed(t)
	a.log(t, "mls-001", "mls", "certificate", []byte("certificate of mls-001"), map[string]string{"issuer": "csca"})
	a.log(t, "mls-001", "", "master-list", []byte("list"), nil)
	a.log(t, "csca-002", "csca", "certificate", []byte("certificate of csca-002"), nil)
	a.log(t, "csca", "", "link", []byte("link"), map[string]string{"chr": "csca-002"})
	r.export(t)
	r.now = r.office.Pass(47 * time.Hour)
	r.quiet(t)
	r.now = r.office.Pass(2 * time.Hour)
	r.alarms(t, monitor.ListStale)
	a.log(t, "mls-001", "", "master-list", []byte("next list"), nil)
	r.export(t)
	r.quiet(t)
}

// TestStatusStale: card status is published past its time.
func TestStatusStale(t *testing.T) {
	r, a, _ := signed(t)
	put(t, r.path("pki/status"), a.statusList(t, r.office.Pass(0).Add(24*time.Hour)))
	r.export(t)
	r.now = r.office.Pass(time.Second)
	r.quiet(t)
	r.now = r.now.Add(20 * time.Hour)
	r.alarms(t, monitor.ListDue)
	r.now = r.now.Add(5 * time.Hour)
	r.alarms(t, monitor.ListStale)
}
