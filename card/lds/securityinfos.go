package lds

import (
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

// The arcs of BSI and ICAO that SecurityInfos are named by (Doc 9303-11 §9.2).
var (
	oidBSI      = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2}
	oidPublic   = arc(oidBSI, 1) // id-PK; below it 1 is DH, 2 is ECDH
	oidTerminal = arc(oidBSI, 2)
	oidChip     = arc(oidBSI, 3)
	oidPACE     = arc(oidBSI, 4)
	oidActive   = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 5}

	// oidStandard is standardizedDomainParameters, an algorithm of keys whose parameter is
	// a number of TR-03110-3 table 4 (A.1.1.1).
	oidStandard = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 2}
)

// oidDHKey is dhpublicnumber (RFC 3279 §2.3.3).
var oidDHKey = asn1.ObjectIdentifier{1, 2, 840, 10046, 2, 1}

func arc(parent asn1.ObjectIdentifier, n int) asn1.ObjectIdentifier {
	return append(append(asn1.ObjectIdentifier{}, parent...), n)
}

func below(oid, parent asn1.ObjectIdentifier) bool {
	return len(oid) > len(parent) && oid[:len(parent)].Equal(parent)
}

// NoParameter stands for a PACEInfo without parameterId.
const NoParameter = -1

// PACEInfo says that the chip runs PACE in this variant (Doc 9303-11 §9.2.1).
type PACEInfo struct {
	OID         asn1.ObjectIdentifier
	Version     int
	ParameterID int // standardised domain parameters, or NoParameter
}

// ChipAuthInfo says that the chip runs Chip Authentication in this variant (§9.2.5).
type ChipAuthInfo struct {
	OID     asn1.ObjectIdentifier
	Version int
	KeyID   *big.Int // nil if absent
}

// ChipAuthPublicKey is a static key of the chip (§9.2.6).
type ChipAuthPublicKey struct {
	OID   asn1.ObjectIdentifier
	Key   cert.PublicKey
	Err   error    // why Key is not usable: off the curve, unknown curve; then Key is zero
	KeyID *big.Int // nil if absent

	// Standardised says that the domain parameters are given by the number that
	// EF.CardAccess uses, and not by an object identifier or in full.
	Standardised bool
}

// ActiveAuthInfo names the signature algorithm of Active Authentication with ECDSA
// (§9.2.4).
type ActiveAuthInfo struct {
	Version   int
	Algorithm asn1.ObjectIdentifier
}

// TerminalAuthInfo says that the chip runs Terminal Authentication (§9.2.7).
type TerminalAuthInfo struct {
	OID     asn1.ObjectIdentifier
	Version int
	CVCA    []byte // efCVCA: the FileID of EF.CVCA, a whole SEQUENCE; nil if absent
}

// File returns where EF.CVCA lies: its identifier, and its short one or 0 if it has none.
// Where efCVCA is absent, or no FileID, that is 011C and 1C (TR-03110-3 §A.1.1.4).
func (i TerminalAuthInfo) File() (fid uint16, sfi byte) {
	s := cryptobyte.String(i.CVCA)
	var seq, short cryptobyte.String
	var id []byte
	if !s.ReadASN1(&seq, tags.SEQUENCE) || !seq.ReadASN1Bytes(&id, tags.OCTET_STRING) || len(id) != 2 {
		return 0x011C, 0x1C
	}
	fid = binary.BigEndian.Uint16(id)
	if seq.ReadASN1(&short, tags.OCTET_STRING) && len(short) == 1 && short[0] <= 0x1E {
		sfi = short[0]
	}
	return fid, sfi
}

// SecurityInfos are what a chip says it can do: the content of EF.CardAccess, signed in
// DG14. What is not known is kept in Unknown and is no error.
type SecurityInfos struct {
	Raw      []byte // the SET
	PACE     []PACEInfo
	Chip     []ChipAuthInfo
	ChipKeys []ChipAuthPublicKey
	Active   []ActiveAuthInfo
	Terminal []TerminalAuthInfo

	Domains       []ChipAuthDomain
	Restricted    []RestrictedInfo
	Pseudonyms    []PseudonymInfo
	PseudonymKeys []PseudonymKey

	Unknown  [][]byte // entries of other kinds, or of a kind above in another form
	Trailing int      // octets behind the SET

	primes int // keys over prime fields that are written out
}

const tagSet tlv.Tag = 0x31

// maxSecurityInfos bounds the entries; real chips have fewer than twenty.
const maxSecurityInfos = 128

// ParseSecurityInfos reads SET OF SecurityInfo. Entries of other kinds and odd forms are
// listed in Unknown. A SET that is cut short is an error; octets behind it are counted.
func ParseSecurityInfos(raw []byte) (*SecurityInfos, error) {
	return parseInfos(DG14, raw)
}

// ParseCardAccess reads EF.CardAccess; see ParseSecurityInfos.
func ParseCardAccess(raw []byte) (*SecurityInfos, error) {
	return parseInfos(CardAccess, raw)
}

// ParseDG14 reads DG14; see ParseSecurityInfos.
func ParseDG14(raw []byte) (*SecurityInfos, error) {
	body, err := DG14.body(raw)
	if err != nil {
		return nil, err
	}
	return parseInfos(DG14, body)
}

func parseInfos(f File, raw []byte) (*SecurityInfos, error) {
	s := tlv.String(raw)
	var set tlv.String
	if !s.ReadTag(tagSet, &set) {
		return nil, f.malformed("no whole SET of SecurityInfo")
	}
	infos := &SecurityInfos{Raw: raw[:len(raw)-len(s)], Trailing: len(s)}
	for n := 0; !set.Empty(); n++ {
		var tag tlv.Tag
		var entry tlv.String
		if n == maxSecurityInfos {
			return nil, f.malformed("more than %d entries", maxSecurityInfos)
		}
		if !set.ReadObject(&tag, &entry) {
			return nil, f.malformed("entry %d is cut short", n+1)
		}
		if !infos.add(cryptobyte.String(entry)) {
			infos.Unknown = append(infos.Unknown, entry)
		}
	}
	return infos, nil
}

// add sorts one entry in; false if it is of no known kind or form.
func (i *SecurityInfos) add(entry cryptobyte.String) bool {
	var s cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !entry.ReadASN1(&s, tags.SEQUENCE) || !s.ReadASN1ObjectIdentifier(&oid) {
		return false
	}
	switch {
	case below(oid, oidPACE):
		return i.addPACE(oid, s)
	case oid.Equal(oidPseudonymKey):
		return i.addPseudonymKey(s)
	case len(oid) == len(oidPublic)+1 && below(oid, oidPublic):
		return i.addKey(oid, s)
	case len(oid) == len(oidChip)+1 && below(oid, oidChip):
		return i.addDomain(oid, s)
	case below(oid, oidChip):
		return i.addChip(oid, s)
	case below(oid, oidRestricted):
		return i.addRestricted(oid, s)
	case below(oid, oidPseudonym):
		return i.addPseudonym(oid, s)
	case oid.Equal(oidTerminal):
		return i.addTerminal(oid, s)
	case oid.Equal(oidActive):
		return i.addActive(s)
	}
	return false
}

func (i *SecurityInfos) addPACE(oid asn1.ObjectIdentifier, s cryptobyte.String) bool {
	info := PACEInfo{OID: oid, ParameterID: NoParameter}
	if !s.ReadASN1Integer(&info.Version) {
		return false // PACEDomainParameterInfo begins with a SEQUENCE: proprietary parameters
	}
	if !s.Empty() && (!s.ReadASN1Integer(&info.ParameterID) || info.ParameterID < 0 || !s.Empty()) {
		return false
	}
	i.PACE = append(i.PACE, info)
	return true
}

func (i *SecurityInfos) addKey(oid asn1.ObjectIdentifier, s cryptobyte.String) bool {
	key := ChipAuthPublicKey{OID: oid}
	var spki cryptobyte.String
	if !s.ReadASN1Element(&spki, tags.SEQUENCE) || !readKeyID(&s, &key.KeyID) {
		return false
	}
	if isDH(spki) {
		i.primes++
	}
	if n, octets, ok := standardised(spki); i.primes > maxPrimes {
		key.Err = fmt.Errorf("%w: more than %d keys with a prime field of their own", cert.ErrKey, maxPrimes)
	} else if ok {
		key.Standardised = true
		key.Key, key.Err = standardKey(n, octets)
	} else {
		key.Key, key.Err = cert.ParsePublicKey(spki)
	}
	i.ChipKeys = append(i.ChipKeys, key)
	return true
}

// maxPrimes bounds the keys over prime fields that are written out: each field is tested
// for its primes, at some tenths of a second. Real chips have one.
const maxPrimes = 2

// isDH tells keys over prime fields that are written out.
func isDH(spki cryptobyte.String) bool {
	var seq, algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	return spki.ReadASN1(&seq, tags.SEQUENCE) && seq.ReadASN1(&algorithm, tags.SEQUENCE) &&
		algorithm.ReadASN1ObjectIdentifier(&oid) && oid.Equal(oidDHKey)
}

// standardised takes apart a SubjectPublicKeyInfo with standardised domain parameters;
// false if it is none.
func standardised(spki cryptobyte.String) (n int, octets []byte, ok bool) {
	var seq, algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	ok = spki.ReadASN1(&seq, tags.SEQUENCE) && seq.ReadASN1(&algorithm, tags.SEQUENCE) &&
		algorithm.ReadASN1ObjectIdentifier(&oid) && oid.Equal(oidStandard) &&
		algorithm.ReadASN1Integer(&n) && algorithm.Empty() && seq.ReadASN1BitStringAsBytes(&octets) && seq.Empty()
	return n, octets, ok
}

func standardKey(n int, octets []byte) (cert.PublicKey, error) {
	group, err := dh.GroupByID(n)
	if err != nil {
		return cert.PublicKey{}, err
	}
	switch group := group.(type) {
	case *dh.MODP:
		value, err := cert.ParseValue(group, octets)
		if err != nil {
			return cert.PublicKey{}, err
		}
		return cert.NewPublicKey(value)
	case *dh.Curve:
		point, err := group.ParsePoint(octets)
		if err != nil {
			return cert.PublicKey{}, err
		}
		return cert.NewPublicKey(point)
	}
	return cert.PublicKey{}, dh.ErrUnknownCurve
}

func (i *SecurityInfos) addChip(oid asn1.ObjectIdentifier, s cryptobyte.String) bool {
	info := ChipAuthInfo{OID: oid}
	if !s.ReadASN1Integer(&info.Version) || !readKeyID(&s, &info.KeyID) {
		return false
	}
	i.Chip = append(i.Chip, info)
	return true
}

func (i *SecurityInfos) addTerminal(oid asn1.ObjectIdentifier, s cryptobyte.String) bool {
	info := TerminalAuthInfo{OID: oid}
	if !s.ReadASN1Integer(&info.Version) {
		return false
	}
	if !s.Empty() && (!s.ReadASN1Element((*cryptobyte.String)(&info.CVCA), tags.SEQUENCE) || !s.Empty()) {
		return false
	}
	i.Terminal = append(i.Terminal, info)
	return true
}

func (i *SecurityInfos) addActive(s cryptobyte.String) bool {
	var info ActiveAuthInfo
	if !s.ReadASN1Integer(&info.Version) || !s.ReadASN1ObjectIdentifier(&info.Algorithm) || !s.Empty() {
		return false
	}
	i.Active = append(i.Active, info)
	return true
}

func readKeyID(s *cryptobyte.String, id **big.Int) bool {
	if s.Empty() {
		return true
	}
	n := new(big.Int)
	if !s.ReadASN1Integer(n) || n.Sign() < 0 || n.BitLen() > 64 || !s.Empty() {
		return false
	}
	*id = n
	return true
}

// ChipAuthKey is a key of the chip together with a variant that it can be used in.
type ChipAuthKey struct {
	KeyID  *big.Int // nil if absent
	Public dh.Element
	Info   ChipAuthInfo
}

// ChipAuthKeys pairs every key with the variants that belong to it, by key
// identifier, in the order in which the variants are listed. A key without any is left
// out (the implicit 3DES rule of Doc 9303-11 §6.2.3 is not applied), and so is a key
// that is not usable.
func (i *SecurityInfos) ChipAuthKeys() []ChipAuthKey {
	var list []ChipAuthKey
	for _, info := range i.Chip {
		for _, key := range i.ChipKeys {
			if key.Key.Element() != nil && sameID(info.KeyID, key.KeyID) {
				list = append(list, ChipAuthKey{key.KeyID, key.Key.Element(), info})
			}
		}
	}
	return list
}

func sameID(a, b *big.Int) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Cmp(b) == 0
}
