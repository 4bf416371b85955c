package dh

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func encodeDER(r, s []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, v := range [][]byte{r, s} {
			for len(v) > 1 && v[0] == 0 {
				v = v[1:]
			}
			b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) {
				if v[0]&0x80 != 0 {
					b.AddUint8(0)
				}
				b.AddBytes(v)
			})
		}
	})
	return b.BytesOrPanic() // two short integers always fit
}

// parseDER reads SEQUENCE { r, s } of positive integers in strict DER, each of at most
// size octets, and pads them to size.
func parseDER(sig []byte, size int) (r, s []byte, ok bool) {
	in := cryptobyte.String(sig)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return nil, nil, false
	}
	var out [2][]byte
	for i := range out {
		var v []byte
		if !seq.ReadASN1Integer(&v) || len(v) > size { // []byte: non-negative, no zeros in front
			return nil, nil, false
		}
		out[i] = append(make([]byte, size-len(v)), v...)
	}
	return out[0], out[1], seq.Empty()
}
