package evidence

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// TestThirdParty: what a court may rest on, by how the chip proved itself, the challenge and
// whether the device is known.
func TestThirdParty(t *testing.T) {
	i, d := newIssuer(t), newDevice(t)
	for _, c := range []struct {
		name          string
		signs         bool
		caseID        string
		known         bool
		verdict       verify.Verdict
		original      Rest
		originalToAll bool
	}{
		{"signed for the case", true, "VA-1", false, verify.Accept, RestChip, true},
		{"signed for the case, device known", true, "VA-1", true, verify.Accept, RestChip, true},
		{"signed something", true, "", false, verify.Refer, RestNothing, false},
		{"signed something, device known", true, "", true, verify.Accept, RestDevice, false},
		{"agreed on a key", false, "VA-1", false, verify.Refer, RestNothing, false},
		{"agreed on a key, device known", false, "VA-1", true, verify.Accept, RestDevice, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := parsed(t, sealed(t, i.inspect(t, i.newCard(t, c.signs), d, c.caseID, nil), d))
			o := Options{Verify: verify.Options{Trust: i.store(i.crl), At: judged.AddDate(0, 0, 3)}}
			if c.known {
				o.Devices = [][32]byte{{}, d.ID()}
			}
			j := judge(t, b, o)
			if j.Report.Verdict != c.verdict || !j.Sealed || j.Known != c.known || b.Verdict != verify.Accept {
				t.Errorf("%v, sealed %v, known %v: %v", j.Report.Verdict, j.Sealed, j.Known, j.Report.Reasons())
			}
			want := []Claim{
				{verify.Integrity, true, RestIssuer, true},
				{verify.Authentic, true, RestIssuer, true},
				{verify.Original, c.original != RestNothing, c.original, c.originalToAll},
				{verify.InForce, true, RestStore, true},
				{verify.HolderBound, false, RestNothing, false},
			}
			if !slices.Equal(j.Claims, want) {
				t.Errorf("%+v, want %+v", j.Claims, want)
			}
		})
	}
}

// TestHolderIsTheDevicesWord: the officer's answer convinces nobody else, and a mismatch
// stays one for all.
func TestHolderIsTheDevicesWord(t *testing.T) {
	i, d := newIssuer(t), newDevice(t)
	record := func(h verify.Holder) *Bundle {
		return i.inspect(t, i.newCard(t, true), d, "VA-1", func(_ *virtual.FolderOptions, o *verify.Options) { o.Holder = h })
	}
	o := Options{Verify: verify.Options{Trust: i.store(i.crl), At: judged}}
	match := record(verify.HolderMatch)
	sealed(t, match, d)
	if c := judge(t, match, o).Claims[verify.HolderBound]; c.Passed || c.ThirdParty {
		t.Errorf("%+v", c)
	}
	mismatch := record(verify.HolderMismatch)
	sealed(t, mismatch, d)
	if j := judge(t, mismatch, o); j.Report.Verdict != verify.Refuse || !slices.Contains(j.Report.Reasons(), verify.ReasonHolderMismatch) {
		t.Errorf("%v, %v", j.Report.Verdict, j.Report.Reasons())
	}
	o.Devices = [][32]byte{d.ID()}
	if c := judge(t, match, o).Claims[verify.HolderBound]; !c.Passed || c.Rests != RestDevice || c.ThirdParty {
		t.Errorf("known device: %+v", c)
	}
}

// TestEveryOctet: a bundle of which any octet is another is no bundle, or is refused.
func TestEveryOctet(t *testing.T) {
	i, d := newIssuer(t), newDevice(t)
	line := sealed(t, i.inspect(t, i.newCard(t, true), d, "VA-1", nil), d)
	o := Options{Verify: verify.Options{Trust: i.store(i.crl), At: judged}, Devices: [][32]byte{d.ID()}}
	flips := []byte{0x01, 0x20, 0xFF}
	read := 0
	for at := range len(line) - 1 { // the line end is not the bundle's
		for n, flip := range flips {
			if n != at%len(flips) && os.Getenv("TAMTHE_SOAK") == "" {
				continue
			}
			changed := slices.Clone(line)
			changed[at] ^= flip
			b, err := Parse(changed)
			if err != nil {
				continue
			}
			read++
			if c := b.seal(&Judgement{}); c.Outcome != verify.Failed {
				t.Fatalf("octet %d ^ %02x: %v", at, flip, c)
			}
			if read%101 != 0 {
				continue
			}
			if j := judge(t, b, o); j.Report.Verdict != verify.Refuse || j.Sealed || j.Known || j.Bound {
				t.Fatalf("octet %d ^ %02x: %v, %+v", at, flip, j.Report.Verdict, j)
			}
		}
	}
	if read < 500 {
		t.Errorf("only %d were read: the seal was not put to the test", read)
	}
}

// TestLyingDevices: a device seals what it likes. It gains nothing from who does not know
// it, and not everything from who does.
func TestLyingDevices(t *testing.T) {
	i, d := newIssuer(t), newDevice(t)
	card, other := i.newCard(t, true), i.newCard(t, true)
	rogue := newIssuer(t)
	allPassed := func(b *Bundle) {
		for n := range b.Checks {
			b.Checks[n].Outcome, b.Checks[n].Reason = verify.Passed, ""
		}
		b.Verdict = verify.Accept
	}
	clone := func(f *virtual.FolderOptions, _ *verify.Options) { f.AA = newKey(t) }
	for _, c := range []struct {
		name   string
		chip   func(*virtual.FolderOptions, *verify.Options)
		lie    func(*Bundle)
		known  verify.Verdict // of who knows the device
		reason verify.Reason
	}{
		{"nothing passed there", nil, func(b *Bundle) { b.Checks = nil }, verify.Refer, verify.ReasonHolderNotCompared},
		{"a clone, all passed", clone, allPassed, verify.Refuse, verify.ReasonChipKeyMismatch},
		{"a clone, unsaid", clone, func(b *Bundle) { allPassed(b); b.Proofs.Active = nil }, verify.Refuse, verify.ReasonBundleInconsistent},
		{"a clone, another's signature", clone, func(b *Bundle) {
			allPassed(b)
			x := i.inspect(t, other, d, "VA-1", nil)
			b.Proofs.Active = x.Proofs.Active
		}, verify.Refuse, verify.ReasonBundleInconsistent},
		{"a signature from before", nil, func(b *Bundle) {
			x := i.inspect(t, card, d, "VA-0", nil)
			b.Proofs.Active = x.Proofs.Active
		}, verify.Refuse, verify.ReasonBundleInconsistent},
		{"a signature of no case, said to be of one", nil, func(b *Bundle) {
			x := i.inspect(t, card, d, "", nil)
			b.Proofs.Active = x.Proofs.Active
			b.Proofs.Active.Chosen = true
		}, verify.Refuse, verify.ReasonBundleInconsistent},
		{"another case", nil, func(b *Bundle) { b.Context.Case = "VA-2" }, verify.Refuse, verify.ReasonBundleInconsistent},
		{"another time", nil, func(b *Bundle) { b.Context.Time = b.Context.Time.AddDate(0, 0, 1) }, verify.Refuse, verify.ReasonBundleInconsistent},
		{"another card's name", nil, func(b *Bundle) { b.Card[3]++ }, verify.Refuse, verify.ReasonBundleInconsistent},
		{"another card's files", nil, func(b *Bundle) {
			b.Files = other.files
			b.Card = verify.CardID{}
		}, verify.Refuse, verify.ReasonBundleInconsistent},
		{"another face", nil, func(b *Bundle) {
			dg2 := slices.Clone(b.Files[lds.DG2])
			dg2[len(dg2)-1] ^= 1
			b.Files[lds.DG2] = dg2
		}, verify.Refuse, verify.ReasonGroupHash},
		{"a rogue's document", nil, func(b *Bundle) {
			x := rogue.inspect(t, rogue.newCard(t, true), d, "VA-1", nil)
			x.Context = b.Context
			*b = *x
			b.Context.Nonce, b.Proofs.Active.Chosen = [32]byte{}, false
			allPassed(b)
		}, verify.Refer, verify.ReasonCSCAUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := i.inspect(t, card, d, "VA-1", c.chip)
			b.Files = cloneFiles(b.Files)
			c.lie(b)
			b = parsed(t, sealed(t, b, d))
			for _, known := range []bool{false, true} {
				o := Options{Verify: verify.Options{Trust: i.store(i.crl), At: judged}}
				if known {
					o.Devices = [][32]byte{d.ID()}
				}
				j := judge(t, b, o)
				if c.name == "nothing passed there" { // it may keep silent: what others signed is verified anyway
					if j.Report.Verdict != verify.Accept || !j.Claims[verify.Original].ThirdParty {
						t.Errorf("known %v: %v", known, j.Report.Verdict)
					}
					continue
				}
				if j.Report.Verdict == verify.Accept || j.Report.Verdict != c.known || !slices.Contains(j.Report.Reasons(), c.reason) {
					t.Errorf("known %v: %v, %v", known, j.Report.Verdict, j.Report.Reasons())
				}
				if !j.Sealed && (j.Known || j.Bound) {
					t.Errorf("known %v: no seal that counts, and %v, %v", known, j.Known, j.Bound)
				}
				if claim := j.Claims[verify.Original]; claim.ThirdParty && c.name != "another face" {
					t.Errorf("known %v: %+v", known, claim)
				}
			}
		})
	}
}

func cloneFiles(f verify.Files) verify.Files {
	out := verify.Files{}
	for name, raw := range f {
		out[name] = raw
	}
	return out
}

// TestRevoked: the list that revoked the signer goes along and is verified again, also where
// the judge has none; one who has a newer list rests on that.
func TestRevoked(t *testing.T) {
	i, d := newIssuer(t), newDevice(t)
	revoking := i.list(t, 2, 2)
	card := i.newCard(t, true)
	revoked := i.inspect(t, card, d, "VA-1", func(_ *virtual.FolderOptions, o *verify.Options) { o.Trust = i.store(revoking) })
	good := i.inspect(t, card, d, "VA-1", nil)
	sealed(t, revoked, d)
	sealed(t, good, d)
	if revoked.Verdict != verify.Refuse || good.Verdict != verify.Accept {
		t.Fatal(revoked.Verdict, good.Verdict)
	}
	without := *revoked
	without.Lists = nil
	sealed(t, &without, d)
	for name, c := range map[string]struct {
		b       *Bundle
		list    []int64 // of the judge's own list, number 3; nil for none
		verdict verify.Verdict
		outcome verify.Outcome
	}{
		"no list of one's own":            {revoked, nil, verify.Refuse, verify.Failed},
		"the word of the device, no list": {&without, nil, verify.Refuse, verify.Failed},
		"a newer list that revokes it":    {good, []int64{2}, verify.Refuse, verify.Failed},
		"a newer list that does not":      {revoked, []int64{9}, verify.Accept, verify.Passed},
		"good then, no list of one's own": {good, nil, verify.Accept, verify.Passed},
	} {
		t.Run(name, func(t *testing.T) {
			store := i.store()
			if c.list != nil {
				store = i.store(i.list(t, 3, c.list...))
			}
			j := judge(t, c.b, Options{Verify: verify.Options{Trust: store, At: judged}})
			if got := j.Report.Check(verify.CheckRevocation); j.Report.Verdict != c.verdict || got.Outcome != c.outcome {
				t.Errorf("%v, %+v", j.Report.Verdict, got)
			}
			differs := c.b.Verdict != c.verdict
			if named := slices.ContainsFunc(j.Changed, func(x Change) bool { return x.ID == verify.CheckRevocation }); named != differs {
				t.Errorf("changed: %+v", j.Changed)
			}
		})
	}
	if j := judge(t, good, Options{Verify: verify.Options{At: judged}}); j.Report.Verdict != verify.Refer || j.Claims[verify.Authentic].Passed {
		t.Errorf("trusting nobody: %v", j.Report.Verdict)
	}
}

// TestPolicies: a bundle is judged by the policy it was made under, or by the judge's; an
// archive does without what the chip showed, and sees it all the same.
func TestPolicies(t *testing.T) {
	i, d := newIssuer(t), newDevice(t)
	b := i.inspect(t, i.newCard(t, false), d, "VA-1", nil)
	sealed(t, b, d)
	archive, err := verify.PolicyByName("archive")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Verify: verify.Options{Trust: i.store(i.crl), At: judged, Policy: archive}}
	j := judge(t, b, o)
	if c := j.Report.Check(verify.CheckCA1); j.Report.Verdict != verify.Accept || c.Outcome != verify.NotRun || c.Reason != verify.ReasonRecorded {
		t.Errorf("%v, %+v", j.Report.Verdict, c)
	}
	b.Policy = "of another house"
	sealed(t, b, d)
	if j := judge(t, b, Options{Verify: verify.Options{Trust: i.store(i.crl), At: judged}}); j.Report.Policy.Name != "checkpoint" {
		t.Error(j.Report.Policy.Name)
	}
	// Who makes a bundle chooses the policy as little as the verdict: of a copy without its
	// chip, an archive would need no more.
	for _, name := range []string{"archive", "desk-qa"} {
		b := i.inspect(t, i.newCard(t, false), d, "VA-1", nil)
		b.Policy, b.Proofs = name, verify.Proofs{}
		sealed(t, b, d)
		stranger := Options{Verify: verify.Options{Trust: i.store(i.crl), At: judged}}
		if j := judge(t, b, stranger); j.Report.Policy.Name != "checkpoint" || j.Report.Verdict != verify.Refer {
			t.Errorf("a stranger's %s: %s, %v", name, j.Report.Policy.Name, j.Report.Verdict)
		}
		stranger.Devices = [][32]byte{d.ID()}
		if j := judge(t, b, stranger); j.Report.Policy.Name != name {
			t.Errorf("a known device's %s: %s", name, j.Report.Policy.Name)
		}
	}
	var out bytes.Buffer
	if err := j.Report.Render(&out, verify.Vietnamese, verify.RenderOptions{All: true}); err != nil || !strings.Contains(out.String(), string(verify.ReasonRecorded)) {
		t.Errorf("%v\n%s", err, &out)
	}
}
