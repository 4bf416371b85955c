package apdu

import "fmt"

// Status is the status word SW1-SW2 of an answer (ISO/IEC 7816-4 §5.6). It is an error
// that errors.Is compares with the constants below; a family, such as VerifyFailed,
// matches each of its members. OK is not an error: use Err.
type Status uint16

// Status words of ISO/IEC 7816-4 tables 6 and 7 and of Doc 9303-11.
const (
	OK                     Status = 0x9000
	BytesRemaining         Status = 0x6100 // family 61xx: GET RESPONSE fetches xx octets more
	StateUnchanged         Status = 0x6200
	DataCorrupted          Status = 0x6281
	EndOfFile              Status = 0x6282 // a warning: fewer data than Le, all of them good
	FileDeactivated        Status = 0x6283
	AuthenticationFailed   Status = 0x6300
	VerifyFailed           Status = 0x63C0 // family 63Cx: TriesLeft is x
	ExecutionError         Status = 0x6400
	MemoryFailure          Status = 0x6581
	WrongLength            Status = 0x6700
	ChannelNotSupported    Status = 0x6881
	SMNotSupported         Status = 0x6882
	ChainNotFinished       Status = 0x6883
	ChainingNotSupported   Status = 0x6884
	SecurityStatus         Status = 0x6982
	Blocked                Status = 0x6983
	DataInvalidated        Status = 0x6984
	ConditionsNotSatisfied Status = 0x6985
	NoCurrentFile          Status = 0x6986
	SMMissing              Status = 0x6987
	SMIncorrect            Status = 0x6988
	WrongData              Status = 0x6A80
	FunctionNotSupported   Status = 0x6A81
	FileNotFound           Status = 0x6A82
	RecordNotFound         Status = 0x6A83
	NotEnoughMemory        Status = 0x6A84
	WrongP1P2              Status = 0x6A86
	ReferenceNotFound      Status = 0x6A88
	WrongOffset            Status = 0x6B00
	WrongLe                Status = 0x6C00 // family 6Cxx: xx is the Le that the card wants
	INSNotSupported        Status = 0x6D00
	CLANotSupported        Status = 0x6E00
	Unknown                Status = 0x6F00
)

var statusText = map[Status]string{
	OK:                     "success",
	BytesRemaining:         "more data remain",
	StateUnchanged:         "warning",
	DataCorrupted:          "part of the data may be corrupted",
	EndOfFile:              "end of file",
	FileDeactivated:        "file deactivated",
	AuthenticationFailed:   "authentication failed",
	VerifyFailed:           "verification failed",
	ExecutionError:         "execution error",
	MemoryFailure:          "memory failure",
	WrongLength:            "wrong length",
	ChannelNotSupported:    "logical channel not supported",
	SMNotSupported:         "secure messaging not supported",
	ChainNotFinished:       "last command of the chain expected",
	ChainingNotSupported:   "command chaining not supported",
	SecurityStatus:         "security status not satisfied",
	Blocked:                "authentication method blocked",
	DataInvalidated:        "reference data not usable",
	ConditionsNotSatisfied: "conditions of use not satisfied",
	NoCurrentFile:          "command not allowed, no current file",
	SMMissing:              "expected secure messaging objects missing",
	SMIncorrect:            "secure messaging objects incorrect",
	WrongData:              "incorrect data",
	FunctionNotSupported:   "function not supported",
	FileNotFound:           "file not found",
	RecordNotFound:         "record not found",
	NotEnoughMemory:        "not enough memory",
	WrongP1P2:              "incorrect P1-P2",
	ReferenceNotFound:      "referenced data not found",
	WrongOffset:            "wrong offset",
	WrongLe:                "wrong Le",
	INSNotSupported:        "instruction not supported",
	CLANotSupported:        "class not supported",
	Unknown:                "no precise diagnosis",
}

// family is the constant that stands for all status words of s's kind, or s itself.
func (s Status) family() Status {
	switch {
	case s&0xFF00 == BytesRemaining, s&0xFF00 == WrongLe:
		return s & 0xFF00
	case s&0xFFF0 == VerifyFailed:
		return VerifyFailed
	}
	return s
}

// Error says what the status word means and shows it: "file not found (6A82)".
func (s Status) Error() string {
	text, ok := statusText[s.family()]
	if !ok {
		text = "status word"
	}
	if left, ok := s.TriesLeft(); ok {
		text = fmt.Sprintf("%s, %d tries left", text, left)
	}
	return fmt.Sprintf("%s (%04X)", text, uint16(s))
}

// Err is nil for OK and s otherwise. Warnings are errors too: who can use the data that
// come with one looks at the Status itself.
func (s Status) Err() error {
	if s == OK {
		return nil
	}
	return s
}

// Is reports whether target is s or the family constant of s, for errors.Is.
func (s Status) Is(target error) bool {
	t, ok := target.(Status)
	return ok && (t == s || t == s.family())
}

// TriesLeft returns how many more tries the card allows, 0 to 15, if s is of the
// family 63Cx.
func (s Status) TriesLeft() (int, bool) {
	if s&0xFFF0 != VerifyFailed {
		return 0, false
	}
	return int(s & 0x000F), true
}

// StatusError is a refusal with the command that met it. Unwrap gives the Status, so
// errors.Is and errors.As see through it.
type StatusError struct {
	Command string // such as "READ BINARY"
	Status  Status
}

// Error is the command's name and the status: "SELECT: file not found (6A82)".
func (e *StatusError) Error() string { return e.Command + ": " + e.Status.Error() }

// Unwrap returns the Status.
func (e *StatusError) Unwrap() error { return e.Status }
