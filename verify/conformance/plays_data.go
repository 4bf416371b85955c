package conformance

import (
	"bytes"
	"fmt"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
)

// desk is the standard card at the policy that compares EF.COM too.
func desk() *blueprint {
	b := standard()
	b.kind = "desk"
	b.options.Policy, _ = verify.PolicyByName("desk-qa")
	return b
}

// dataPlays are faults in the files, signed by their issuer unless they say otherwise: what
// the issuer did wrong, which its signature doesn't mend.
func dataPlays() []play {
	var list []play
	list = append(list, commonPlays()...)
	list = append(list, zonePlays()...)
	list = append(list, facePlays()...)
	list = append(list, samplePlays()...)
	list = append(list, infoPlays()...)
	return append(list, shownPlays()...)
}

// framed are the three faults of a file's tag and length.
func framed(id, name string, base func() *blueprint, f lds.File, verdict [3]string, reason [3]verify.Reason) []play {
	change := func(edit func([]byte) []byte) func(*blueprint) {
		return func(b *blueprint) {
			made, err := b.groups()
			if err != nil {
				return
			}
			b.files[f] = edit(bytes.Clone(made[f]))
		}
	}
	return []play{
		{id + "-tag", name + " has another tag", base, verdict[0], reason[0], change(func(r []byte) []byte { r[0]++; return r })},
		{id + "-length-short", name + "'s length is an octet short", base, verdict[1], reason[1], change(func(r []byte) []byte { return lengthOff(r, -1) })},
		{id + "-length-long", name + "'s length is an octet long", base, verdict[2], reason[2], change(func(r []byte) []byte { return lengthOff(r, 1) })},
	}
}

// commonPlays are those of EF.COM (Doc 9303-10 §4.6.1), which nobody signs.
func commonPlays() []play {
	common := func(change func(*lds.Common)) func(*blueprint) {
		return func(b *blueprint) {
			c := lds.Common{Version: "0107", Unicode: "040000", Groups: []lds.File{lds.DG1, lds.DG2, lds.DG13, lds.DG14, lds.DG15}}
			change(&c)
			b.files[lds.COM] = lds.EncodeCOM(c)
		}
	}
	raw := func(objects ...[]byte) func(*blueprint) {
		return func(b *blueprint) { b.files[lds.COM] = tlv.Encode(lds.COM.Tag(), objects...) }
	}
	version, unicode := tlv.Encode(0x5F01, []byte("0107")), tlv.Encode(0x5F36, []byte("040000"))
	tagList := tlv.Encode(0x5C, []byte{0x61, 0x75, 0x6D, 0x6E, 0x6F})
	whole := func(b *blueprint) []byte { raw(version, unicode, tagList)(b); return b.files[lds.COM] }
	bad := verify.ReasonCOMMismatch
	return []play{
		{"com-lds18", "EF.COM of LDS version 1.8", desk, accept, "", common(func(c *lds.Common) { c.Version = "0108" })},
		{"com-version", "EF.COM of an LDS version that there is not", desk, accept, "", common(func(c *lds.Common) { c.Version = "0300" })},
		{"com-unicode", "EF.COM of another Unicode version", desk, accept, "", common(func(c *lds.Common) { c.Unicode = "050000" })},
		{"com-tag", "EF.COM has another tag", desk, refuse, bad, func(b *blueprint) { b.files[lds.COM] = append([]byte{0x61}, whole(b)[1:]...) }},
		{"com-length-short", "EF.COM's length is an octet short", desk, refuse, bad, func(b *blueprint) { b.files[lds.COM] = lengthOff(whole(b), -1) }},
		{"com-length-long", "EF.COM's length is an octet long", desk, refuse, verify.ReasonCOMMismatch, func(b *blueprint) { b.files[lds.COM] = lengthOff(whole(b), 1) }},
		{"com-no-version", "EF.COM has no LDS version", desk, refuse, bad, raw(unicode, tagList)},
		{"com-no-unicode", "EF.COM has no Unicode version", desk, refuse, bad, raw(version, tagList)},
		{"com-no-list", "EF.COM has no list", desk, refuse, bad, raw(version, unicode)},
		{"com-no-dg1", "EF.COM is silent about DG1", desk, refuse, bad, common(func(c *lds.Common) { c.Groups = c.Groups[1:] })},
		{"com-fewer", "EF.COM hides DG14 and DG15", desk, refuse, bad, common(func(c *lds.Common) { c.Groups = c.Groups[:3] })},
		{"com-more", "EF.COM lists a DG11 that is not signed", desk, refuse, bad, common(func(c *lds.Common) { c.Groups = append(c.Groups, lds.DG11) })},
		{"com-other", "EF.COM lists DG3 in place of DG13", desk, refuse, bad, common(func(c *lds.Common) { c.Groups[2] = lds.DG3 })},
		{"dg10-listed", "the SOD has the hash of a DG10 that is not there", desk, accept, "", func(b *blueprint) {
			b.files[lds.DG10] = tlv.Encode(0x6A, []byte{1})
			b.unread = []lds.File{lds.DG10}
		}},
	}
}

// The offsets of a TD1 zone, its lines one after the other (Doc 9303-5 §4.2.2).
const (
	atDocument, atIssuer, atNumber, atNumberDigit, atOptional       = 0, 2, 5, 14, 15
	atBirth, atBirthDigit, atSex, atExpiry, atExpiryDigit, atNation = 30, 36, 37, 38, 44, 45
	atOptional2, atComposite, atName, zoneEnd                       = 48, 59, 60, 90
)

// zoneWith signs a DG1 whose zone was changed; digits makes its check digits right again.
func zoneWith(digits bool, change func(text []byte)) func(*blueprint) {
	return func(b *blueprint) {
		z, err := vn.WriteMRZ(b.person, b.expiry)
		if err != nil {
			return
		}
		text := []byte(z.Text())
		change(text)
		if digits {
			text[atNumberDigit] = mrz.Check(string(text[atNumber:atNumberDigit]))
			text[atBirthDigit] = mrz.Check(string(text[atBirth:atBirthDigit]))
			text[atExpiryDigit] = mrz.Check(string(text[atExpiry:atExpiryDigit]))
			text[atComposite] = mrz.Check(string(text[atNumber:atBirth]) + string(text[atBirth:atSex]) + string(text[atExpiry:atNation]) + string(text[atOptional2:atComposite]))
		}
		b.files[lds.DG1] = tlv.Encode(0x61, tlv.Encode(0x5F1F, text))
	}
}

// passport is a booklet, whose zone is a TD3.
func passport() *blueprint {
	b := standard()
	b.kind = "passport"
	b.signer.DocumentTypes = []string{"P"}
	b.files[lds.DG13] = nil
	b.files[lds.DG1] = td3("<", '<')
	return b
}

// td3 is a DG1 of the zone of a passport with optional data and their check digit.
func td3(optional string, digit byte) []byte {
	pad := func(s string, n int) string { return s + string(bytes.Repeat([]byte("<"), n-len(s))) }
	number, birth, expiry := pad("X00000017", 9), "900215", "300215"
	middle := pad(optional, 14)
	if digit == 0 {
		digit = mrz.Check(middle)
	}
	line := number + string(mrz.Check(number)) + "VNM" + birth + string(mrz.Check(birth)) + "F" + expiry + string(mrz.Check(expiry)) + middle + string(digit)
	composite := line[0:10] + line[13:20] + line[21:43]
	text := pad("P<VNMNGUYEN<<THI<THU<NGHIEM", 44) + line + string(mrz.Check(composite))
	return tlv.Encode(0x61, tlv.Encode(0x5F1F, []byte(text)))
}

// zonePlays are those of DG1 (Doc 9303-3 §4, 9303-5).
func zonePlays() []play {
	var list []play
	put := func(verdict string, reason verify.Reason, id, what string, digits bool, change func([]byte)) {
		list = append(list, play{"mrz-" + id, what, standard, verdict, reason, zoneWith(digits, change)})
	}
	fill := func(text []byte, at int, s string) { copy(text[at:], s) }
	bad, wrong := verify.ReasonMRZMalformed, verify.ReasonMRZDigits
	put(accept, "", "optional", "optional data in the zone", true, func(t []byte) { fill(t, atOptional2, "ABC123") })
	put(accept, "", "name-cut", "a name that was cut at the end of its field", true, func(t []byte) { fill(t, atName, "NGUYEN<<THI<THU<NGHIEM<DAI<QUA") })
	put(accept, "", "one-name", "a name without a secondary identifier", true, func(t []byte) { fill(t, atName, "NGUYEN<<<<<<<<<<<<<<<<<<<<<<<<") })
	put(refuse, verify.ReasonSignerType, "document-type", "a document type that there is not", true, func(t []byte) { fill(t, atDocument, "XX") })
	put(refuse, bad, "issuer", "digits in the issuing state", true, func(t []byte) { fill(t, atIssuer, "V1M") })
	put(refuse, bad, "name-void", "a void name", true, func(t []byte) { fill(t, atName, "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<") })
	put(refuse, bad, "number-void", "a void document number", true, func(t []byte) { fill(t, atNumber, "<<<<<<<<<") })
	put(refuse, wrong, "number-digit", "a wrong check digit of the document number", false, func(t []byte) { t[atNumberDigit] = other(t[atNumberDigit]) })
	put(refuse, wrong, "number-o-for-0", "the letter O for the digit 0 in the document number", false, func(t []byte) {
		if i := bytes.IndexByte(t[atNumber:atNumberDigit], '0'); i >= 0 {
			t[atNumber+i] = 'O'
		}
	})
	put(refuse, bad, "nationality", "digits in the nationality", true, func(t []byte) { fill(t, atNation, "V1M") })
	put(refuse, bad, "birth-syntax", "letters in the date of birth", true, func(t []byte) { fill(t, atBirth, "9A0215") })
	put(refuse, bad, "birth-error", "a thirteenth month of birth", true, func(t []byte) { fill(t, atBirth, "901315") })
	put(refuse, wrong, "birth-digit", "a wrong check digit of the date of birth", false, func(t []byte) { t[atBirthDigit] = other(t[atBirthDigit]) })
	put(refuse, bad, "sex", "a sex that there is not", true, func(t []byte) { t[atSex] = 'Q' })
	put(refuse, bad, "expiry-syntax", "letters in the date of expiry", true, func(t []byte) { fill(t, atExpiry, "3A0215") })
	put(refuse, bad, "expiry-error", "the 31 of February as the date of expiry", true, func(t []byte) { fill(t, atExpiry, "300231") })
	put(refuse, wrong, "expiry-digit", "a wrong check digit of the date of expiry", false, func(t []byte) { t[atExpiryDigit] = other(t[atExpiryDigit]) })
	put(refuse, wrong, "composite", "a wrong composite check digit", false, func(t []byte) { t[atComposite] = other(t[atComposite]) })
	put(accept, "", "birth-no-day", "a date of birth without its day", true, func(t []byte) { fill(t, atBirth, "9002<<") })
	put(accept, "", "birth-no-month", "a date of birth without its month", true, func(t []byte) { fill(t, atBirth, "90<<15") })
	put(accept, "", "birth-no-year", "a date of birth without its year", true, func(t []byte) { fill(t, atBirth, "<<0215") })
	put(accept, "", "birth-none", "no date of birth", true, func(t []byte) { fill(t, atBirth, "<<<<<<") })
	put(accept, "", "long-number", "a document number of twelve characters, whose end stands in the optional data", false, func(t []byte) {
		long := "D23145890734"
		fill(t, atNumber, long[:9]+"<"+long[9:]+string(mrz.Check(long))+"<<<<<<<<<<<")
		t[atComposite] = mrz.Check(string(t[atNumber:atBirth]) + string(t[atBirth:atSex]) + string(t[atExpiry:atNation]) + string(t[atOptional2:atComposite]))
	})
	put(refuse, bad, "control", "an escape character in the name", true, func(t []byte) { t[atName+2] = 0x1B })
	put(refuse, bad, "html", "a tag of HTML in the name", true, func(t []byte) { fill(t, atName, "<B>NGUYEN") })
	refused := [3]string{refuse, refuse, refuse}
	list = append(list, framed("dg1", "DG1", standard, lds.DG1, refused, [3]verify.Reason{bad, verify.ReasonGroupHash, verify.ReasonGroupWithheld})...)
	return append(
		list,
		play{"mrz-none", "DG1 holds no zone", standard, refuse, bad, func(b *blueprint) { b.files[lds.DG1] = tlv.Encode(0x61, tlv.Encode(0x5F0E, []byte("none"))) }},
		play{"td3-optional-filler", "a passport without optional data, their check digit a filler", passport, accept, "", func(*blueprint) {}},
		play{"td3-optional-zero", "a passport without optional data, their check digit 0", passport, accept, "", func(b *blueprint) { b.files[lds.DG1] = td3("<", '0') }},
		play{"td3-optional-wrong", "a passport whose check digit of the optional data is wrong", passport, refuse, wrong, func(b *blueprint) { b.files[lds.DG1] = td3("ABC123", '9') }},
	)
}

// other is another digit.
func other(d byte) byte { return '0' + (d-'0'+1)%10 }

// infoPlays are those of DG14, DG15, EF.CardSecurity (Doc 9303-11 §9.2) and of files that
// are read beside.
func infoPlays() []play {
	var list []play
	refused := [3]string{refuse, refuse, refuse}
	list = append(list, framed("dg14", "DG14", ecAgreement, lds.DG14, refused, [3]verify.Reason{verify.ReasonChipKeyMalformed, verify.ReasonGroupHash, verify.ReasonGroupWithheld})...)
	list = append(list, framed("dg15", "DG15", activeOnly, lds.DG15, refused, [3]verify.Reason{verify.ReasonChipKeyMalformed, verify.ReasonGroupHash, verify.ReasonGroupWithheld})...)
	list = append(list, framed("dg2", "DG2", standard, lds.DG2, [3]string{refer, refuse, refuse}, [3]verify.Reason{verify.ReasonPhotoUnread, verify.ReasonGroupHash, verify.ReasonGroupWithheld})...)
	return append(
		list,
		play{"dg14-oid-forbidden", "DG14 names a variant of Chip Authentication that there is not", ecAgreement, refer, verify.ReasonChipUnsupported, func(b *blueprint) {
			b.infos.Chip[0].OID = arc(oidCA, 2, 99)
		}},
		play{"dg14-oid-none", "an entry of DG14 names nothing: it is passed over, and the key proven by the old rule", ecAgreement, accept, "", func(b *blueprint) {
			b.infoNode(func(n *node) { n.drop(0) })
		}},
		play{"dg14-version", "DG14 names a version of Chip Authentication that there is not; the key is proven", ecAgreement, accept, "", func(b *blueprint) { b.infos.Chip[0].Version = 9 }},
		play{"dg14-version-none", "DG14 names no version of Chip Authentication; the key is proven by the old rule", ecAgreement, accept, "", func(b *blueprint) {
			b.infoNode(func(n *node) { n.drop(1) })
		}},
		play{"cardsecurity-more", "EF.CardSecurity says more than EF.CardAccess, but for PACE", camSilent, accept, "", func(*blueprint) {}},
		play{"cardsecurity-fewer", "EF.CardAccess offers a variant that EF.CardSecurity lacks", camSilent, refuse, verify.ReasonAccessMismatch, func(b *blueprint) {
			b.after = b.offering(lds.PACEInfo{OID: arc(oidPACE, ecCAM, 4), Version: 2, ParameterID: 12})
		}},
		play{"cardsecurity-other", "EF.CardAccess offers another variant than EF.CardSecurity, without the proof", camSilent, refer, verify.ReasonChipProofMissing, func(b *blueprint) {
			b.after = b.offering(gmAES128)
		}},
	)
}

// camSilent is a card of the mapping whose DG14 says nothing of PACE.
func camSilent() *blueprint {
	b := cam()
	b.kind = "cam-silent"
	b.infos = lds.SecurityInfos{}
	return b
}

// offering adds a variant to EF.CardAccess alone.
func (b *blueprint) offering(info lds.PACEInfo) func(verify.Files) {
	return func(f verify.Files) {
		infos := lds.SecurityInfos{PACE: append([]lds.PACEInfo{info}, b.offered.PACE...)}
		f[lds.CardAccess], _ = lds.EncodeSecurityInfos(infos)
	}
}

// infoNode changes the entry of Chip Authentication's variant in DG14, which is then
// signed.
func (b *blueprint) infoNode(change func(*node)) {
	raw, err := lds.EncodeDG14(b.infos)
	if err != nil {
		return
	}
	s := tlv.String(raw)
	var set tlv.String
	if !s.ReadTag(lds.DG14.Tag(), &set) {
		return
	}
	want := string(object(b.infos.Chip[0].OID...).value)
	b.files[lds.DG14] = tlv.Encode(lds.DG14.Tag(), edited(set, func(n *node) {
		for _, info := range n.kids {
			if string(info.at(0).value) == want {
				change(info)
				return
			}
		}
	}))
}

// shownPlays are what is printed, who stands there, and data that were changed after they
// were signed.
func shownPlays() []play {
	printed := func(change func(*vn.Person)) func(*blueprint) {
		return func(b *blueprint) {
			p := b.person
			change(&p)
			b.options.Printed, _ = vn.WriteMRZ(p, b.expiry)
		}
	}
	altered := func(f lds.File, change func([]byte) []byte) func(*blueprint) {
		return func(b *blueprint) {
			b.after = func(files verify.Files) { files[f] = change(bytes.Clone(files[f])) }
		}
	}
	list := []play{
		{"print-agrees", "the printed zone is the chip's", standard, accept, "", printed(func(*vn.Person) {})},
		{"print-name", "the printed name is another", standard, refer, verify.ReasonPrintMismatch, printed(func(p *vn.Person) { p.Given = "Thị Khác" })},
		{"print-number", "the printed number is another", standard, refer, verify.ReasonPrintMismatch, printed(func(p *vn.Person) { p.Number = "003190000018" })},
		{"qr-agrees", "the printed QR code is the chip's", standard, accept, "", func(b *blueprint) { b.options.QR = vn.EncodeQR(b.person, "", issued) }},
		{"qr-name", "the name in the printed QR code is another", standard, refer, verify.ReasonPrintMismatch, func(b *blueprint) {
			p := b.person
			p.Given = "Thị Khác"
			b.options.QR = vn.EncodeQR(p, "", issued)
		}},
		{"dg13-contradicts", "DG13 has another name than DG1, both signed: it is told", standard, accept, verify.ReasonNationalMismatch, func(b *blueprint) {
			p := b.person
			p.Given = "Thị Khác"
			b.files[lds.DG13], _ = vn.EncodeDG13(p, vn.Issue{Issued: issued, Expiry: b.expiry, Serial: "0011223344556677"})
		}},
		{"holder-other", "the bearer is not the one in the portrait", standard, refuse, verify.ReasonHolderMismatch, func(b *blueprint) { b.options.Holder = verify.HolderMismatch }},
		{"dg-swapped", "DG2 of one card and DG13 of another, each genuine", standard, refuse, verify.ReasonGroupHash, func(b *blueprint) {
			o := standard()
			o.person.Given = "Thị Khác"
			b.after = func(files verify.Files) {
				if theirs, _, err := o.card(); err == nil {
					files[lds.DG13] = theirs[lds.DG13]
				}
			}
		}},
		{"dg-foreign-sod", "the genuine SOD of another card", standard, refuse, verify.ReasonGroupHash, func(b *blueprint) {
			o := standard()
			o.person.Given, o.person.Number, o.aa, o.ca = "Thị Khác", "003190000025", ecKey(standardCurve, "AA 2"), ecKey(standardCurve, "CA 2")
			b.after = func(files verify.Files) {
				if theirs, _, err := o.card(); err == nil {
					files[lds.SODFile] = theirs[lds.SODFile]
				}
			}
		}},
		{"dg2-bomb", "a picture that no one signed, made to crash a decoder, in place of the portrait", standard, refuse, verify.ReasonGroupHash, func(b *blueprint) {
			b.after = func(files verify.Files) {
				files[lds.DG2], _ = lds.EncodeDG2(lds.Face{Image: bomb, Coding: lds.JPEG2000, Width: 48, Height: 64})
			}
			b.play = undrawn
		}},
		{"sod-signature-first", "a wrong signature and a changed group: the signature is told first", standard, refuse, verify.ReasonSODSignature, func(b *blueprint) {
			b.signature = func(s []byte) []byte { return flipped(s, -1) }
			b.after = func(files verify.Files) { files[lds.DG13] = flipped(files[lds.DG13], -5) }
		}},
		{"subject-hostile", "terminal escapes, HTML and right-to-left marks in a certificate's subject", standard, accept, "", func(b *blueprint) {
			b.signer.Subject = nameOf("VN", "DS \x1b[2J<script>\u202e SPECIMEN")
			b.play = harmless
		}},
	}
	for _, f := range []lds.File{lds.DG1, lds.DG2, lds.DG13} {
		name := f.Name()
		list = append(
			list,
			play{fmt.Sprintf("dg%d-changed", f.Number()), "a bit of " + name + " was changed", standard, refuse, verify.ReasonGroupHash, altered(f, func(r []byte) []byte { return flipped(r, -5) })},
			play{fmt.Sprintf("dg%d-cut", f.Number()), name + " was cut", standard, refuse, verify.ReasonGroupWithheld, altered(f, func(r []byte) []byte { return r[:len(r)-2] })},
		)
	}
	return append(list, play{"dg1-extended", "two octets stand behind DG1", archived, refuse, verify.ReasonGroupHash, altered(lds.DG1, func(r []byte) []byte { return append(r, 0, 0) })})
}

// archived is the standard card as an EF folder without its chip.
func archived() *blueprint {
	b := standard()
	b.kind = "archive"
	b.archive = true
	return b
}

// bomb claims to be a JPEG 2000 picture of 2^31 pixels square in one tile of one octet.
var bomb = append([]byte("\xFF\x4F\xFF\x51\x00\x29\x00\x00\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01"), bytes.Repeat([]byte{0xFF}, 64)...)
