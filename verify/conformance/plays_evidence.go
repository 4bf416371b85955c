package conformance

import (
	"bytes"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
)

// recorded is an inspection as a device kept it, on its way to a court.
type recorded struct {
	bundle *evidence.Bundle
	sealed *evidence.Device
	known  [][32]byte
	edit   func(line []byte) []byte
}

// evidencePlays are bundles of evidence that were changed on their way.
func evidencePlays() []play {
	bundle := func(change func(*recorded)) func(*blueprint) {
		return func(b *blueprint) { b.play = func(s *stage) (Got, error) { return court(s, change) } }
	}
	altered, seal := verify.ReasonBundleAltered, func(*recorded) {}
	return []play{
		{"evidence-sound", "a bundle of a sound card, judged again", standard, accept, "", bundle(seal)},
		{"evidence-edited", "a bundle of which an octet was changed", standard, refuse, altered, bundle(func(r *recorded) {
			r.edit = func(line []byte) []byte { return bytes.Replace(line, []byte(`"conform"`), []byte(`"confirm"`), 1) }
		})},
		{"evidence-other-seal", "a bundle that another device sealed in its name", standard, refuse, verify.ReasonBundleInconsistent, bundle(func(r *recorded) {
			other, err := evidence.NewDevice(ecKey(dh.P256(), "another device"))
			if err == nil {
				r.sealed, r.bundle.Context.Device = other, other.ID()
			}
		})},
		{"evidence-other-case", "a bundle moved to another case", standard, refuse, verify.ReasonBundleInconsistent, bundle(func(r *recorded) { r.bundle.Context.Case = "VA-99/2026" })},
		{"evidence-no-signature", "a bundle without the chip's signature that its checks speak of", standard, refuse, verify.ReasonBundleInconsistent, bundle(func(r *recorded) { r.bundle.Proofs.Active = nil })},
		{"evidence-other-group", "a bundle with a DG13 of the forger's, sealed anew by the device", standard, refuse, verify.ReasonGroupHash, bundle(func(r *recorded) {
			r.bundle.Files[lds.DG13] = flipped(r.bundle.Files[lds.DG13], -5)
		})},
		{"evidence-stranger", "a bundle of a device that the judge does not know, of a chip that signed the case's challenge", standard, accept, "", bundle(func(r *recorded) { r.known = nil })},
		{"evidence-unknown-device", "the same of a chip whose proof only the device saw", ecAgreement, refer, verify.ReasonRecorded, bundle(func(r *recorded) { r.known = nil })},
	}
}

// court inspects the card, seals what was found, lets the case change it, and judges it
// again.
func court(s *stage, change func(*recorded)) (Got, error) {
	device, err := evidence.NewDevice(ecKey(dh.P256(), "device"))
	if err != nil {
		return Got{}, err
	}
	occasion, err := evidence.NewContext("VA-17/2026", "conform", device, judged)
	if err != nil {
		return Got{}, err
	}
	o := s.b.options
	o.Trust, o.Challenge = s.b.store(s.made), occasion.Challenge()
	report, err := verify.Inspect(s.ctx, apdu.Over(s.chip, apdu.Limits{}), o)
	if err != nil || report.Verdict != verify.Accept {
		return reported(report, err)
	}
	r := &recorded{bundle: evidence.New(report, occasion, "tamthe"), sealed: device, known: [][32]byte{device.ID()}}
	change(r)
	line, err := r.bundle.Sealed(r.sealed)
	if err != nil {
		return taken(err), nil
	}
	if r.edit != nil {
		line = r.edit(line)
	}
	received, err := evidence.Parse(line)
	if err != nil {
		return taken(err), nil
	}
	o.Challenge = nil
	j, err := received.Judge(s.ctx, evidence.Options{Verify: o, Devices: r.known})
	if err != nil {
		return Got{}, err
	}
	return reported(j.Report, nil)
}
