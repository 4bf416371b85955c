package sm

import (
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/suite"
)

// The data objects of secure messaging, Doc 9303-11 §9.8.4.
const (
	tagPadded tlv.Tag = 0x87 // padding indicator and cryptogram, even INS
	tagPlain  tlv.Tag = 0x85 // cryptogram alone, odd INS
	tagLe     tlv.Tag = 0x97
	tagStatus tlv.Tag = 0x99
	tagMAC    tlv.Tag = 0x8E
)

// paddingMethod2 is the padding indicator of DO'87'.
const paddingMethod2 = 0x01

const (
	sizeStatusDO = 2 + 2
	sizeMACDO    = 2 + suite.MACSize
)

// end is what both ends of a channel have in common: keys and the counter.
type end struct {
	keys Keys
	open bool
}

func newEnd(k Keys) end {
	if err := k.check(); err != nil {
		k.Destroy()
		return end{}
	}
	return end{keys: k, open: true}
}

func (e *end) close() {
	e.keys.Destroy()
	e.open = false
}

// step advances the send sequence counter by one.
func (e *end) step() {
	for i := len(e.keys.SSC) - 1; i >= 0; i-- {
		e.keys.SSC[i]++
		if e.keys.SSC[i] != 0 {
			return
		}
	}
}

// iv is the initial block of the present counter (Doc 9303-11 §9.8.6.1, §9.8.7.1).
func (e *end) iv() ([]byte, error) {
	if e.keys.Cipher == suite.TDES {
		return nil, nil
	}
	b, err := e.keys.Cipher.Block(e.keys.Enc)
	if err != nil {
		return nil, err
	}
	iv := make([]byte, b.BlockSize())
	b.Encrypt(iv, e.keys.SSC)
	return iv, nil
}

// seal appends data to dst as an encrypted data object; no data make no object.
func (e *end) seal(dst, data []byte, odd bool) ([]byte, error) {
	if len(data) == 0 {
		return dst, nil
	}
	iv, err := e.iv()
	if err != nil {
		return nil, err
	}
	padded := suite.Pad(data, e.keys.Cipher.BlockSize())
	defer clear(padded)
	cryptogram, err := e.keys.Cipher.Encrypt(e.keys.Enc, iv, padded)
	if err != nil {
		return nil, err
	}
	if odd {
		return tlv.Append(dst, tagPlain, cryptogram), nil
	}
	return tlv.Append(dst, tagPadded, append([]byte{paddingMethod2}, cryptogram...)), nil
}

// unseal decrypts the value of an encrypted data object whose MAC was verified.
func (e *end) unseal(tag tlv.Tag, value []byte) ([]byte, error) {
	if tag == tagPadded {
		if len(value) == 0 || value[0] != paddingMethod2 {
			return nil, fmt.Errorf("padding indicator of DO'87'")
		}
		value = value[1:]
	}
	iv, err := e.iv()
	if err != nil {
		return nil, err
	}
	padded, err := e.keys.Cipher.Decrypt(e.keys.Enc, iv, value)
	if err != nil {
		return nil, err
	}
	return suite.Unpad(padded, e.keys.Cipher.BlockSize())
}

// input is what the MAC covers: the counter, the padded command header if there is one,
// and the data objects before DO'8E' as they were sent. CMAC is given padded input
// too (Doc 9303-11 §9.8.4: "add padding" for every suite).
func (e *end) input(header, objects []byte) []byte {
	n := e.keys.Cipher.BlockSize()
	in := append(make([]byte, 0, 3*n+len(objects)), e.keys.SSC...)
	if header != nil {
		in = append(in, suite.Pad(header, n)...)
	}
	in = append(in, objects...)
	if e.keys.Cipher != suite.TDES { // the retail MAC pads by itself
		in = suite.Pad(in, n)
	}
	return in
}

// authenticate appends DO'8E' over header and objects to objects.
func (e *end) authenticate(header, objects []byte) ([]byte, error) {
	mac, err := e.keys.Cipher.MAC(e.keys.MAC, e.input(header, objects))
	if err != nil {
		return nil, err
	}
	return tlv.Append(objects, tagMAC, mac), nil
}

func (e *end) verify(header, objects, mac []byte) bool {
	return e.keys.Cipher.Verify(e.keys.MAC, e.input(header, objects), mac)
}

// encrypted reports whether tag is a cryptogram's in a message to or from a command
// with an odd or even INS. Chips are met that keep to DO'87' with odd INS.
func encrypted(tag tlv.Tag, odd bool) bool {
	return tag == tagPadded || tag == tagPlain && odd
}

// sealedSize is the size of the data object that holds n octets of data, the larger of
// both kinds.
func sealedSize(c suite.Cipher, n int) int {
	if n == 0 {
		return 0
	}
	value := 1 + (n/c.BlockSize()+1)*c.BlockSize()
	switch {
	case value < 0x80:
		return 2 + value
	case value < 0x100:
		return 3 + value
	case value < 0x10000:
		return 4 + value
	}
	return 5 + value
}

// answerSize is the size of a protected answer's data field that holds n octets of data.
func answerSize(c suite.Cipher, n int) int { return sealedSize(c, n) + sizeStatusDO + sizeMACDO }

// most returns the largest n up to limit for which fits holds, as it does for every
// smaller one; 0 if there is none.
func most(limit int, fits func(int) bool) int {
	low := 0
	for low < limit {
		if mid := (low + limit + 1) / 2; fits(mid) {
			low = mid
		} else {
			limit = mid - 1
		}
	}
	return low
}

// MaxResponse returns the most answer data in octets whose protected form stays within l,
// under any keys of the suite.
func MaxResponse(c suite.Cipher, l apdu.Limits) int {
	_, response := l.Sizes()
	return most(apdu.MaxLe, func(n int) bool { return answerSize(c, n)+2 <= response })
}
