package virtual

import "github.com/tamthe/tamthe/apdu"

// maxChain bounds the data of a chain of commands.
const maxChain = 8192

// chaining puts a chain of commands together (ISO/IEC 7816-4 §5.3.3).
type chaining struct {
	head apdu.Command // of the chain that is going on
	data []byte       // nil outside one
}

// add takes a command. It is whole, with the data of those before it, when the last one of
// its chain has come; until then the status is to be answered.
func (n *chaining) add(cmd apdu.Command) (whole bool, out apdu.Command, s apdu.Status) {
	more := cmd.CLA&0x10 != 0
	same := n.data != nil && n.head.INS == cmd.INS && n.head.P1 == cmd.P1 && n.head.P2 == cmd.P2
	data := n.data
	if !same {
		data = nil
	}
	n.data = nil
	switch {
	case len(data)+len(cmd.Data) > maxChain:
		return false, cmd, apdu.WrongLength
	case more:
		n.head, n.data = cmd, append(append(make([]byte, 0, len(data)+len(cmd.Data)), data...), cmd.Data...)
		return false, cmd, apdu.OK
	}
	cmd.Data = append(data, cmd.Data...)
	return true, cmd, apdu.OK
}
