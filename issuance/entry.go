package issuance

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// Entry is one act on one stream, as it stands in the ledger for ever.
//
// Fields and Commitments are public: they are in the leaf that anyone may read. No
// personal data go there; the closed list of field names leaves no room for them.
// Claims and holds are kept beside the leaf and attachments are sealed; the leaf binds
// both by one digest.
type Entry struct {
	Origin string // name of the log in which the entry was made
	Rules  uint16 // number of the rule book it was made under
	Stream StreamID
	Seq    uint64   // 1 for the first of its stream
	Prev   [32]byte // hash of the leaf before it in the stream; zero for the first
	ID     [16]byte // made by NewID; names the entry when an append is repeated
	Act    Act
	Time   time.Time // UTC, whole microseconds, not before 1970

	Operator KeyID // the key that acts
	Second   KeyID // a second person's, where two act together; zero if none

	Fields      map[string]string
	Commitments map[string][32]byte // made by Commit

	Claims  []Claim // unique for ever
	Hold    []Claim // unique until released
	Release []Claim // given up; held by this stream until now
	Attach  []Attachment

	Signature       []byte // by Operator, see Sign
	SecondSignature []byte // by Second
}

// Content is the commitment that an approval signs: to all that will be made (the data
// groups, what is printed, expiry, reason). It is made with a salt, because the data
// of one person are few enough to be guessed.
const Content = "content"

// ClaimKind says in what sense a value is unique.
type ClaimKind string

// Claims are for ever, holds until released.
const (
	ClaimChip       ClaimKind = "chip"        // the chip, as its operating system names it
	ClaimChipKey    ClaimKind = "chip-key"    // SHA-256 of a public key made on a chip
	ClaimCardID     ClaimKind = "card-id"     // SHA-256 of the LDSSecurityObject
	ClaimCardSerial ClaimKind = "card-serial" // serial number of the card's body
	ClaimStatus     ClaimKind = "status"      // list:index in the status list
	ClaimCertSerial ClaimKind = "cert-serial" // issuer:serial of a certificate
	ClaimBlank      ClaimKind = "blank"       // batch:number of the blank that a card is made of
	ClaimUse        ClaimKind = "ds-use"      // document signer:number, one for each SOD it signs
	ClaimNumber     ClaimKind = "number"      // HMAC of a personal number
	ClaimOrigin     ClaimKind = "origin"      // name of a desk's own log

	HoldApplication ClaimKind = "open-application" // person : document type, and HMAC of each of their numbers : document type
	HoldCard        ClaimKind = "active-card"      // the same as its application held
	HoldName        ClaimKind = "operator-name"    // the name by which an operator is called
)

// Claim is a value that the ledger lets one stream have at a time. Value is 1 to 256
// printable ASCII characters without spaces.
type Claim struct {
	Kind  ClaimKind
	Value string
}

// Attachment is sealed data that belongs to an entry. Append takes Sealed and computes
// Digest; Stream gives Digest and leaves Sealed nil.
type Attachment struct {
	Name   string // lower-case letters, digits, dots and hyphens, at most 32
	Sealed []byte // at most MaxSealed octets
	Digest [32]byte
}

// MaxSealed is the largest attachment in octets.
const MaxSealed = 4 << 20

// NewID returns an identity for an entry: the present time in milliseconds, 48 bits,
// then 80 random bits. Identities that grow with time keep a store's index of them
// compact; nothing else relies on it.
func NewID() [16]byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(time.Now().UnixMilli())<<16)
	rand.Read(id[6:])
	return id
}

// Commit returns the commitment SHA-256("tamthe commitment v1" ‖ 0 ‖ salt ‖ value). The
// salt is random, used once, and kept sealed with the value: destroying it leaves a
// number that says nothing.
func Commit(salt [32]byte, value []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("tamthe commitment v1\x00"))
	h.Write(salt[:])
	h.Write(value)
	return [32]byte(h.Sum(nil))
}

// KeyID names a public key: SHA-256 of its SubjectPublicKeyInfo in DER.
type KeyID [32]byte

// IsZero reports whether k names no key.
func (k KeyID) IsZero() bool { return k == KeyID{} }

// String gives 64 hexadecimal digits.
func (k KeyID) String() string { return hex.EncodeToString(k[:]) }

// ParseKeyID reads what [KeyID.String] wrote.
func ParseKeyID(text string) (KeyID, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(KeyID{}) {
		return KeyID{}, fmt.Errorf("%w: %q is no key name", ErrEntry, text)
	}
	return KeyID(b), nil
}
