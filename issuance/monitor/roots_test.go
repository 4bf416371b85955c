package monitor_test

import (
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/monitor"
)

// reencoded is a certificate with the other form of its ECDSA signature: of r and s, r and n − s
// verifies too, and anybody can make one of the other.
func reencoded(t *testing.T, s *signer) *signer {
	t.Helper()
	var x struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(s.issuer.Certificate.Raw, &x); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(x.Signature.Bytes, &v); err != nil {
		t.Fatal(err)
	}
	v.S.Sub(elliptic.P256().Params().N, v.S)
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	x.Signature = asn1.BitString{Bytes: b, BitLength: 8 * len(b)}
	der, err := asn1.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{name: s.name, key: s.key, issuer: issuerOf(t, der)}
}

// TestReencoded: a minted card carries its signer's certificate in other octets than the log
// has, with the CSCA at hand and without. An honest card does no harm so.
func TestReencoded(t *testing.T) {
	for _, published := range []bool{true, false} {
		r, a, s := certified(t, published)
		other := reencoded(t, s)
		put(t, r.path("seen/1"), a.card(t, other, s.name))
		r.export(t)
		r.now = r.office.Pass(time.Second)
		r.quiet(t)
		put(t, r.path("seen/2"), a.mint(t, other))
		r.quiet(t)
		r.now = r.now.Add(25 * time.Hour)
		r.alarms(t, monitor.Unlogged)
		r.now = r.now.Add(50 * time.Hour)
		r.quiet(t)
	}
}

// certified is a rig with an authority and a signer; perhaps it publishes its certificates.
func certified(t *testing.T, published bool) (*rig, *authority, *signer) {
	t.Helper()
	r := newRig(t)
	r.now = r.office.Pass(0)
	r.o.SODs = []string{r.path("seen")}
	if published {
		r.o.Lists = []string{r.path("pki")}
	}
	put(t, r.path("seen/README"), []byte("What checkpoints saw."))
	r.start()
	a := newAuthority(t, r)
	s := a.signer(t, "ds-101", true)
	a.crl(t, 90, true)
	r.export(t)
	r.now = r.office.Pass(time.Second)
	r.quiet(t)
	return r, a, s
}

// TestStrangeSignerLater: the CSCA signed a document signer that is not in the log, and its own
// certificate is not at hand: that is told, and who signed it is once the certificate is.
func TestStrangeSignerLater(t *testing.T) {
	r, a, _ := certified(t, false)
	_, otherAuthority, otherSigner := signed(t)
	put(t, r.path("seen/1"), a.mint(t, a.signer(t, "ds-666", false)))
	put(t, r.path("seen/2"), otherAuthority.mint(t, otherSigner))
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	r.quiet(t) // certificates have two days to be published
	r.now = r.now.Add(25 * time.Hour)
	list := r.alarms(t, monitor.CSCAUnknown)
	if len(list) != 1 || list[0].Subject != "csca" || len(r.evidence(t, list[0], "EF.SOD")) == 0 {
		t.Errorf("%v", list)
	}
	r.now = r.now.Add(100 * time.Hour)
	r.quiet(t)
	r.o.Lists = []string{r.path("pki")}
	r.start()
	if list := r.alarms(t, monitor.StrangeObject); len(list) != 1 || len(r.evidence(t, list[0], "EF.SOD")) == 0 {
		t.Errorf("%v", list)
	}
	r.quiet(t)
}

// TestRootRemembered: what is published vanishes before a strange signer is seen.
func TestRootRemembered(t *testing.T) {
	r, a, _ := certified(t, true)
	if err := os.RemoveAll(r.path("pki")); err != nil {
		t.Fatal(err)
	}
	r.start()
	put(t, r.path("seen/1"), a.mint(t, a.signer(t, "ds-666", false)))
	r.quiet(t)
	r.now = r.now.Add(25 * time.Hour)
	r.alarms(t, monitor.StrangeObject)
}

// TestSeenBeforeFounded: what was seen before the log could be read is judged once it is, however
// late; what nobody's log says anything of is not kept for ever.
func TestSeenBeforeFounded(t *testing.T) {
	for name, test := range map[string]struct {
		wait time.Duration
		code []monitor.Code
	}{"in time": {25 * day, []monitor.Code{monitor.Unlogged, monitor.StrangeObject}}, "too late": {35 * day, nil}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.now = r.office.Pass(0)
			r.o.SODs, r.o.Lists = []string{r.path("seen")}, []string{r.path("pki")}
			a := newAuthority(t, r)
			s := a.signer(t, "ds-101", true)
			put(t, r.path("pki/csca.crl"), a.crl(t, 90, true))
			put(t, r.path("seen/1"), a.mint(t, s))
			put(t, r.path("seen/2"), a.mint(t, a.signer(t, "ds-666", false)))
			r.start()
			r.now = r.office.Pass(time.Second)
			r.quiet(t)
			r.now = r.office.Pass(test.wait)
			r.quiet(t)
			if err := os.RemoveAll(r.path("seen")); err != nil {
				t.Fatal(err)
			}
			put(t, r.path("pki/csca.crl"), a.crl(t, 90, true))
			r.export(t)
			r.now = r.office.Pass(time.Second)
			var cards []monitor.Alarm
			for _, a := range r.check(t) {
				if a.Code == monitor.Unlogged || a.Code == monitor.StrangeObject {
					cards = append(cards, a)
				}
			}
			r.only(t, cards, test.code...)
		})
	}
}
