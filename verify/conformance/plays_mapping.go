package conformance

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// cam is a card whose chip proves its key by PACE with Chip Authentication Mapping alone.
func cam() *blueprint { return variant(ecCAM, 2, 12)() }

// mappingPlays are those of PACE with Chip Authentication Mapping (Doc 9303-11 §4.4.3.5).
func mappingPlays() []play {
	list := []play{
		{"cam", "a sound chip that proves its key by PACE", cam, accept, "", func(*blueprint) {}},
		{"cam-no-infos", "a sound one whose DG14 says nothing", cam, accept, "", func(b *blueprint) { b.infos = lds.SecurityInfos{} }},
		{"cam-foreign-cardsecurity", "EF.CardSecurity with a key of the forger's, signed by the forger", cam, refer, verify.ReasonChipKeyUncovered, func(b *blueprint) {
			thief := cam()
			thief.forger()
			thief.root.Issuer, thief.root.Subject = nameOf("VN", "another CSCA SPECIMEN"), nameOf("VN", "another CSCA SPECIMEN")
			thief.signer.Issuer = thief.root.Subject
			b.swapCardSecurity(thief)
		}},
		{"cam-forged-cardsecurity", "EF.CardSecurity with a key of the forger's, under the name and key identifier of the CSCA", cam, refuse, verify.ReasonCardSecurity, func(b *blueprint) {
			b.swapKey(func(raw []byte, key *dh.PrivateKey) []byte {
				i := bytes.Index(raw, b.ca.Point().X())
				copy(raw[max(i, 0):], key.Point().Bytes()[1:])
				return raw
			})
		}},
		{"cam-other-signer", "EF.CardSecurity of another signer of the same state, with its chip's key", cam, refer, verify.ReasonChipKeyUncovered, func(b *blueprint) {
			another := cam()
			another.ds = ecKey(dh.P256(), "signer 2")
			another.signer.Serial, another.signer.PublicKey, another.signer.SubjectKeyID = big.NewInt(3), another.ds.Public(), keyID(another.ds)
			b.swapCardSecurity(another)
		}},
		{"cam-without-cardsecurity", "the chip withholds EF.CardSecurity", cam, refuse, verify.ReasonChipRefused, func(b *blueprint) {
			b.wire = withhold(lds.CardSecurity)
		}},
		{"cam-named-key", "EF.CardSecurity has another key too, and the chip's under the number of the domain parameters", cam, accept, "", func(b *blueprint) {
			b.mappingKeys(map[int]*dh.PrivateKey{12: b.ca, 99: ecKey(dh.P256(), "generic")})
		}},
		{"cam-generic-key", "the chip proves another key of EF.CardSecurity than the one under that number", cam, refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) {
			b.mappingKeys(map[int]*dh.PrivateKey{99: b.ca, 12: ecKey(dh.P256(), "generic")})
		}},
		{"cam-wrong-key", "EF.CardSecurity has another key than the chip's", cam, refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) {
			b.mappingKeys(map[int]*dh.PrivateKey{12: ecKey(dh.P256(), "generic")})
		}},
		{"cam-no-key", "EF.CardSecurity has no key for the mapping", cam, refuse, verify.ReasonChipKeyMismatch, func(b *blueprint) { b.mappingKeys(nil) }},
		{"cam-oid-unknown", "EF.CardAccess names a variant of the mapping that there is not", cam, none, reasonNoAccess, func(b *blueprint) {
			b.offered.PACE = []lds.PACEInfo{{OID: arc(oidPACE, ecCAM, 9), Version: 2, ParameterID: 12}}
		}},
	}
	for _, f := range []struct {
		id, what string
		reason   verify.Reason
		change   func(list []tlvObject) []tlvObject
	}{
		{"absent", "is not there", verify.ReasonChipKeyMismatch, func(l []tlvObject) []tlvObject { return l[:len(l)-1] }},
		{"tag", "has the tag 8B", reasonNoAccess, func(l []tlvObject) []tlvObject { l[len(l)-1].tag = 0x8B; return l }},
		{"empty", "is empty", verify.ReasonChipKeyMismatch, func(l []tlvObject) []tlvObject { l[len(l)-1].value = nil; return l }},
		{"wrong", "is changed", verify.ReasonChipKeyMismatch, func(l []tlvObject) []tlvObject { l[len(l)-1].value = flipped(l[len(l)-1].value, 0); return l }},
		{"short", "is no whole block", verify.ReasonChipKeyMismatch, func(l []tlvObject) []tlvObject { v := l[len(l)-1].value; l[len(l)-1].value = v[:len(v)-1]; return l }},
	} {
		verdict := refuse
		if f.reason == reasonNoAccess {
			verdict = none
		}
		list = append(list, play{"cam-8a-" + f.id, "the encrypted proof (8A) " + f.what, cam, verdict, f.reason, func(b *blueprint) {
			b.wire = dynamic(4, func(l []tlvObject, _ []byte) []tlvObject { return f.change(l) })
		}})
	}
	for _, group := range []int{8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18} {
		list = append(list, play{fmt.Sprintf("cam-%d", group), fmt.Sprintf("the mapping over domain parameters %d", group), variant(ecCAM, 2, group), accept, "", func(*blueprint) {}})
	}
	return append(list, variantPlays()...)
}

// variantPlays are sound chips over what PACE can run with.
func variantPlays() []play {
	var list []play
	for _, v := range []struct {
		mapping int
		cipher  []int
		groups  []int
	}{
		{ecGM, []int{1, 2, 3, 4}, []int{8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}},
		{ecIM, []int{1, 2, 3, 4}, []int{8, 9, 11, 12, 13, 14, 15, 16, 17, 18}},
		{dhGM, []int{2}, []int{0, 1, 2}},
		{dhIM, []int{2}, []int{0, 1, 2}},
	} {
		for i, g := range v.groups {
			c := v.cipher[i%len(v.cipher)]
			list = append(list, play{
				fmt.Sprintf("pace-%d-%d-%d", v.mapping, c, g), fmt.Sprintf("PACE, variant %d.%d over domain parameters %d", v.mapping, c, g),
				variant(v.mapping, c, g), accept, "", func(*blueprint) {},
			})
		}
	}
	return list
}

// swapCardSecurity gives the chip the EF.CardSecurity of another blueprint, and its key.
func (b *blueprint) swapCardSecurity(other *blueprint) {
	other.ca = ecKey(dh.P256(), "a forger's mapping")
	b.chip.Keys = []dh.Secret{other.ca}
	b.after = func(f verify.Files) {
		if theirs, _, err := other.card(); err == nil {
			f[lds.CardSecurity] = theirs[lds.CardSecurity]
		}
	}
}

// swapKey gives the chip another key for the mapping, which change writes into
// EF.CardSecurity.
func (b *blueprint) swapKey(change func(raw []byte, key *dh.PrivateKey) []byte) {
	key := ecKey(dh.P256(), "a forger's mapping")
	b.chip.Keys = []dh.Secret{key}
	b.after = func(f verify.Files) { f[lds.CardSecurity] = change(bytes.Clone(f[lds.CardSecurity]), key) }
}
