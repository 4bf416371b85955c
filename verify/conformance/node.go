package conformance

import (
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// node is a DER element that can be changed: what is written back has right lengths, so
// that each case has the one fault that it names.
type node struct {
	tag   byte
	value []byte
	kids  []*node // of a constructed element; value is then not looked at
}

// parseNode reads what our own encoders wrote: DER with tags of one octet. What is not is
// an empty node.
func parseNode(der []byte) *node {
	s := cryptobyte.String(der)
	var element cryptobyte.String
	var tag tags.Tag
	if !s.ReadAnyASN1(&element, &tag) {
		return &node{}
	}
	n := &node{tag: byte(tag)}
	if n.tag&0x20 == 0 {
		n.value = slices.Clone(element)
		return n
	}
	for !element.Empty() {
		var kid cryptobyte.String
		if !element.ReadAnyASN1Element(&kid, &tag) {
			break
		}
		n.kids = append(n.kids, parseNode(kid))
	}
	return n
}

// bytes is the element as DER.
func (n *node) bytes() []byte {
	content := n.value
	if n.tag == raw {
		return content
	}
	if n.tag&0x20 != 0 {
		content = nil
		for _, k := range n.kids {
			content = append(content, k.bytes()...)
		}
	}
	return wrap(n.tag, content)
}

// raw marks a node whose value is written as it is.
const raw = 0

// wrap puts content into a DER element.
func wrap(tag byte, content []byte) []byte {
	b := []byte{tag}
	switch n := len(content); {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 0x100:
		b = append(b, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, content...)
}

// at follows the indices of kids; an empty node where there is none.
func (n *node) at(path ...int) *node {
	for _, i := range path {
		if i < 0 {
			i += len(n.kids)
		}
		if i < 0 || i >= len(n.kids) {
			return &node{}
		}
		n = n.kids[i]
	}
	return n
}

// drop takes kids out.
func (n *node) drop(i int) { n.kids = slices.Delete(n.kids, i, i+1) }

// add puts a kid at the end.
func (n *node) add(k *node) { n.kids = append(n.kids, k) }

// become turns the node into a copy of another.
func (n *node) become(o *node) { *n = *o }

// edited is der with a change.
func edited(der []byte, change func(*node)) []byte {
	if change == nil {
		return der
	}
	n := parseNode(der)
	change(n)
	return n.bytes()
}

func integer(v int64) *node {
	var b cryptobyte.Builder
	b.AddASN1Int64(v)
	return parseNode(b.BytesOrPanic()) // an integer can be written
}

func object(oid ...int) *node {
	b, err := asn1.Marshal(asn1.ObjectIdentifier(oid))
	if err != nil {
		return &node{}
	}
	return parseNode(b)
}

func octets(b []byte) *node { return &node{tag: 0x04, value: b} }

func sequence(kids ...*node) *node { return &node{tag: 0x30, kids: kids} }

func set(kids ...*node) *node { return &node{tag: 0x31, kids: kids} }

// The places of a SignedData in its ContentInfo (RFC 5652 §5).
func signedData(n *node) *node { return n.at(1, 0) }
func signerInfo(n *node) *node { return n.at(1, 0, -1, 0) }

// The kids of SignedData and SignerInfo, as our encoder writes them.
const (
	sdVersion, sdDigests, sdContent, sdCertificates, sdSigners        = 0, 1, 2, 3, 4
	siVersion, siID, siDigest, siAttributes, siAlgorithm, siSignature = 0, 1, 2, 3, 4, 5
	tbsVersion, tbsSerial, tbsAlgorithm, tbsIssuer, tbsValidity       = 0, 1, 2, 3, 4
	tbsSubject, tbsKey, tbsExtensions                                 = 5, 6, 7
	objectVersion, objectAlgorithm, objectHashes                      = 0, 1, 2
)
