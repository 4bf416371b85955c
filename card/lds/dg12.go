package lds

import (
	"github.com/tamthe/tamthe/apdu/tlv"
)

// Detail is an element of DG11 or DG12 by its tag. DG12 (Doc 9303-10 §4.7.12): 5F19 authority, 5F26 date
// of issue, 5F1B endorsements, 5F1C tax or exit requirements, 5F1D and 5F1E images, 5F55
// time and 5F56 serial number of the personalisation system, A0 other persons.
type Detail struct {
	Tag   tlv.Tag
	Value []byte
}

// TagIssued is the date of issue, YYYYMMDD in characters or in BCD.
const TagIssued tlv.Tag = 0x5F26

// maxDetails bounds the elements of DG12; there are eleven kinds.
const maxDetails = 32

// ParseDG12 reads the elements of DG12 in their order. The tag list in front of them says
// nothing that they don't say themselves; it has to be there, and may be wrong.
func ParseDG12(raw []byte) ([]Detail, error) { return parseDetails(DG12, raw) }

func parseDetails(f File, raw []byte) ([]Detail, error) {
	body, err := f.body(raw)
	if err != nil {
		return nil, err
	}
	s := tlv.String(body)
	var list tlv.String
	if !s.ReadTag(tagList, &list) {
		return nil, f.malformed("no tag list")
	}
	var details []Detail
	for s.SkipFiller(); !s.Empty(); s.SkipFiller() {
		var d Detail
		if len(details) == maxDetails || !s.Read(&d.Tag, (*tlv.String)(&d.Value)) {
			return nil, f.malformed("element %d", len(details)+1)
		}
		details = append(details, d)
	}
	return details, nil
}

// EncodeDG12 writes DG12 with its tag list.
func EncodeDG12(details []Detail) []byte { return encodeDetails(DG12, details) }

func encodeDetails(f File, details []Detail) []byte {
	var list, body []byte
	seen := map[tlv.Tag]bool{}
	for _, d := range details {
		if !seen[d.Tag] {
			if d.Tag > 0xFF {
				list = append(list, byte(d.Tag>>8))
			}
			list = append(list, byte(d.Tag))
			seen[d.Tag] = true
		}
		body = tlv.Append(body, d.Tag, d.Value)
	}
	return tlv.Encode(f.Tag(), tlv.Encode(tagList, list), body)
}

// IssueDate is the date of issue of DG12 as YYYYMMDD, whether it is written in characters
// or in BCD; false if there is none of either form.
func IssueDate(details []Detail) (string, bool) { return detailDate(details, TagIssued) }
