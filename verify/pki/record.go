package pki

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/big"
	"math/bits"
	"slices"
	"weak"

	"github.com/tamthe/tamthe/card/cert"
)

// record is a certificate as it was encoded, with where in it is what it is found by.
type record struct {
	der     []byte
	print   [32]byte
	serial  span
	issuer  span
	subject span
	key     span // its subject key identifier; empty if it has none
	public  span // SubjectPublicKeyInfo
	source  int32
	flags   uint8

	made *entry              // decoded for good
	seen weak.Pointer[entry] // decoded for as long as somebody uses it
}

// The flags of a record.
const (
	isSpecimen = 1 << iota
	isMaterial // is no anchor, whatever it says of itself
	mayVouch   // says that it may certify, or is certified by its own name
)

// span is a part of a certificate, which has at most cert.MaxCertificate octets.
type span struct{ at, n uint16 }

func (p span) of(der []byte) []byte { return der[p.at : int(p.at)+int(p.n)] }

// spanOf is where part, a slice of der, lies in it.
func spanOf(der, part []byte) span {
	if len(part) == 0 {
		return span{}
	}
	return span{uint16(cap(der) - cap(part)), uint16(len(part))}
}

// keyID is the subject key identifier, computed if the certificate has none.
func (r *record) keyID() []byte {
	if r.key.n > 0 {
		return r.key.of(r.der)
	}
	return r.ownKeyID()
}

// ownKeyID is the identifier that follows from the key itself.
func (r *record) ownKeyID() []byte { return cert.PublicKey{Raw: r.public.of(r.der)}.KeyID() }

// index finds records by a hash: buckets of chained records. Whether a record of the
// bucket is what is looked for, the caller finds out; that a few are is up to the hash.
type index struct {
	head []int32 // by the lower bits of the hash, -1 for none; as many as a power of two
	next []int32 // by record
}

// newIndex makes an index for n records.
func newIndex(n int) index {
	x := index{make([]int32, 1<<bits.Len(uint(n))), make([]int32, n)}
	for i := range x.head {
		x.head[i] = -1
	}
	return x
}

// push puts a record before those of its bucket.
func (x *index) push(hash uint64, i int32) {
	bucket := &x.head[hash&uint64(len(x.head)-1)]
	x.next[i], *bucket = *bucket, i
}

// first returns the first record of a bucket, or -1; next has those that follow.
func (x *index) first(hash uint64) int32 { return x.head[hash&uint64(len(x.head)-1)] }

// seed makes the hashes of this process unforeseeable for whoever makes certificates.
var seed = maphash.MakeSeed()

func octetsHash(b []byte) uint64 { return maphash.Bytes(seed, b) }

func printHash(print [32]byte) uint64 { return binary.LittleEndian.Uint64(print[:]) }

// numberHash is of a serial number, as cert.Number gives it, and the country of its
// issuer's name: names of one issuer are written in several ways.
func numberHash(serial []byte, country string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.Write(serial)
	h.WriteByte(0)
	h.WriteString(country)
	return h.Sum64()
}

// lookupNumber returns the records of that serial number whose issuer may be meant.
func (s *Store) lookupNumber(serial *big.Int, issuer cert.Name) []int32 {
	number := cert.Number(serial)
	var list []int32
	for i := s.byNumber.first(numberHash(number, issuer.Country())); i >= 0; i = s.byNumber.next[i] {
		if r := &s.records[i]; bytes.Equal(r.serial.of(r.der), number) && sameName(r.issuer.of(r.der), issuer) {
			list = append(list, i)
		}
	}
	return list
}

// sameName compares an encoded name as cert.Name.Equal does.
func sameName(raw []byte, n cert.Name) bool {
	if bytes.Equal(raw, n.Raw) {
		return true
	}
	other, err := cert.ParseName(raw)
	return err == nil && other.Equal(n)
}

// source is where a certificate was found: a file, and what the index says of it.
type source struct {
	name   string
	listed *Import // nil if it just lies there
}

// item is a certificate on its way into a store.
type item struct {
	der      []byte
	cert     *cert.Certificate // if it was decoded before
	source   int32
	specimen bool
	material bool
}

// builder makes a store.
type builder struct{ s *Store }

func newBuilder(n int) *builder {
	b := &builder{new(Store)}
	b.grow(max(n, 64))
	return b
}

// source returns the number of a file's name.
func (b *builder) source(name string) int32 { return b.sourceOf(name, nil) }

func (b *builder) sourceOf(name string, i *Import) int32 {
	if n := len(b.s.sources); n == 0 || b.s.sources[n-1] != (source{name, i}) {
		b.s.sources = append(b.s.sources, source{name, i})
	}
	return int32(len(b.s.sources) - 1)
}

// grow makes room for n more certificates, and for some beyond where it has to: a folder may
// have thousands of imports of one certificate each.
func (b *builder) grow(n int) {
	s := b.s
	need, room := len(s.records)+n, cap(s.records)
	if need <= room {
		return
	}
	s.records = append(make([]record, 0, max(need, room+room/4)), s.records...)
	s.byPrint = newIndex(cap(s.records))
	for i := range s.records {
		s.byPrint.push(printHash(s.records[i].print), int32(i))
	}
}

// addOf takes a certificate if the import is for its country, and says whether it is.
func (b *builder) addOf(it item, i *Import) (taken bool, err error) {
	if len(i.Countries) > 0 {
		o, err := cert.ParseOutline(it.der)
		if err != nil {
			return true, err
		}
		if !i.takes(cert.CountryOf(o.Subject)) {
			return false, nil
		}
	}
	return true, b.add(it)
}

// add takes a certificate. A second one that is equal adds only its marks: it is a
// specimen if one of them is, and material only if all are.
func (b *builder) add(it item) error {
	s := b.s
	r := record{der: it.der[:len(it.der):len(it.der)], print: fingerprint(it.der), source: it.source}
	if it.specimen {
		r.flags |= isSpecimen
	}
	if it.material {
		r.flags |= isMaterial
	}
	if i := s.lookup(r.print); i >= 0 {
		old := &s.records[i]
		if old.flags&isMaterial != 0 && !it.material {
			old.flags &^= isMaterial
			old.source = it.source
		}
		old.flags |= r.flags & isSpecimen
		return nil
	}
	o, err := cert.ParseOutline(r.der)
	if err != nil {
		return err
	}
	r.serial, r.issuer, r.subject = spanOf(r.der, o.Number()), spanOf(r.der, o.Issuer), spanOf(r.der, o.Subject)
	r.key, r.public = spanOf(r.der, o.SubjectKeyID), spanOf(r.der, o.PublicKey)
	if o.CA || o.KeyUsage&cert.KeyCertSign != 0 || bytes.Equal(o.Issuer, o.Subject) {
		r.flags |= mayVouch
	}
	if specimenSubject(o.Subject) {
		r.flags |= isSpecimen
	}
	if len(s.records) == cap(s.records) {
		b.grow(len(s.records))
	}
	i := int32(len(s.records))
	s.byPrint.push(printHash(r.print), i)
	s.records = append(s.records, r)
	if it.cert != nil {
		s.records[i].made = newEntry(it.cert, &s.sources[it.source], false, false) // marked when all are there
	}
	return nil
}

// store makes the store of what was added.
func (b *builder) store(crls []*cert.CRL, issuers []Issuer) *Store {
	s := b.s
	s.crls, s.issuers = crls, issuers
	s.markSpecimens()
	n := len(s.records)
	s.byKeyID, s.byNumber, s.byName = newIndex(n), newIndex(n), newIndex(n)
	s.byCountry = map[string][]int32{}
	for i := int32(n - 1); i >= 0; i-- {
		r := &s.records[i]
		s.byKeyID.push(octetsHash(r.keyID()), i)
		s.byNumber.push(numberHash(r.serial.of(r.der), cert.CountryOf(r.issuer.of(r.der))), i)
		if r.flags&mayVouch == 0 {
			s.byName.push(octetsHash(r.subject.of(r.der)), i)
		} else {
			c := canonical(cert.CountryOf(r.subject.of(r.der)))
			s.byCountry[c] = append(s.byCountry[c], i)
		}
		if r.made != nil {
			r.made = newEntry(r.made.cert, &s.sources[r.source], r.flags&isSpecimen != 0, r.flags&isMaterial == 0)
			r.made.kept = true
		}
	}
	for _, list := range s.byCountry {
		slices.Reverse(list)
	}
	s.digested = onceDigest(s)
	return s
}

// markSpecimens marks every certificate of a test key, under whatever name: whoever has
// the key of a test authority can certify it under another.
func (s *Store) markSpecimens() {
	keys := map[string]bool{}
	plain := 0
	for i := range s.records {
		if s.records[i].flags&isSpecimen == 0 {
			plain++
		}
	}
	if plain == 0 || plain == len(s.records) {
		return
	}
	for i := range s.records {
		if r := &s.records[i]; r.flags&isSpecimen != 0 {
			keys[string(r.ownKeyID())] = true
		}
	}
	for i := range s.records {
		if r := &s.records[i]; r.flags&isSpecimen == 0 && keys[string(r.ownKeyID())] {
			r.flags |= isSpecimen
		}
	}
}

// specimenSubject is specimenName of an encoded name. One in ASCII is not decoded for it:
// what stands between its values are no letters.
func specimenSubject(name []byte) bool {
	for i := min(len(name), 4); i < len(name); i++ {
		switch c := name[i]; {
		case c >= 0x80 || c == 0: // no ASCII, or more than an octet a character
			n, err := cert.ParseName(name)
			return err != nil || specimenName(n)
		case c|0x20 == 's' && len(name)-i >= 8 && bytes.EqualFold(name[i:i+8], []byte("specimen")):
			return true
		}
	}
	return false
}
