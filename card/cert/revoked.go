package cert

import (
	"bytes"
	"hash/maphash"
	"math/big"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// revoked is the entries of a revocation list as they were encoded, in a table by serial
// number: lists of ten thousands are looked into for one.
type revoked struct {
	der    []byte   // the content of revokedCertificates
	begins []uint32 // of each entry
	table  []uint32 // numbers of entries, plus one, by hash and then one after the other
	seed   maphash.Seed
}

// Entries decodes the entries of the list, in its order.
func (l *CRL) Entries() []Revocation {
	list := make([]Revocation, 0, len(l.revoked.begins))
	for i := range l.revoked.begins {
		list = append(list, l.revoked.entry(i))
	}
	return list
}

// Lookup returns the first entry of a serial number.
func (l *CRL) Lookup(serial *big.Int) (Revocation, bool) {
	r := &l.revoked
	if len(r.table) == 0 {
		return Revocation{}, false
	}
	if slot, there := r.slot(Number(serial)); there {
		return r.entry(int(r.table[slot]) - 1), true
	}
	return Revocation{}, false
}

// entry decodes an entry, which was found to be one before.
func (r *revoked) entry(i int) Revocation {
	var f findings
	var out Revocation
	s := cryptobyte.String(r.der[r.begins[i]:])
	_, _ = f.readEntry(&s, &out)
	return out
}

// number is the serial number of an entry in its shortest encoding.
func (r *revoked) number(i int) []byte {
	b := r.der[r.begins[i]:]
	if b[1] < 0x80 && b[3] < 0x80 { // lengths of one octet
		return shortest(b[4 : 4+b[3]])
	}
	s := cryptobyte.String(b)
	var entry, number cryptobyte.String
	_ = s.ReadASN1(&entry, tags.SEQUENCE) && entry.ReadASN1(&number, tags.INTEGER)
	return shortest(number)
}

// slot returns where in the table a number is, or would be.
func (r *revoked) slot(number []byte) (slot int, there bool) {
	mask := len(r.table) - 1
	for slot = int(maphash.Bytes(r.seed, number)) & mask; r.table[slot] != 0; slot = (slot + 1) & mask {
		if bytes.Equal(r.number(int(r.table[slot])-1), number) {
			return slot, true
		}
	}
	return slot, false
}

// fill makes the table, at most half full.
func (r *revoked) fill() {
	r.seed = maphash.MakeSeed()
	r.table = make([]uint32, 1<<bits.Len(uint(2*len(r.begins))))
	for i := range r.begins {
		if slot, there := r.slot(r.number(i)); !there {
			r.table[slot] = uint32(i + 1)
		}
	}
}

func (f *findings) readEntries(s *cryptobyte.String, l *CRL) error {
	var list cryptobyte.String
	if !s.ReadASN1(&list, tags.SEQUENCE) {
		return malformed("revoked certificates")
	}
	if list.Empty() {
		f.note(DefectEmptyList, "revokedCertificates")
		return nil
	}
	r := revoked{der: list, begins: make([]uint32, 0, len(list)/36+1)}
	for !list.Empty() {
		begin := uint32(len(r.der) - len(list))
		if n := usualEntry(list); n > 0 {
			list = list[n:]
		} else {
			unread, err := f.readEntry(&list, new(Revocation))
			if err != nil {
				return err
			}
			l.UnknownCritical = append(l.UnknownCritical, unread...)
		}
		r.begins = append(r.begins, begin)
	}
	r.fill()
	l.revoked = r
	return nil
}

// usualEntry returns the length of the entry that b begins with, if readEntry takes it and
// has nothing to say of it; 0 if that is to be seen. It knows entries of a number, a time
// and at most a reason.
func usualEntry(b []byte) int {
	if len(b) < 2 || b[0] != 0x30 || b[1] >= 0x80 || len(b) < 2+int(b[1]) {
		return 0
	}
	end := 2 + int(b[1])
	b = b[2:end]
	if len(b) < 3 || b[0] != 0x02 || b[1] == 0 || b[1] >= 0x80 || len(b) < 2+int(b[1]) {
		return 0
	}
	b = b[2+b[1]:]
	if len(b) < 15 || b[0] != byte(tags.UTCTime) || b[1] != 13 || b[2]-'0' > 9 || b[3]-'0' > 9 || !canonicalTime(b[4:15]) {
		return 0
	}
	const reason = "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"
	if b = b[15:]; len(b) == 0 || len(b) == len(reason)+1 && string(b[:len(reason)]) == reason && b[len(reason)] <= 10 {
		return end
	}
	return 0
}
