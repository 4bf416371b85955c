package sm

// end is what both ends of a channel have in common.
type end struct {
	keys Keys
	open bool
}
