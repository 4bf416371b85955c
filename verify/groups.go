package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/lds"
)

// hash is the digest of a file as the SOD takes it; nil if there is no SOD.
func (a *assessment) hash(raw []byte) []byte {
	if a.sod == nil {
		return nil
	}
	return digest(a.sod, raw)
}

func digest(sod *lds.SOD, raw []byte) []byte {
	h := sod.Object.Hash.New()
	h.Write(raw)
	return h.Sum(nil)
}

// matches says whether a group was read and has the digest that the SOD lists,
// whoever signed that.
func (a *assessment) matches(n int) bool {
	raw, read := a.ev.files[lds.Group(n)]
	return read && a.listed(n) && bytes.Equal(a.hash(raw), a.want(n))
}

func (a *assessment) want(n int) []byte {
	h, _ := a.sod.Object.GroupHash(n)
	return h
}

// judgeGroups compares the groups that were read with the SOD. None counts as intact
// unless the SOD itself is trusted.
func (a *assessment) judgeGroups() {
	for _, n := range a.groups() {
		a.group(n)
	}
	var unlisted []string
	for n := 1; n <= 16; n++ {
		if _, read := a.ev.files[lds.Group(n)]; read && a.sod != nil && !a.listed(n) {
			unlisted = append(unlisted, lds.Group(n).Name())
		}
	}
	switch {
	case a.sod == nil:
		return
	case len(unlisted) > 0:
		a.set(CheckUnlisted, Failed, ReasonGroupUnlisted, strings.Join(unlisted, ", "))
	default:
		a.set(CheckUnlisted, Passed, "", "")
	}
	a.required()
}

func (a *assessment) group(n int) {
	f := lds.Group(n)
	_, read := a.ev.files[f]
	denied, asked := a.ev.denied[f]
	switch {
	case read && !a.matches(n):
		a.set(groupCheck(n), Failed, ReasonGroupHash, f.Name())
	case read && !a.trusted:
		a.set(groupCheck(n), Undetermined, ReasonSODUntrusted, f.Name())
	case read:
		a.intact[n] = true
		a.set(groupCheck(n), Passed, "", f.Name())
	case asked && f != lds.DG3 && f != lds.DG4:
		a.fail(groupCheck(n), ReasonGroupWithheld, denied)
	case f == lds.DG3 || f == lds.DG4:
		a.set(groupCheck(n), NotRun, ReasonGroupProtected, f.Name())
	default:
		a.set(groupCheck(n), NotRun, ReasonGroupNotRead, f.Name())
	}
}

// required says whether the SOD lists what every document has, and what every one of
// this kind has. Where a portrait is not for everyone, it has a rule of its own.
func (a *assessment) required() {
	var missing, unusual []string
	if !a.listed(1) {
		missing = append(missing, lds.DG1.Name())
	}
	if !a.listed(2) && a.profile.PhotoFrom < 0 {
		missing = append(missing, lds.DG2.Name())
	}
	for _, n := range a.profile.Required {
		if n > 2 && !a.listed(n) {
			unusual = append(unusual, lds.Group(n).Name())
		}
	}
	switch {
	case len(missing) > 0:
		a.set(CheckGroups, Failed, ReasonGroupsMissing, strings.Join(missing, ", "))
	case len(unusual) > 0:
		a.set(CheckGroups, Failed, ReasonGroupsUnusual, strings.Join(unusual, ", "))
	default:
		a.set(CheckGroups, Passed, "", fmt.Sprint(a.groups()))
	}
}

// judgeCOM compares EF.COM, which nobody signs, with the SOD where the policy asks
// for it.
func (a *assessment) judgeCOM() {
	if !a.o.Policy.COM || a.sod == nil {
		return
	}
	raw, read := a.ev.files[lds.COM]
	if denied, asked := a.ev.denied[lds.COM]; asked { // every chip has it
		a.fail(CheckCOM, ReasonCOMMismatch, denied)
		return
	}
	if !read {
		a.set(CheckCOM, Absent, "", "")
		return
	}
	com, err := lds.ParseCOM(raw)
	if err != nil {
		a.fail(CheckCOM, ReasonCOMMismatch, err)
		return
	}
	var groups []int
	for _, f := range com.Groups {
		groups = append(groups, f.Number())
	}
	slices.Sort(groups)
	if !slices.Equal(groups, a.groups()) || len(com.Unknown) > 0 {
		a.set(CheckCOM, Failed, ReasonCOMMismatch, fmt.Sprintf("EF.COM %v, EF.SOD %v", groups, a.groups()))
		return
	}
	a.set(CheckCOM, Passed, "", "")
}
