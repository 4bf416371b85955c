package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// template is a biometric information template (ISO/IEC 7816-11) before it is written.
type template struct {
	count  []byte // of the group; nil leaves it out
	header []tlvObject
	data   []byte // nil leaves it out
}

// templates reads what our encoder wrote.
func templates(raw []byte) (tag tlv.Tag, list []template) {
	s := tlv.String(raw)
	var file, group, count, record, header, data, value tlv.String
	if !s.Read(&tag, &file) || !file.ReadTag(0x7F61, &group) || !group.ReadTag(0x02, &count) {
		return tag, nil
	}
	for group.ReadTag(0x7F60, &record) {
		t := template{count: bytes.Clone(count)}
		if !record.ReadTag(0xA1, &header) || !record.ReadTag(0x5F2E, &data) {
			return tag, nil
		}
		var k tlv.Tag
		for header.Read(&k, &value) {
			t.header = append(t.header, tlvObject{k, bytes.Clone(value)})
		}
		t.data = bytes.Clone(data)
		list = append(list, t)
	}
	return tag, list
}

// written is the file again.
func written(tag tlv.Tag, list []template) []byte {
	var group []byte
	if list[0].count != nil {
		group = tlv.Append(group, 0x02, list[0].count)
	}
	for _, t := range list {
		var header []byte
		for _, o := range t.header {
			header = tlv.Append(header, o.tag, o.value)
		}
		record := tlv.Encode(0xA1, header)
		if t.data != nil {
			record = tlv.Append(record, 0x5F2E, t.data)
		}
		group = tlv.Append(group, 0x7F60, record)
	}
	return tlv.Encode(tag, tlv.Encode(0x7F61, group))
}

// setHeader changes an element of a header, or takes it out.
func setHeader(t *template, tag tlv.Tag, value []byte) {
	for i := range t.header {
		if t.header[i].tag != tag {
			continue
		}
		if value == nil {
			t.header = append(t.header[:i], t.header[i+1:]...)
			return
		}
		t.header[i].value = value
	}
}

// The objects of a header.
const (
	bioType, bioSubtype, bioOwner, bioFormat tlv.Tag = 0x81, 0x82, 0x87, 0x88
)

// facePlays are those of DG2 (Doc 9303-10 §4.7.2, ISO/IEC 19794-5), signed by their issuer.
// What a record says of pose, sex or colours is signed text that nobody uses: it is not
// judged.
func facePlays() []play {
	with := func(change func(*template)) func(*blueprint) {
		return func(b *blueprint) {
			made, err := b.groups()
			if err != nil {
				return
			}
			tag, list := templates(made[lds.DG2])
			if len(list) == 1 {
				change(&list[0])
				b.files[lds.DG2] = written(tag, list)
			}
		}
	}
	data := func(at int, v ...byte) func(*blueprint) {
		return with(func(t *template) { copy(t.data[at:], v) })
	}
	unread := verify.ReasonPhotoUnread
	face := func(f lds.Face) func(*blueprint) {
		return func(b *blueprint) { b.files[lds.DG2], _ = lds.EncodeDG2(f) }
	}
	jp2 := append([]byte("\x00\x00\x00\x0CjP  \r\n\x87\n"), make([]byte, 64)...)
	list := []play{
		{"dg2-jpeg", "a portrait in JPEG", standard, accept, "", func(*blueprint) {}},
		{"dg2-jpeg2000", "a portrait in JPEG 2000", standard, accept, "", face(lds.Face{Image: jp2, Coding: lds.JPEG2000, Width: 48, Height: 64})},
		{"dg2-points", "a portrait with feature points", standard, accept, "", face(lds.Face{
			Image: portrait(), Width: 48, Height: 64, Record: &lds.FaceRecord{Type: 1, Points: []lds.FeaturePoint{{Type: 1, Code: 0x21, X: 9, Y: 9}}},
		})},
		{"dg2-no-count", "no number of templates", standard, refer, unread, with(func(t *template) { t.count = nil })},
		{"dg2-count", "fewer templates than their number", standard, refer, unread, with(func(t *template) { t.count = []byte{2} })},
		{"dg2-no-image", "no biometric data block", standard, refer, unread, with(func(t *template) { t.data = nil })},
		{"dg2-image-empty", "an image of no octets", standard, accept, "", with(func(t *template) { t.emptyImage() })},
		{"dg2-identifier", "another format identifier than FAC", standard, refer, unread, data(0, 'F', 'I', 'R')},
		{"dg2-version", "another version than 010", standard, refer, unread, data(4, '0', '2', '0')},
		{"dg2-record-length", "a record length far beyond the record", standard, refer, unread, data(8, 0x7F, 0xFF)},
		{"dg2-faces", "more portraits than there are", standard, refer, unread, data(12, 0, 9)},
		{"dg2-block-length", "a block length that lies", standard, refer, unread, data(14, 0, 0, 0, 9)},
		{"dg2-points-lie", "more feature points than there are octets", standard, refer, unread, data(18, 0x3F, 0xFF)},
	}
	for _, f := range []struct {
		id, what string
		change   func(*blueprint)
	}{
		{"owner", "a format owner that is not allowed", with(func(t *template) { setHeader(t, bioOwner, []byte{0xFF, 0xFF}) })},
		{"no-owner", "no format owner", with(func(t *template) { setHeader(t, bioOwner, nil) })},
		{"format", "a format type that is not allowed", with(func(t *template) { setHeader(t, bioFormat, []byte{0xFF, 0xFF}) })},
		{"no-format", "no format type", with(func(t *template) { setHeader(t, bioFormat, nil) })},
		{"type-old", "a biometric type of the time before", with(func(t *template) { setHeader(t, bioType, []byte{0x01}) })},
		{"type", "the biometric type of fingers", with(func(t *template) { setHeader(t, bioType, []byte{0x08}) })},
		{"gender", "a sex that there is not", data(20, 0x09)},
		{"eyes", "a colour of eyes that there is not", data(21, 0x77)},
		{"hair", "a colour of hair that there is not", data(22, 0x77)},
		{"yaw", "a yaw out of range", data(28, 0xFF)},
		{"pitch", "a pitch out of range", data(29, 0xFF)},
		{"roll", "a roll out of range", data(30, 0xFF)},
		{"yaw-uncertain", "an uncertainty of yaw out of range", data(31, 0xFF)},
		{"pitch-uncertain", "an uncertainty of pitch out of range", data(32, 0xFF)},
		{"roll-uncertain", "an uncertainty of roll out of range", data(33, 0xFF)},
		{"image-type", "a kind of portrait that there is not", data(34, 0x77)},
		{"image-data", "a coding that there is not", data(35, 0x77)},
	} {
		list = append(list, play{"dg2-" + f.id, f.what + ", signed", standard, accept, "", f.change})
	}
	return list
}

// emptyImage leaves a portrait of no octets, with right lengths.
func (t *template) emptyImage() {
	const header, block, info = 14, 20, 12
	t.data = t.data[:header+block+info]
	binary.BigEndian.PutUint32(t.data[8:], uint32(len(t.data)))
	binary.BigEndian.PutUint32(t.data[header:], uint32(len(t.data)-header))
}

// malformed is the reason of a file that our reader does not take.
const reasonMalformed verify.Reason = "malformed"

// samplePlays are those of DG3 and DG4 and of EF.ATR/INFO, which no verdict rests on: our
// reader takes the file or does not.
func samplePlays() []play {
	var list []play
	two := func(f lds.File, coding uint16) []byte {
		raw, _ := lds.EncodeBiometrics(f, nil,
			lds.Sample{Part: 1, Image: []byte("\xFF\xA0 one"), Width: 8, Height: 8, Compression: coding},
			lds.Sample{Part: 2, Image: []byte("\xFF\xA0 two"), Width: 8, Height: 8, Compression: coding})
		return raw
	}
	put := func(f lds.File, verdict string, id, what string, raw func() []byte) {
		reason := reasonMalformed
		if verdict == accept {
			reason = ""
		}
		list = append(list, play{fmt.Sprintf("dg%d-%s", f.Number(), id), f.Name() + ": " + what, standard, verdict, reason, func(b *blueprint) {
			b.play = func(*stage) (Got, error) {
				_, err := lds.ParseBiometrics(f, raw())
				return taken(err), nil
			}
		}})
	}
	for f, codes := range map[lds.File][2]uint16{lds.DG3: {4, 0}, lds.DG4: {6, 2}} {
		put(f, accept, "jpeg2000", "two images in JPEG 2000", func() []byte { return two(f, codes[0]) })
		put(f, accept, "raw", "two plain images", func() []byte { return two(f, codes[1]) })
		put(f, none, "tag", "another tag", func() []byte { r := two(f, 0); r[0]++; return r })
		put(f, none, "length-short", "a length that is an octet short", func() []byte { return lengthOff(two(f, 0), -1) })
		put(f, none, "length-long", "a length that is an octet long", func() []byte { return lengthOff(two(f, 0), 1) })
		changed := func(change func([]template)) func() []byte {
			return func() []byte {
				tag, l := templates(two(f, 0))
				change(l)
				return written(tag, l)
			}
		}
		put(f, none, "no-count", "no number of templates", changed(func(l []template) { l[0].count = nil }))
		put(f, none, "identifier", "another format identifier", changed(func(l []template) { l[0].data[0] = 'X' }))
		put(f, none, "no-image", "no data block in the second template", changed(func(l []template) { l[1].data = nil }))
		put(f, accept, "owner", "a format owner that is not allowed", changed(func(l []template) { setHeader(&l[0], bioOwner, []byte{0xFF, 0xFF}) }))
		put(f, accept, "no-owner", "no format owner", changed(func(l []template) { setHeader(&l[0], bioOwner, nil) }))
		put(f, accept, "format", "a format type that is not allowed", changed(func(l []template) { setHeader(&l[0], bioFormat, []byte{0xFF, 0xFF}) }))
		put(f, accept, "no-format", "no format type", changed(func(l []template) { setHeader(&l[0], bioFormat, nil) }))
		put(f, accept, "subtype", "a subtype that is not the record's", changed(func(l []template) { setHeader(&l[0], bioSubtype, []byte{0x7F}) }))
		put(f, accept, "no-subtype", "no subtype", changed(func(l []template) { setHeader(&l[0], bioSubtype, nil) }))
	}
	put(lds.DG3, accept, "wsq", "two images in WSQ", func() []byte { return two(lds.DG3, 2) })
	put(lds.DG3, accept, "three", "three images", func() []byte {
		s := lds.Sample{Part: 1, Image: []byte("\xFF\xA0 an image"), Width: 8, Height: 8, Compression: 2}
		raw, _ := lds.EncodeBiometrics(lds.DG3, nil, s, s, s)
		return raw
	})
	for _, a := range []struct {
		id, what, verdict string
		raw               []byte
	}{
		{"two", "lengths in two octets", accept, atrInfo([]byte{0x10, 0x00}, []byte{0x10, 0x00})},
		{"three", "lengths in three octets", accept, atrInfo([]byte{0x01, 0x00, 0x00}, []byte{0x01, 0x00, 0x00})},
		{"one", "one length only", none, tlv.Encode(0x7F66, tlv.Encode(0x02, []byte{0x10, 0x00}))},
		{"tag", "another tag", accept, tlv.Encode(0x7F67, tlv.Encode(0x02, []byte{0x10, 0x00}), tlv.Encode(0x02, []byte{0x10, 0x00}))},
	} {
		reason := reasonMalformed
		if a.verdict == accept {
			reason = ""
		}
		list = append(list, play{"atr-" + a.id, "EF.ATR/INFO: " + a.what, standard, a.verdict, reason, func(b *blueprint) {
			b.play = func(*stage) (Got, error) {
				_, err := lds.ParseATRInfo(a.raw)
				return taken(err), nil
			}
		}})
	}
	return list
}

func atrInfo(command, response []byte) []byte {
	return tlv.Encode(0x7F66, tlv.Encode(0x02, command), tlv.Encode(0x02, response))
}

// taken is the result of a reader of ours.
func taken(err error) Got {
	if err == nil {
		return Got{Verdict: accept}
	}
	return Got{Verdict: none, Reasons: []verify.Reason{reasonMalformed}, Detail: err.Error()}
}
