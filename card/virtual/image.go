package virtual

import (
	"encoding/binary"
	"fmt"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
)

// Kinds of records. What each holds is in the method of image that reads it.
const (
	recFactory  = iota + 1
	recKeys     // a key set in place of another
	recPair     // a key pair of the chip
	recFile     // a file begins, and replaces any before it
	recPart     // octets of a file
	recSecret   // a password's secret, or the rules
	recState    // life cycle
	recFailures // a counter of failures
	recQuirks   // Quirks
	recDialect  // how it is personalised
	recKey      // a key of the chip that it was given
	recTrust    // a trust point of Terminal Authentication
	recDate     // the chip's effective date
	recAccess   // who may read a file, in place of the usual rule
	recOptions  // of SCP03
	recSequence // the counter behind a key set's challenges
)

// Counters of failures.
const (
	failuresDomain = iota // of EXTERNAL AUTHENTICATE in a row
	failuresCAN           // of PACE with the CAN in a row
	failuresPIN           // of PACE with the PIN in a row
	usesPUK               // of the PUK, good and bad
	counters
)

// image is what the memory says: the sum of its records.
type image struct {
	kdd        gp.KDD
	historical []byte
	keys       []gp.Keys
	pairs      map[byte]*pair // by reference
	files      map[uint16]*file
	secrets    map[uint16][]byte
	state      byte
	failures   [counters]byte
	quirks     Quirks
	dialect    Dialect
	access     map[uint16]rule // in place of the usual ones, by name
	given      []given
	trust      trust
	options    byte
	sequence   map[byte]uint32 // by key version
}

// pair is a key pair that the chip made.
type pair struct {
	use   gp.KeyUse
	curve byte // TR-03110 id
	key   *dh.PrivateKey
}

// file is an elementary file, perhaps not yet whole.
type file struct {
	data   []byte // of its full size
	filled int
}

func (f *file) whole() bool { return f != nil && f.filled == len(f.data) }

// apply adds a record. A record that can't follow is ErrCorrupt.
func (m *image) apply(r record) error {
	b := fields{r.body, (r.kind == recFactory) == (m.files == nil)}
	if !b.ok {
		return fmt.Errorf("record of kind %d: %w", r.kind, ErrCorrupt)
	}
	switch r.kind {
	case recFactory:
		m.applyFactory(&b)
	case recKeys:
		m.replaceKeys(b.octet(), b.keySet())
	case recPair:
		m.applyPair(&b)
	case recFile:
		fid, size := b.u16(), b.u32()
		b.ok = b.ok && size <= maxFile
		if b.ok {
			m.files[fid] = &file{data: make([]byte, size)}
		}
	case recPart:
		fid, offset := b.u16(), b.u32()
		f, data := m.files[fid], b.rest()
		b.ok = b.ok && f != nil && offset <= len(f.data) && len(data) <= len(f.data)-offset
		if b.ok {
			f.filled = max(f.filled, offset+copy(f.data[offset:], data))
		}
	case recSecret:
		m.secrets[b.u16()] = b.rest()
	case recState:
		m.state = b.octet()
	case recFailures:
		if n := b.octet(); n < counters {
			m.failures[n] = b.octet()
		}
	case recQuirks:
		var ok bool
		m.quirks, ok = parseQuirks(b.rest())
		b.ok = b.ok && ok
	case recDialect:
		m.dialect = Dialect(b.octet())
		b.ok = b.ok && m.dialect < dialects
	case recTrust:
		m.applyTrust(&b)
	case recDate:
		m.applyDate(&b)
	case recKey:
		m.applyKey(&b)
	case recOptions:
		m.options = b.octet()
		b.ok = b.ok && m.options&^(gp.OptionS16|gp.OptionPseudoRandom) == 0
	case recSequence:
		version := b.octet()
		m.sequence[version] = uint32(b.number(3))
	case recAccess:
		name, r := b.u16(), rule{reader(b.octet()), b.octet()}
		b.ok = b.ok && r.who < readers
		m.access[name] = r
	default:
		b.ok = false
	}
	if !b.ok || len(b.b) > 0 {
		return fmt.Errorf("record of kind %d: %w", r.kind, ErrCorrupt)
	}
	return nil
}

func (m *image) applyFactory(b *fields) {
	*m = image{
		pairs: map[byte]*pair{}, files: map[uint16]*file{}, secrets: map[uint16][]byte{},
		access: map[uint16]rule{}, sequence: map[byte]uint32{},
		state: gp.StateInitialized,
	}
	copy(m.kdd[:], b.take(len(m.kdd)))
	m.historical = b.take(int(b.octet()))
	m.keys = []gp.Keys{b.keySet()}
}

// replaceKeys puts a set in place of another. Its counter begins anew.
func (m *image) replaceKeys(version byte, k gp.Keys) {
	delete(m.sequence, version)
	delete(m.sequence, k.Version)
	for i := range m.keys {
		if m.keys[i].Version == version {
			m.keys[i].Destroy()
			m.keys[i] = k
			return
		}
	}
	m.keys = append(m.keys, k)
}

func (m *image) applyPair(b *fields) {
	ref, p := b.octet(), &pair{use: gp.KeyUse(b.octet()), curve: b.octet()}
	scalar := b.rest()
	defer clear(scalar)
	c, err := dh.ByID(int(p.curve))
	if err == nil {
		p.key, err = c.NewPrivateKey(scalar)
	}
	if err != nil {
		b.ok = false
		return
	}
	m.pairs[ref] = p
}

// destroy forgets the secrets.
func (m *image) destroy() {
	for i := range m.keys {
		m.keys[i].Destroy()
	}
	for _, p := range m.pairs {
		p.key.Destroy()
	}
	for _, g := range m.given {
		g.destroy()
	}
	for _, s := range m.secrets {
		clear(s)
	}
}

// fields reads a record's body, and is not ok from the first field that is missing.
type fields struct {
	b  []byte
	ok bool
}

func (f *fields) take(n int) []byte {
	if !f.ok || n > len(f.b) {
		f.ok = false
		return nil
	}
	v := append([]byte(nil), f.b[:n]...)
	f.b = f.b[n:]
	return v
}

func (f *fields) rest() []byte { return f.take(len(f.b)) }

func (f *fields) octet() byte { return byte(f.number(1)) }
func (f *fields) u16() uint16 { return uint16(f.number(2)) }
func (f *fields) u32() int    { return f.number(4) }

func (f *fields) number(n int) int {
	v := 0
	for _, o := range f.take(n) {
		v = v<<8 | int(o)
	}
	return v
}

func (f *fields) keySet() gp.Keys {
	k := gp.Keys{Version: f.octet()}
	n := int(f.octet())
	k.Enc, k.MAC, k.DEK = f.take(n), f.take(n), f.take(n)
	return k
}

// The bodies of records.

func factoryRecord(kdd gp.KDD, historical []byte, k gp.Keys) record {
	b := append(kdd[:len(kdd):len(kdd)], byte(len(historical)))
	return record{recFactory, appendKeys(append(b, historical...), k)}
}

func keysRecord(replaces byte, k gp.Keys) record {
	return record{recKeys, appendKeys([]byte{replaces}, k)}
}

func appendKeys(b []byte, k gp.Keys) []byte {
	b = append(b, k.Version, byte(len(k.Enc)))
	return append(append(append(b, k.Enc...), k.MAC...), k.DEK...)
}

func pairRecord(ref byte, p pair) record {
	return record{recPair, append([]byte{ref, byte(p.use), p.curve}, p.key.Bytes()...)}
}

func fileRecord(fid uint16, size int) record {
	b := binary.BigEndian.AppendUint16(nil, fid)
	return record{recFile, binary.BigEndian.AppendUint32(b, uint32(size))}
}

func partRecord(fid uint16, offset int, data []byte) record {
	b := binary.BigEndian.AppendUint16(nil, fid)
	return record{recPart, append(binary.BigEndian.AppendUint32(b, uint32(offset)), data...)}
}

func secretRecord(dgi uint16, value []byte) record {
	return record{recSecret, append(binary.BigEndian.AppendUint16(nil, dgi), value...)}
}

func sequenceRecord(version byte, n uint32) record {
	return record{recSequence, []byte{version, byte(n >> 16), byte(n >> 8), byte(n)}}
}

func stateRecord(s byte) record             { return record{recState, []byte{s}} }
func failuresRecord(counter, n byte) record { return record{recFailures, []byte{counter, n}} }
