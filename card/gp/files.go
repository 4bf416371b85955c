package gp

// What follows is the dialect "files": that of the open passport applet of the JMRTD project
// and its descendants. A file is made by CREATE FILE, selected, and filled by UPDATE BINARY;
// keys and passwords go by PUT DATA; the card is locked by PUT DATA too. The applet takes
// all this without authentication, until the lock. Here it may run within SCP03 as well,
// where key material never crosses the reader in the clear.

// The commands.
const (
	InsCreateFile      = 0xE0 // TagFile
	InsUpdateBinary    = 0xD6 // offset in P1-P2, up to 32,767
	InsUpdateBinaryOdd = 0xD7 // offset in DO'54', data in DO'53'
	InsPutData         = 0xDA // P1-P2 is one of those below
)

// TagFile is the only object of CREATE FILE: the file's size in two octets, or three for
// large ones, and its identifier in two. EF.CardAccess has 011C; EF.CardSecurity, whose
// identifier is that of EF.SOD, has DGICardSecurity.
const TagFile = 0x63

// P1-P2 of PUT DATA. Of PutTrustPoint only P2 is fixed; P1 is 1 or 2.
const (
	PutAAModulus  = 0x0060 // 60 { 04 modulus }, for Active Authentication with RSA and SHA-1
	PutAAExponent = 0x0061 // 61 { 04 private exponent }, after the modulus
	PutMRZ        = 0x0062 // 62 { document number } { birth } { expiry }, each in an object of any tag
	PutCAKey      = 0x0063 // 63 { 81 p } { 82 a } { 83 b } { 84 G } { 85 r } { 86 s } [87 cofactor]
	PutTrustPoint = 0x0064 // a CVCA certificate, whole
	PutPasswords  = 0x0065 // 65 { 66 reference secret } …, for PACE
	PutDate       = 0x0067 // YYMMDD, digits in ASCII: the chip's effective date
	PutLock       = 0xDEAD // no data, and no way back
)
