package gp

// What follows is the dialect "gp-dgi" in which tamthe personalises a chip: the DGIs of
// STORE DATA, the chip's key references and its states. It is near to those of open
// Java Card applets: a DGI below 0200 is the file of that identifier.

// DGIs that are not the file of the same number.
const (
	DGIBACSeed      = 0xFF01 // K_seed of BAC, 16 octets (Doc 9303-11 §9.7.2)
	DGIPACEMRZ      = 0xFF04 // K of PACE with the MRZ: SHA-1 of the MRZ information, 20 octets
	DGICardSecurity = 0xFF05 // EF.CardSecurity, whose identifier EF.SOD has within LDS1
	DGIPACECAN      = 0xFF06 // K of PACE with the CAN: its digits
	DGIPACEPIN      = 0xFF07 // K of PACE with the PIN: its digits
	DGIPACEPUK      = 0xFF08 // K of PACE with the PUK: its digits
	DGIPINState     = 0xFF09 // of the PIN: 00 active, 01 deactivated
	DGIRules        = 0xFF10 // Rules
	DGITrust        = 0xFF11 // a trust point of Terminal Authentication, a CV certificate; the next ones count on
	DGIDate         = 0xFF14 // the effective date, 6 octets as in CV certificates
	DGIKey          = 0x8113 // a key pair in place of one that the chip would make; see Channel.KeyDGI
)

// References of the chip's key pairs.
const (
	KeyAA = 0x01 // Active Authentication, with use Signature
	KeyCA = 0x02 // Chip Authentication, with use Agreement
)

// States of a card (Card Specification §5.1.1), the value of TagLifeCycle.
const (
	StateInitialized = 0x07 // open to its personaliser
	StateSecured     = 0x0F // in use: never to be written again
)

// Rules are how a card behaves once it is in use. The zero value opens by PACE only.
type Rules struct {
	BAC        bool // Basic Access Control is allowed
	NoSelectMF bool // SELECT of the master file is 6D00, as Vietnamese cards have it
	ExactLe    bool // a Le beyond the end of a file is 6Cxx rather than 6282 with the data
	Tries      byte // wrong CANs in a row, 1 to 15, before the CAN is blocked; 0 for no limit
}

const (
	ruleBAC        = 0x01
	ruleNoSelectMF = 0x02
	ruleExactLe    = 0x04
)

// Bytes encodes the rules for DGIRules in 2 octets.
func (r Rules) Bytes() []byte {
	var flags byte
	for bit, set := range map[byte]bool{ruleBAC: r.BAC, ruleNoSelectMF: r.NoSelectMF, ruleExactLe: r.ExactLe} {
		if set {
			flags |= bit
		}
	}
	return []byte{flags, r.Tries}
}

// ParseRules is the inverse of Bytes; false for another length, unknown flags and more
// than 15 tries.
func ParseRules(b []byte) (Rules, bool) {
	if len(b) != 2 || b[0]&^(ruleBAC|ruleNoSelectMF|ruleExactLe) != 0 || b[1] > 15 {
		return Rules{}, false
	}
	return Rules{
		BAC:        b[0]&ruleBAC != 0,
		NoSelectMF: b[0]&ruleNoSelectMF != 0,
		ExactLe:    b[0]&ruleExactLe != 0,
		Tries:      b[1],
	}, true
}
