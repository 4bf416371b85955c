package conformance

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// withRSA is the standard card under RSA keys and an algorithm.
func withRSA(csca, signer cert.Algorithm, h crypto.Hash) func() *blueprint {
	return func() *blueprint {
		b := standard()
		b.kind = fmt.Sprintf("rsa %v %v %v", csca, signer, h)
		b.keys(rsaKey("csca", 65537), rsaKey("ds", 65537), csca)
		b.algorithm, b.hash = signer, h
		return b
	}
}

// withEC is the standard card under EC keys of a curve and an algorithm.
func withEC(curve *dh.Curve, csca, signer cert.Algorithm, h crypto.Hash) func() *blueprint {
	return func() *blueprint {
		b := standard()
		b.kind = fmt.Sprintf("%s %v %v %v", curve.Name(), csca, signer, h)
		b.keys(ecKey(curve, "CSCA"), ecKey(curve, "signer"), csca)
		b.algorithm, b.hash = signer, h
		return b
	}
}

func pkcs1(h crypto.Hash) cert.Algorithm { return cert.Algorithm{Scheme: cert.RSAPKCS1, Hash: h} }
func ecdsa(h crypto.Hash) cert.Algorithm { return cert.Algorithm{Scheme: cert.ECDSA, Hash: h} }
func plain(h crypto.Hash) cert.Algorithm { return cert.Algorithm{Scheme: cert.ECDSAPlain, Hash: h} }
func pss(h crypto.Hash) cert.Algorithm {
	return cert.Algorithm{Scheme: cert.RSAPSS, Hash: h, MGFHash: h, SaltLength: h.Size()}
}

var (
	oidBareRSA = []int{1, 2, 840, 113549, 1, 1, 1}
	oidMD5     = []int{1, 2, 840, 113549, 2, 5}
	oidMD5RSA  = []int{1, 2, 840, 113549, 1, 1, 4}
	oidData    = []int{1, 2, 840, 113549, 1, 7, 1}
	oidList    = []int{2, 23, 136, 1, 1, 2}
	oidDSA     = []int{2, 16, 840, 1, 101, 3, 4, 3, 2}
)

func algorithmOf(oid []int) *node { return sequence(object(oid...)) }

var hashes = []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512}

// algorithmPlays are sound documents in each algorithm of Doc 9303-12 §4.4.
func algorithmPlays() []play {
	same := func(*blueprint) {}
	var list []play
	for _, h := range hashes {
		reason := verify.Reason("")
		if h == crypto.SHA1 {
			reason = verify.ReasonAlgorithmWeak
		}
		n := h.Size() * 8
		if h == crypto.SHA1 {
			n = 1
		}
		up := func(family, what string, base func() *blueprint, change func(*blueprint)) {
			list = append(list, play{fmt.Sprintf("sod-%s-sha%d", family, n), fmt.Sprintf("%s with SHA-%d, groups hashed alike", what, n), base, accept, reason, change})
		}
		up("rsa", "RSA (PKCS #1)", withRSA(pkcs1(h), pkcs1(h), h), same)
		up("pss", "RSA-PSS", withRSA(pss(h), pss(h), h), same)
		up("rsa-bare", "RSA, its identifier without a hash,", withRSA(pkcs1(h), pkcs1(h), h), func(b *blueprint) {
			b.message = func(n *node) { signerInfo(n).at(siAlgorithm, 0).become(object(oidBareRSA...)) }
		})
		up("ecdsa", "ECDSA by the ANSI identifier", withEC(dh.BrainpoolP256r1(), ecdsa(h), ecdsa(h), h), same)
		up("plain", "ECDSA by the identifier of TR-03111", withEC(dh.BrainpoolP256r1(), ecdsa(h), plain(h), h), same)
	}
	for id, base := range map[string]func() *blueprint{
		"rsa-under-pss":      withRSA(pss(crypto.SHA256), pkcs1(crypto.SHA256), crypto.SHA256),
		"pss-under-rsa":      withRSA(pkcs1(crypto.SHA256), pss(crypto.SHA512), crypto.SHA256),
		"groups-sha512":      withRSA(pkcs1(crypto.SHA256), pkcs1(crypto.SHA256), crypto.SHA512),
		"ecdsa-under-rsa":    mixed(rsaKey("csca", 65537), ecKey(dh.P256(), "signer"), pkcs1(crypto.SHA256), ecdsa(crypto.SHA256)),
		"rsa-under-ecdsa":    mixed(ecKey(dh.P384(), "CSCA"), rsaKey("ds", 65537), ecdsa(crypto.SHA384), pkcs1(crypto.SHA256)),
		"digests-all-differ": withRSA(pkcs1(crypto.SHA512), pkcs1(crypto.SHA256), crypto.SHA384),
	} {
		list = append(list, play{"sod-" + id, "different algorithms in their places: " + id, base, accept, "", same})
	}
	return append(
		list,
		play{"sod-p384", "ECDSA on P-384", withEC(dh.P384(), ecdsa(crypto.SHA384), ecdsa(crypto.SHA384), crypto.SHA384), accept, "", same},
		play{"sod-brainpool512", "ECDSA on brainpoolP512r1, with explicit parameters", withEC(dh.BrainpoolP512r1(), ecdsa(crypto.SHA512), ecdsa(crypto.SHA512), crypto.SHA512), accept, "", same},
		play{"sod-signer-in-store", "the signer's certificate is not packed in and lies in the store", standard, accept, "", func(b *blueprint) {
			b.message = func(n *node) { signedData(n).drop(sdCertificates) }
			b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
				return []pki.Material{{Cert: i.root, Specimen: true}, {Cert: i.signer, Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "VN", Status: pki.None}}
			}
		}},
		play{"sod-by-key-id", "the signer is named by its key identifier", standard, accept, "", func(b *blueprint) { b.byKeyID = true }},
		play{"sod-lds18", "LDS object version 1 with its version information", standard, accept, "", func(b *blueprint) { b.object = lds18("0108") }},
		play{"sod-lds19", "the same, of a later LDS version", standard, accept, "", func(b *blueprint) { b.object = lds18("0109") }},
		play{"sod-ber", "content in chunks and indefinite lengths (New Zealand)", standard, accept, "", func(b *blueprint) {
			b.after = func(f verify.Files) { f[lds.SODFile] = chunked(f[lds.SODFile]) }
		}},
	)
}

func mixed(csca, ds crypto.Signer, root, signer cert.Algorithm) func() *blueprint {
	return func() *blueprint {
		b := standard()
		b.kind = fmt.Sprintf("mixed %v %v", root, signer)
		b.keys(csca, ds, root)
		b.algorithm = signer
		return b
	}
}

// lds18 makes the LDS object one of version 1.
func lds18(version string) func(*node) {
	return func(n *node) {
		n.at(objectVersion).become(integer(1))
		n.add(sequence(&node{tag: 0x13, value: []byte(version)}, &node{tag: 0x13, value: []byte("040000")}))
	}
}

// chunked is a SOD as BER: the eContent in two chunks, in an element of indefinite length.
func chunked(sod []byte) []byte {
	n := parseNode(sod)
	content := signedData(n.at(0)).at(sdContent, 1)
	whole := content.at(0).value
	half := len(whole) / 2
	pieces := append(octets(whole[:half]).bytes(), octets(whole[half:]).bytes()...)
	indefinite := append(append([]byte{0x24, 0x80}, pieces...), 0, 0)
	content.kids = []*node{{tag: raw, value: indefinite}}
	return n.bytes()
}

// table collects the plays of one part of a document.
type table struct {
	prefix string
	list   []play
}

func (t *table) put(verdict string, reason verify.Reason, id, what string, change func(*blueprint)) {
	t.list = append(t.list, play{t.prefix + id, what, standard, verdict, reason, change})
}

// onMessage changes the ContentInfo, onObject the LDS object before its digest is taken, and
// onAttributes the signed attributes before they are signed.
func onMessage(change func(*node)) func(*blueprint) { return func(b *blueprint) { b.message = change } }

func onObject(change func(*node)) func(*blueprint) { return func(b *blueprint) { b.object = change } }

func onAttributes(change func(*node)) func(*blueprint) {
	return func(b *blueprint) { b.attributes = change }
}

// sodPlays are faults in the SignedData and the LDS object (Doc 9303-10 §4.6.2,
// RFC 5652).
func sodPlays() []play {
	t := &table{prefix: "sod-"}
	t.sodFile()
	t.signedData()
	t.signerInfo()
	t.signedAttributes()
	t.securityObject()
	return append(t.list, weakPlays()...)
}

// sodFile changes the file around the SignedData.
func (t *table) sodFile() {
	file := func(change func([]byte) []byte) func(*blueprint) {
		return func(b *blueprint) { b.after = func(f verify.Files) { f[lds.SODFile] = change(f[lds.SODFile]) } }
	}
	t.put(refuse, verify.ReasonSODMalformed, "tag", "the file's tag is 78", file(func(b []byte) []byte { return append([]byte{0x78}, b[1:]...) }))
	t.put(refuse, verify.ReasonSODMalformed, "length-short", "the file's length is an octet short", file(func(b []byte) []byte { return lengthOff(b, -1) }))
	t.put(refuse, verify.ReasonSODMissing, "length-long", "the file's length is an octet long", file(func(b []byte) []byte { return lengthOff(b, 1) }))
	t.put(refuse, verify.ReasonSODMissing, "cut", "the file is cut in its middle", file(func(b []byte) []byte { return b[:len(b)/2] }))
	t.put(refuse, verify.ReasonSODMalformed, "trailing", "octets stand behind the object in the file's tag", file(func(b []byte) []byte {
		n := parseNode(b)
		n.add(octets([]byte{1}))
		return n.bytes()
	}))
	t.put(refuse, verify.ReasonSODMalformed, "nested", "two thousand nested sequences", file(func([]byte) []byte {
		var b []byte
		for range 2000 {
			b = wrap(0x30, b)
		}
		return wrap(0x77, b)
	}))
	t.put(refuse, verify.ReasonSODMalformed, "children", "sixty thousand elements in one", file(func([]byte) []byte {
		return wrap(0x77, wrap(0x30, bytes.Repeat([]byte{5, 0}, 60_000)))
	}))
	t.put(refuse, verify.ReasonSODMalformed, "length-five", "a length of five octets", file(func([]byte) []byte {
		return wrap(0x77, []byte{0x30, 0x85, 0, 0, 0, 0, 1, 0})
	}))
	t.put(refuse, verify.ReasonSODMalformed, "length-huge", "a length of 2 GB within", file(func([]byte) []byte { return wrap(0x77, []byte{0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF}) }))
}

// signedData changes what stands around the signer.
func (t *table) signedData() {
	t.put(refuse, verify.ReasonSODProfile, "version", "SignedData has version 4", onMessage(func(n *node) { signedData(n).at(sdVersion).become(integer(4)) }))
	t.put(refuse, verify.ReasonSODProfile, "version-1", "SignedData has version 1", onMessage(func(n *node) { signedData(n).at(sdVersion).become(integer(1)) }))
	t.put(refuse, verify.ReasonSODMalformed, "version-none", "SignedData has no version", onMessage(func(n *node) { signedData(n).drop(sdVersion) }))
	t.put(refuse, verify.ReasonSODProfile, "digests-md5", "the list of digest algorithms holds MD5", onMessage(func(n *node) { signedData(n).at(sdDigests).become(set(algorithmOf(oidMD5))) }))
	t.put(refuse, verify.ReasonSODProfile, "digests-empty", "the list of digest algorithms is empty", onMessage(func(n *node) { signedData(n).at(sdDigests).become(set()) }))
	t.put(refuse, verify.ReasonSODMalformed, "digests-none", "there is no list of digest algorithms", onMessage(func(n *node) { signedData(n).drop(sdDigests) }))
	t.put(refuse, verify.ReasonSODMalformed, "type-master-list", "the content type is that of a master list", onMessage(func(n *node) { signedData(n).at(sdContent, 0).become(object(oidList...)) }))
	t.put(refuse, verify.ReasonSODMalformed, "type-none", "there is no content type", onMessage(func(n *node) { signedData(n).at(sdContent).drop(0) }))
	t.put(refuse, verify.ReasonSODMalformed, "detached", "there is no content", onMessage(func(n *node) { signedData(n).at(sdContent).drop(1) }))
	t.put(refer, verify.ReasonSignerMissing, "certificate-none", "no certificate, here or in the store", onMessage(func(n *node) { signedData(n).drop(sdCertificates) }))
	t.put(refuse, verify.ReasonSODAttributes, "signers-none", "there is no SignerInfo", onMessage(func(n *node) { signedData(n).at(sdSigners).become(set()) }))
	t.put(refuse, verify.ReasonSODMalformed, "not-signed-data", "the content is no SignedData", onMessage(func(n *node) { n.at(0).become(object(oidData...)) }))
}

// signerInfo changes what the signer says, and the signature.
func (t *table) signerInfo() {
	t.put(refuse, verify.ReasonSODProfile, "signer-version", "SignerInfo has version 2", onMessage(func(n *node) { signerInfo(n).at(siVersion).become(integer(2)) }))
	t.put(refuse, verify.ReasonSODProfile, "signer-version-3", "SignerInfo has version 3 with issuer and serial number", onMessage(func(n *node) { signerInfo(n).at(siVersion).become(integer(3)) }))
	t.put(refuse, verify.ReasonSODMalformed, "signer-version-none", "SignerInfo has no version", onMessage(func(n *node) { signerInfo(n).drop(siVersion) }))
	t.put(refuse, verify.ReasonSignerMismatch, "signer-serial", "SignerInfo names another serial number", onMessage(func(n *node) { signerInfo(n).at(siID, 1).become(integer(77)) }))
	t.put(refuse, verify.ReasonSignerMismatch, "signer-key-id", "SignerInfo names another key identifier", func(b *blueprint) {
		b.byKeyID = true
		b.message = func(n *node) { id := signerInfo(n).at(siID); id.value = flipped(id.value, 3) }
	})
	t.put(refuse, verify.ReasonSODProfile, "key-id-version-1", "SignerInfo has version 1 with a key identifier", func(b *blueprint) {
		b.byKeyID = true
		b.message = func(n *node) { signerInfo(n).at(siVersion).become(integer(1)) }
	})
	t.put(refuse, verify.ReasonSODMalformed, "signer-id-none", "SignerInfo names nobody", onMessage(func(n *node) { signerInfo(n).drop(siID) }))
	t.put(refuse, verify.ReasonAlgorithmBroken, "digest-md5", "SignerInfo names MD5", onMessage(func(n *node) { signerInfo(n).at(siDigest).become(algorithmOf(oidMD5)) }))
	t.put(refuse, verify.ReasonSODMalformed, "digest-none", "SignerInfo names no digest", onMessage(func(n *node) { signerInfo(n).drop(siDigest) }))
	t.put(refuse, verify.ReasonSODDigest, "digest-other", "SignerInfo names another digest than the one that was taken", onMessage(func(n *node) {
		signerInfo(n).at(siDigest).become(algorithmOf(cert.HashOID(crypto.SHA512)))
	}))
	t.put(refuse, verify.ReasonAlgorithmBroken, "algorithm-md5", "SignerInfo's signature algorithm is RSA with MD5", onMessage(func(n *node) { signerInfo(n).at(siAlgorithm).become(algorithmOf(oidMD5RSA)) }))
	t.put(refuse, verify.ReasonAlgorithmBroken, "algorithm-unknown", "SignerInfo's signature algorithm is none that there is", onMessage(func(n *node) { signerInfo(n).at(siAlgorithm).become(algorithmOf([]int{1, 3, 6, 1, 4, 1, 99999})) }))
	t.put(refuse, verify.ReasonSODMalformed, "algorithm-none", "SignerInfo names no signature algorithm", onMessage(func(n *node) { signerInfo(n).drop(siAlgorithm) }))
	t.put(refuse, verify.ReasonAlgorithmBroken, "algorithm-dsa", "SignerInfo's signature algorithm is DSA", onMessage(func(n *node) { signerInfo(n).at(siAlgorithm).become(algorithmOf(oidDSA)) }))
	t.put(refuse, verify.ReasonSODSignature, "signature-wrong", "a bit of the signature was changed", func(b *blueprint) { b.signature = func(s []byte) []byte { return flipped(s, -1) } })
	t.put(refuse, verify.ReasonSODSignature, "signature-empty", "the signature is empty", func(b *blueprint) { b.signature = func([]byte) []byte { return nil } })
	t.put(refuse, verify.ReasonSODMalformed, "signature-none", "there is no signature", onMessage(func(n *node) { signerInfo(n).drop(siSignature) }))
	t.put(refuse, verify.ReasonSODSignature, "signature-zero", "r and s are 0", func(b *blueprint) {
		b.signature = func([]byte) []byte { return sequence(integer(0), integer(0)).bytes() }
	})
	t.put(refuse, verify.ReasonSODSignature, "signature-n", "r and s are the order of the group", func(b *blueprint) {
		b.signature = func([]byte) []byte { n := bigInteger(dh.P256().Parameters().N); return sequence(n, n).bytes() }
	})
	t.put(refuse, verify.ReasonSODSignature, "signature-plain", "r and s in fixed length where a SEQUENCE belongs", func(b *blueprint) {
		b.message = func(n *node) {
			rs := parseNode(signerInfo(n).at(siSignature).value)
			sig := append(fixedLength(rs.at(0).value, 32), fixedLength(rs.at(1).value, 32)...)
			signerInfo(n).at(siSignature).value = sig
		}
	})
	t.put(refuse, verify.ReasonSODSignature, "other-curve", "the signature was made on another curve than the certificate's (Lithuania)", func(b *blueprint) {
		b.ds = otherSigner{ecKey(dh.BrainpoolP256r1(), "signer"), b.ds.Public()}
	})
}

// signedAttributes changes what the signature is over.
func (t *table) signedAttributes() {
	t.put(refuse, verify.ReasonSODAttributes, "attributes-none", "there are no signed attributes; the signature is over the content", func(b *blueprint) {
		b.message = func(n *node) {
			sig, err := b.signBytes(signedData(n).at(sdContent, 1, 0).value)
			if err != nil {
				return
			}
			signerInfo(n).at(siSignature).value = sig
			signerInfo(n).drop(siAttributes)
		}
	})
	t.put(refuse, verify.ReasonSODDigest, "content-replaced", "the content was replaced, attributes and signature kept", onMessage(func(n *node) {
		inner := signedData(n).at(sdContent, 1, 0)
		inner.value = flipped(inner.value, -1)
	}))
	t.put(refuse, verify.ReasonSODSignature, "attributes-replaced", "content and attributes were replaced, the signature kept", onMessage(func(n *node) {
		inner := signedData(n).at(sdContent, 1, 0)
		inner.value = flipped(inner.value, -1)
		messageDigest(signerInfo(n).at(siAttributes)).value = digest(crypto.SHA256, inner.value)
	}))
	t.put(refuse, verify.ReasonSODDigest, "digest-wrong", "the message digest is wrong, and signed", onAttributes(func(n *node) { messageDigest(n).value = make([]byte, 32) }))
	t.put(refuse, verify.ReasonSODAttributes, "no-message-digest", "there is no message digest", onAttributes(func(n *node) { n.drop(attributeIndex(n, oidMessageDigest)) }))
	t.put(refuse, verify.ReasonSODAttributes, "two-message-digests", "there are two message digests", onAttributes(func(n *node) {
		n.add(sequence(object(oidMessageDigest...), set(octets(make([]byte, 32)))))
	}))
	t.put(refuse, verify.ReasonSODAttributes, "message-digest-two-values", "the message digest has two values", onAttributes(func(n *node) {
		n.at(attributeIndex(n, oidMessageDigest), 1).add(octets(make([]byte, 32)))
	}))
	t.put(refuse, verify.ReasonSODAttributes, "no-content-type", "there is no content type attribute", onAttributes(func(n *node) { n.drop(attributeIndex(n, oidContentType)) }))
	t.put(refuse, verify.ReasonSODAttributes, "content-type-differs", "the content type attribute names other content", onAttributes(func(n *node) {
		n.at(attributeIndex(n, oidContentType), 1, 0).become(object(oidData...))
	}))
	t.put(accept, verify.ReasonSODProfile, "unsigned-attribute", "an attribute that nobody signed", onMessage(func(n *node) {
		signerInfo(n).add(&node{tag: 0xA1, kids: []*node{sequence(object(1, 2, 840, 113549, 1, 9, 5), set(&node{tag: 0x17, value: []byte("260302000000Z")}))}})
	}))
	t.put(refuse, verify.ReasonSODMalformed, "content-is-attributes", "the content is itself a set of attributes, its signature that of genuine ones", func(b *blueprint) { attributesAsContent(b) })
	t.put(refuse, verify.ReasonSODDigest, "two-signers", "content of a forger's, signed by nobody known, with the genuine SignerInfo of other content beside", func(b *blueprint) { twoSigners(b) })
}

// securityObject changes the list of hashes, signed.
func (t *table) securityObject() {
	t.put(refuse, verify.ReasonSODMalformed, "lds-version-2", "the LDS object has version 2", onObject(func(n *node) { n.at(objectVersion).become(integer(2)) }))
	t.put(refuse, verify.ReasonSODMalformed, "lds-version-negative", "the LDS object has version -1", onObject(func(n *node) { n.at(objectVersion).become(integer(-1)) }))
	t.put(refuse, verify.ReasonSODMalformed, "lds-version-none", "the LDS object has no version", onObject(func(n *node) { n.drop(objectVersion) }))
	t.put(refuse, verify.ReasonSODProfile, "lds-version-0-with-info", "the LDS object has version 0 and version information", onObject(func(n *node) {
		lds18("0108")(n)
		n.at(objectVersion).become(integer(0))
	}))
	t.put(refuse, verify.ReasonSODProfile, "lds-version-1-without-info", "the LDS object has version 1 and no version information", onObject(func(n *node) { n.at(objectVersion).become(integer(1)) }))
	t.put(refuse, verify.ReasonAlgorithmBroken, "groups-md5", "the groups are hashed with MD5", onObject(func(n *node) { n.at(objectAlgorithm).become(algorithmOf(oidMD5)) }))
	t.put(refuse, verify.ReasonSODMalformed, "groups-no-algorithm", "the LDS object names no digest", onObject(func(n *node) { n.drop(objectAlgorithm) }))
	t.put(refuse, verify.ReasonSODMalformed, "groups-empty", "the list of group hashes is empty", onObject(func(n *node) { n.at(objectHashes).become(sequence()) }))
	t.put(refuse, verify.ReasonSODMalformed, "groups-hash-cut", "a group's hash is cut", onObject(func(n *node) { h := n.at(objectHashes, 1, 1); h.value = h.value[:20] }))
	t.put(refuse, verify.ReasonGroupHash, "groups-hash-wrong", "the hash of DG2 is another", onObject(func(n *node) { n.at(objectHashes, 1, 1).value = make([]byte, 32) }))
	t.put(refuse, verify.ReasonGroupsMissing, "groups-no-dg1", "DG1 is not listed", onObject(func(n *node) { n.at(objectHashes).drop(0) }))
	t.put(refuse, verify.ReasonSODMalformed, "groups-twice", "DG1 is listed twice, the second time with a forger's hash", onObject(func(n *node) {
		n.at(objectHashes).add(sequence(integer(1), octets(make([]byte, 32))))
	}))
	for _, number := range []int64{0, 17, -1} {
		t.put(refuse, verify.ReasonSODMalformed, fmt.Sprintf("groups-number-%d", number), fmt.Sprintf("a group has the number %d", number), onObject(func(n *node) { n.at(objectHashes, 1, 0).become(integer(number)) }))
	}
	t.put(refuse, verify.ReasonSODMalformed, "groups-no-number", "a group's hash has no number", onObject(func(n *node) { n.at(objectHashes, 1).drop(0) }))
	t.put(refuse, verify.ReasonGroupWithheld, "groups-additional", "the hash of a DG15 that the chip does not have", func(b *blueprint) { b.unread = []lds.File{lds.DG15} })
	t.put(accept, verify.ReasonSODProfile, "type-data", "the content type is id-data (China)", func(b *blueprint) {
		b.attributes = func(n *node) { n.at(attributeIndex(n, oidContentType), 1, 0).become(object(oidData...)) }
		b.message = func(n *node) {
			signedData(n).at(sdContent, 0).become(object(oidData...))
			signedData(n).at(sdVersion).become(integer(1))
		}
	})
}

// weakPlays are algorithms that count no more, and signatures that a lenient reader takes.
func weakPlays() []play {
	rsa256 := withRSA(pkcs1(crypto.SHA256), pkcs1(crypto.SHA256), crypto.SHA256)
	e3 := func() *blueprint {
		b := standard()
		b.kind = "rsa-e3"
		b.keys(rsaKey("csca", 65537), rsaKey("ds", 3), pkcs1(crypto.SHA256))
		b.algorithm = pkcs1(crypto.SHA256)
		return b
	}
	return []play{
		{"sod-sha1", "SHA-1 throughout", withEC(dh.P256(), ecdsa(crypto.SHA1), ecdsa(crypto.SHA1), crypto.SHA1), accept, verify.ReasonAlgorithmWeak, func(*blueprint) {}},
		{"sod-rsa-1024", "the signer's key is RSA of 1,024 bits", rsa256, refuse, verify.ReasonKeyShort, func(b *blueprint) { b.keys(rsaKey("csca", 65537), rsaKey("short", 65537), pkcs1(crypto.SHA256)) }},
		{"sod-rsa-roca", "the signer's key is one that outsiders can compute (CVE-2017-15361)", rsa256, refuse, verify.ReasonKeyFactorable, func(b *blueprint) { b.keys(rsaKey("csca", 65537), rsaKey("roca", 65537), pkcs1(crypto.SHA256)) }},
		{"csca-rsa-roca", "the CSCA's key is one", rsa256, refuse, verify.ReasonKeyFactorable, func(b *blueprint) { b.keys(rsaKey("roca", 65537), rsaKey("ds", 65537), pkcs1(crypto.SHA256)) }},
		{"aa-rsa-roca", "the key of Active Authentication is one", activeRSA(crypto.SHA256), refer, verify.ReasonKeyFactorable, func(b *blueprint) {
			b.chip.ActiveRSA = rsaKey("roca", 65537)
			b.files[lds.DG15], _ = lds.EncodeDG15(public(&b.chip.ActiveRSA.PublicKey))
		}},
		{"sod-rsa-e3", "a sound signer with the exponent 3", e3, accept, "", func(*blueprint) {}},
		{"sod-rsa-e3-forged", "exponent 3, a cube with rubbish behind the digest", e3, refuse, verify.ReasonSODSignature, func(b *blueprint) { b.signature = func([]byte) []byte { return cube(b) } }},
		{"sod-pss-parameters", "RSA-PSS whose parameters name SHA-1, made with SHA-256", withRSA(pss(crypto.SHA256), pss(crypto.SHA256), crypto.SHA256), refuse, verify.ReasonSODSignature, func(b *blueprint) {
			b.message = func(n *node) {
				id, err := pss(crypto.SHA1).Identifier()
				if err != nil {
					return
				}
				signerInfo(n).at(siAlgorithm).become(parseNode(id))
			}
		}},
	}
}

// cube is what a forger without the key sends to a verifier that doesn't look behind the
// digest: an integer cube whose first octets are a padded digest.
func cube(b *blueprint) []byte {
	const size = 256
	info := sequence(sequence(object(cert.HashOID(crypto.SHA256)...), &node{tag: 5}), octets(make([]byte, 32))).bytes()
	block := append([]byte{0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0}, info...)
	block = append(block, make([]byte, size-len(block))...)
	low, high := big.NewInt(0), new(big.Int).Lsh(big.NewInt(1), size*8/3+1)
	want := new(big.Int).SetBytes(block)
	for new(big.Int).Sub(high, low).Cmp(big.NewInt(1)) > 0 {
		mid := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(mid, big.NewInt(3), nil).Cmp(want) < 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return high.FillBytes(make([]byte, size))
}

var (
	oidMessageDigest = []int{1, 2, 840, 113549, 1, 9, 4}
	oidContentType   = []int{1, 2, 840, 113549, 1, 9, 3}
)

// attributeIndex is the place of an attribute in a set, or that behind the last.
func attributeIndex(n *node, oid []int) int {
	want := object(oid...)
	for i, k := range n.kids {
		if string(k.at(0).value) == string(want.value) {
			return i
		}
	}
	return len(n.kids) - 1
}

func messageDigest(n *node) *node { return n.at(attributeIndex(n, oidMessageDigest), 1, 0) }

// attributesAsContent takes the genuine signed attributes, whose signature is over a set, for
// content that is signed without attributes (the confusion of RFC 5652 §5.4).
func attributesAsContent(b *blueprint) {
	b.message = func(n *node) {
		a := signerInfo(n).at(siAttributes)
		genuine := set(a.kids...)
		inner := signedData(n).at(sdContent, 1, 0)
		inner.value = genuine.bytes()
		signerInfo(n).drop(siAttributes)
	}
}

// twoSigners forges a content, signs it with a key that nobody trusts, and keeps the genuine
// SignerInfo, which is of other content, beside.
func twoSigners(b *blueprint) {
	b.message = func(n *node) {
		forged := parseNode(signerInfo(n).bytes())
		inner := signedData(n).at(sdContent, 1, 0)
		inner.value = flipped(inner.value, -1)
		messageDigest(forged.at(siAttributes)).value = digest(crypto.SHA256, inner.value)
		a := set(forged.at(siAttributes).kids...)
		if sig, err := cert.SignMessage(ecKey(dh.P256(), "nobody"), ecdsaSHA256, a.bytes()); err == nil {
			forged.at(siSignature).value = sig
		}
		signedData(n).at(sdSigners).kids = append([]*node{forged}, signedData(n).at(sdSigners).kids...)
	}
}

func bigInteger(n *big.Int) *node {
	der, err := asn1.Marshal(n)
	if err != nil {
		return &node{}
	}
	return parseNode(der)
}

// fixedLength is a positive INTEGER's octets in n.
func fixedLength(b []byte, n int) []byte { return new(big.Int).SetBytes(b).FillBytes(make([]byte, n)) }

// lengthOff is a file whose outer length is wrong by n.
func lengthOff(b []byte, n int) []byte {
	b = append([]byte{}, b...)
	switch {
	case len(b) > 4 && b[1] == 0x82:
		v := int(b[2])<<8 | int(b[3]) + n
		b[2], b[3] = byte(v>>8), byte(v)
	case len(b) > 3 && b[1] == 0x81:
		b[2] = byte(int(b[2]) + n)
	case len(b) > 2:
		b[1] = byte(int(b[1]) + n)
	}
	return b
}
