package status

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
)

// names are cards by their full names.
type names struct{ lists [Revoked + 1][]byte }

func newNames(from IDs) *names {
	n := &names{}
	for _, s := range written {
		for _, id := range from[s] {
			n.lists[s] = append(n.lists[s], id[:]...)
		}
	}
	return n
}

func (n *names) marshal(b *cryptobyte.Builder) {
	for _, s := range written {
		b.AddUint32(uint32(len(n.lists[s]) / 32))
		b.AddBytes(n.lists[s])
	}
}

func (n *names) read(s *cryptobyte.String, delta bool) bool {
	for _, state := range written {
		var count uint32
		if !s.ReadUint32(&count) || uint64(count)*32 > uint64(len(*s)) || !s.ReadBytes(&n.lists[state], int(count)*32) {
			return false
		}
		if state == Active && !delta && count > 0 {
			return false
		}
		list := n.lists[state]
		for i := 32; i < len(list); i += 32 {
			if bytes.Compare(list[i-32:i], list[i:i+32]) >= 0 {
				return false
			}
		}
	}
	return true
}

func (n *names) count() uint64 {
	c := 0
	for _, list := range n.lists {
		c += len(list) / 32
	}
	return uint64(c)
}

// state looks a name up.
func (n *names) state(id [32]byte) State {
	for _, s := range gravest {
		if has(n.lists[s], id) {
			return s
		}
	}
	return Unknown
}

func has(list []byte, id [32]byte) bool {
	lo, hi := 0, len(list)/32
	for lo < hi {
		mid := (lo + hi) / 2
		switch bytes.Compare(list[mid*32:mid*32+32], id[:]) {
		case 0:
			return true
		case -1:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return false
}

// all returns every card.
func (n *names) all() IDs {
	var to IDs
	for _, s := range written {
		for i := 0; i < len(n.lists[s]); i += 32 {
			to[s] = append(to[s], [32]byte(n.lists[s][i:]))
		}
	}
	return to
}
