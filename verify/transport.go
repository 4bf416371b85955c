package verify

import (
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/card/lds"
)

// judgeTransport judges the way to the chip.
func (a *assessment) judgeTransport() {
	chip := a.ev.chip
	if chip == nil || chip.recorded != nil {
		return
	}
	switch {
	case chip.broken == nil:
		a.set(CheckProtection, Passed, "", "")
	case chip.agreement != nil && chip.agreement.err == chip.broken: // that is how a copied chip shows
		a.set(CheckProtection, NotRun, "", "")
	default:
		a.fail(CheckProtection, ReasonProtection, chip.broken)
	}
	switch chip.access.Protocol {
	case "PACE":
		a.set(CheckAccess, Passed, "", a.accessName())
	case "BAC":
		a.set(CheckAccess, Passed, ReasonAccessBAC, a.accessName())
	default:
		a.set(CheckAccess, NotRun, "", "")
	}
	if chip.access.Protocol != "" {
		a.set(CheckRelay, NotRun, ReasonRelay, "")
	}
	a.downgrade()
}

// downgrade compares how the chip was opened with what the issuer signed in DG14 and
// with what the profile promises.
func (a *assessment) downgrade() {
	access := a.ev.chip.access
	signed := a.signedPACE()
	if access.Protocol == "PACE" {
		a.set(CheckDowngrade, Passed, "", "")
		a.compareCardAccess(signed)
		return
	}
	a.set(CheckCardAccess, Absent, "", "")
	switch {
	case access.Protocol == "":
	case len(signed) > 0:
		a.set(CheckDowngrade, Failed, ReasonDowngrade, fmt.Sprintf("DG14 promises PACE in %d variants", len(signed)))
	case a.profile.PromisesPACE:
		a.set(CheckDowngrade, Failed, ReasonDowngrade, "the profile promises PACE")
	case access.Refused != nil:
		a.set(CheckDowngrade, Undetermined, ReasonDowngrade, access.Refused.Error())
	case a.listed(14) && !a.intact[14]:
		a.set(CheckDowngrade, Undetermined, ReasonSODUntrusted, "DG14 is not proven")
	default:
		a.set(CheckDowngrade, Passed, "", "")
	}
}

// signedPACE returns the variants of PACE that the issuer signed, in DG14 or, if that names
// none, in EF.CardSecurity.
func (a *assessment) signedPACE() []lds.PACEInfo {
	if a.intact[14] {
		if infos, err := lds.ParseDG14(a.ev.files[lds.DG14]); err == nil && len(infos.PACE) > 0 {
			return infos.PACE
		}
	}
	signed, err := lds.ParseCardSecurity(a.ev.files[lds.CardSecurity])
	if err != nil {
		return nil
	}
	if trusted, err := a.trusts(signed); err != nil || !trusted {
		return nil
	}
	return signed.Infos.PACE
}

// compareCardAccess wants EF.CardAccess, which nobody signs, to offer the variants of
// DG14. A DG14 without any says nothing about it.
func (a *assessment) compareCardAccess(signed []lds.PACEInfo) {
	infos, err := lds.ParseCardAccess(a.ev.chip.access.CardAccess)
	switch {
	case err != nil:
		a.fail(CheckCardAccess, ReasonAccessMismatch, err)
	case a.listed(14) && !a.intact[14]:
		a.set(CheckCardAccess, NotRun, "", "")
	case len(signed) == 0:
		a.set(CheckCardAccess, Absent, "", "no variant of PACE is signed")
	case !sameVariants(infos.PACE, signed):
		a.set(CheckCardAccess, Failed, ReasonAccessMismatch, fmt.Sprintf("EF.CardAccess %v, signed %v", infos.PACE, signed))
	default:
		a.set(CheckCardAccess, Passed, "", "")
	}
}

func sameVariants(a, b []lds.PACEInfo) bool {
	within := func(list, of []lds.PACEInfo) bool {
		return !slices.ContainsFunc(list, func(x lds.PACEInfo) bool {
			return !slices.ContainsFunc(of, func(y lds.PACEInfo) bool {
				return x.OID.Equal(y.OID) && x.Version == y.Version && x.ParameterID == y.ParameterID
			})
		})
	}
	return within(a, b) && within(b, a)
}

// accessName is PACE-CAN, PACE-MRZ or BAC-MRZ.
func (a *assessment) accessName() string {
	access := a.ev.chip.access
	if access.Protocol == "" {
		return ""
	}
	return access.Protocol + "-" + access.Password
}
