package pcsc

// Diagnosis is what can be said about PC/SC on this machine.
type Diagnosis struct {
	Service error  // nil if the service answers, else ErrNoService or ErrUnavailable, wrapped
	Library string // version of the PC/SC library, if it tells
	Readers []ReaderDiagnosis
}

// ReaderDiagnosis is what can be said about one reader without talking to a card's
// applications.
type ReaderDiagnosis struct {
	Reader
	Protocol Protocol // if there is a card that could be opened
	Error    error    // why the card could not be opened
	// MaxCommand is the largest encoded command in octets that the reader says it takes
	// (dwMaxAPDUDataSize, part 10 of the PC/SC specification), 0 if it doesn't say.
	// Readers are known to drop more, and some less: only a try is proof.
	MaxCommand int
	// Extended says whether the card's historical bytes allow extended lengths: nil if
	// they are silent (ISO/IEC 7816-4 §12.1.1.10).
	Extended *bool
}
