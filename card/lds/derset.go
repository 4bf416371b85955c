package lds

import (
	"bytes"
	"slices"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// derSet writes SET OF: the elements in rising order of their octets (X.690 §11.6).
func derSet(elements [][]byte) []byte {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, bytes.Compare)
	return tlv.Encode(0x31, sorted...)
}

// EncodeDG14 writes DG14 around the SecurityInfos.
func EncodeDG14(i SecurityInfos) ([]byte, error) {
	set, err := EncodeSecurityInfos(i)
	if err != nil {
		return nil, err
	}
	return tlv.Encode(DG14.Tag(), set), nil
}
