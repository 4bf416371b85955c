package cert

// A DefectKind is a way in which a certificate or list departs from RFC 5280 or
// Doc 9303-12 and is read all the same. Its text is a stable code.
type DefectKind string

// The defects that the reader tells apart.
const (
	DefectVersion             DefectKind = "version"               // not v3, or no v2 list
	DefectSerialNegative      DefectKind = "serial-negative"       // serial number below zero
	DefectSerialZero          DefectKind = "serial-zero"           // serial number zero
	DefectSerialLong          DefectKind = "serial-long"           // more than 20 octets
	DefectSerialPadded        DefectKind = "serial-padded"         // INTEGER with needless leading octets
	DefectMissingNull         DefectKind = "missing-null"          // RSA algorithm without its NULL
	DefectParameters          DefectKind = "parameters"            // algorithm parameters where none belong
	DefectAlgorithmMismatch   DefectKind = "algorithm-mismatch"    // inner and outer signature algorithm differ
	DefectBoolean             DefectKind = "boolean"               // TRUE not written FF
	DefectDefaultEncoded      DefectKind = "default-encoded"       // a DEFAULT value written out
	DefectTime                DefectKind = "time"                  // UTCTime/GeneralizedTime not as RFC 5280 asks
	DefectString              DefectKind = "string"                // a name with characters that its type forbids
	DefectCofactor            DefectKind = "cofactor"              // explicit curve parameters without cofactor
	DefectExtensionDuplicate  DefectKind = "extension-duplicate"   // the same extension twice; the first counts
	DefectExtensionMalformed  DefectKind = "extension-malformed"   // a known extension that cannot be read; it counts as absent
	DefectKeyIDBare           DefectKind = "key-id-bare"           // a subject key identifier without its OCTET STRING
	DefectUniqueID            DefectKind = "unique-id"             // issuer or subject unique identifier
	DefectSignatureUnusedBits DefectKind = "signature-unused-bits" // BIT STRING with unused bits
	DefectEmptyList           DefectKind = "empty-list"            // revokedCertificates present and empty
)

// A Defect is one such departure; Where names the field for a reader of logs.
type Defect struct {
	Kind  DefectKind
	Where string
}
