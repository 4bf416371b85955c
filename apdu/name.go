package apdu

import "fmt"

// names are the commands of ISO/IEC 7816-4, -8 and -9, and of GlobalPlatform (class 80).
var names = map[byte]string{
	0x0E: "ERASE BINARY",
	0x10: "PERFORM SCQL OPERATION",
	0x20: "VERIFY",
	0x22: "MANAGE SECURITY ENVIRONMENT",
	0x24: "CHANGE REFERENCE DATA",
	0x2A: "PERFORM SECURITY OPERATION",
	0x2C: "RESET RETRY COUNTER",
	0x44: "ACTIVATE FILE",
	0x46: "GENERATE ASYMMETRIC KEY PAIR",
	0x50: "INITIALIZE UPDATE",
	0x70: "MANAGE CHANNEL",
	0x82: "EXTERNAL AUTHENTICATE",
	0x84: "GET CHALLENGE",
	0x86: "GENERAL AUTHENTICATE",
	0x87: "GENERAL AUTHENTICATE",
	0x88: "INTERNAL AUTHENTICATE",
	0xA4: "SELECT",
	0xB0: "READ BINARY",
	0xB1: "READ BINARY",
	0xB2: "READ RECORD",
	0xC0: "GET RESPONSE",
	0xCA: "GET DATA",
	0xCB: "GET DATA",
	0xD6: "UPDATE BINARY",
	0xD7: "UPDATE BINARY",
	0xD8: "PUT KEY",
	0xDA: "PUT DATA",
	0xDB: "PUT DATA",
	0xE0: "CREATE FILE",
	0xE2: "APPEND RECORD",
	0xE4: "DELETE",
	0xE6: "INSTALL",
	0xF0: "SET STATUS",
	0xF2: "GET STATUS",
}

// Name is the command's name in its standard, such as "READ BINARY", or "INS 1A" for
// one that this package does not know.
func (c Command) Name() string {
	if c.INS == 0xE2 && c.CLA&0x80 != 0 {
		return "STORE DATA"
	}
	if n, ok := names[c.INS]; ok {
		return n
	}
	return fmt.Sprintf("INS %02X", c.INS)
}

// Refused is nil if s is OK, and otherwise a *StatusError that names the command.
func (c Command) Refused(s Status) error {
	if s == OK {
		return nil
	}
	return &StatusError{Command: c.Name(), Status: s}
}
