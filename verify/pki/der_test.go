package pki

import (
	"encoding/asn1"
	"testing"
)

// node is a DER element that a test may change: constructed ones have kids, all others
// content.
type node struct {
	tag     byte
	content []byte
	kids    []*node
}

// readNodes takes strict DER apart.
func readNodes(t testing.TB, der []byte) []*node {
	t.Helper()
	var list []*node
	for len(der) > 0 {
		var raw asn1.RawValue
		rest, err := asn1.Unmarshal(der, &raw)
		if err != nil {
			t.Fatal(err)
		}
		n := &node{tag: der[0]}
		if raw.IsCompound {
			n.kids = readNodes(t, raw.Bytes)
		} else {
			n.content = raw.Bytes
		}
		list, der = append(list, n), rest
	}
	return list
}

// write puts it together again.
func (n *node) write() []byte {
	content := n.content
	for _, k := range n.kids {
		content = append(content, k.write()...)
	}
	return element(n.tag, content)
}

// element is one element of DER.
func element(tag byte, content []byte) []byte {
	switch l := len(content); {
	case l < 0x80:
		return append([]byte{tag, byte(l)}, content...)
	case l < 0x100:
		return append([]byte{tag, 0x81, byte(l)}, content...)
	case l < 0x10000:
		return append([]byte{tag, 0x82, byte(l >> 8), byte(l)}, content...)
	default:
		return append([]byte{tag, 0x83, byte(l >> 16), byte(l >> 8), byte(l)}, content...)
	}
}

// leaf is an element without kids.
func leaf(tag byte, content ...byte) *node { return &node{tag: tag, content: content} }

// seq is a SEQUENCE.
func seq(kids ...*node) *node { return &node{tag: 0x30, kids: kids} }

// oidNode is an OBJECT IDENTIFIER.
func oidNode(oid asn1.ObjectIdentifier) *node {
	der, err := asn1.Marshal(oid)
	if err != nil {
		panic(err)
	}
	return leaf(6, der[2:]...)
}

// at walks down by places.
func (n *node) at(path ...int) *node {
	for _, i := range path {
		n = n.kids[i]
	}
	return n
}

// drop takes a kid out.
func (n *node) drop(i int) { n.kids = append(n.kids[:i:i], n.kids[i+1:]...) }

// insert puts a kid in.
func (n *node) insert(i int, k *node) {
	n.kids = append(n.kids[:i:i], append([]*node{k}, n.kids[i:]...)...)
}

// extensionOf finds an extension in a list of them.
func extensionOf(list *node, oid asn1.ObjectIdentifier) (int, *node) {
	want := oidNode(oid).content
	for i, k := range list.kids {
		if string(k.kids[0].content) == string(want) {
			return i, k
		}
	}
	return -1, nil
}
