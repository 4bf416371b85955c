package conformance

import (
	"crypto"
	"math/big"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

var oidMasterListSigner = []int{2, 23, 136, 1, 1, 3}

// trusting makes a store of these certificates beside the issuer's list.
func trusting(certs func(i *issuer) []*cert.Certificate) func(*issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
	return func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
		var list []pki.Material
		for _, c := range certs(i) {
			if c != nil {
				list = append(list, pki.Material{Cert: c, Specimen: true})
			}
		}
		return list, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "VN", Status: pki.None}}
	}
}

// authority signs a certificate for a CSCA of its own, or a link if by is another's key.
func authority(t cert.Template, by crypto.Signer) *cert.Certificate {
	tbs, err := t.TBS()
	if err != nil {
		return nil
	}
	der, err := cert.Sign(tbs, t.Algorithm, by)
	if err != nil {
		return nil
	}
	c, err := cert.Parse(der)
	if err != nil {
		return nil
	}
	return c
}

// genuine has the station trust the genuine issuer, whoever made the card.
func genuine(b *blueprint) {
	owner := standard()
	b.trust = func(*issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
		i, err := owner.issue()
		if err != nil {
			return nil, nil, nil
		}
		return []pki.Material{{Cert: i.root, Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "VN", Status: pki.None}}
	}
}

// unknown has somebody make the card whom the station does not know.
func unknown(b *blueprint) {
	b.forger()
	b.root.Issuer, b.root.Subject = nameOf("VN", "nobody's CSCA SPECIMEN"), nameOf("VN", "nobody's CSCA SPECIMEN")
	b.signer.Issuer = b.root.Subject
	genuine(b)
}

// chainPlays are forged, odd and outdated chains (Doc 9303-12).
func chainPlays() []play {
	var list []play
	put := func(verdict string, reason verify.Reason, id, what string, change func(*blueprint)) {
		list = append(list, play{"chain-" + id, what, standard, verdict, reason, change})
	}
	signer := func(change func(*cert.Template)) func(*blueprint) { return func(b *blueprint) { change(&b.signer) } }
	root := func(change func(*cert.Template)) func(*blueprint) { return func(b *blueprint) { change(&b.root) } }
	put(refer, verify.ReasonCSCAUnknown, "unknown", "a CSCA that the station does not hold", unknown)
	put(refuse, verify.ReasonChainForged, "same-name", "a forger's CSCA under the trusted one's name and key identifier", func(b *blueprint) {
		b.forger()
		b.root.SubjectKeyID, b.signer.AuthorityKeyID = keyID(standard().csca), keyID(standard().csca)
		genuine(b)
	})
	put(refer, verify.ReasonCSCAUnknown, "same-name-own-id", "a forger's CSCA under the trusted one's name, with a key identifier of its own", func(b *blueprint) {
		b.forger()
		genuine(b)
	})
	put(refuse, verify.ReasonChainForged, "same-name-no-id", "a forger's signer under the trusted name that names no key", func(b *blueprint) {
		b.forger()
		b.signer.AuthorityKeyID = nil
		genuine(b)
	})
	put(refer, verify.ReasonCSCAUnknown, "csca-in-sod", "a look-alike of the CSCA packed into the SOD", func(b *blueprint) {
		b.forger()
		genuine(b)
		if i, err := b.issue(); err == nil {
			b.packed = [][]byte{i.root.Raw}
		}
	})
	put(refuse, verify.ReasonChainForged, "self-signed", "a signer that certifies itself", func(b *blueprint) {
		genuine(b)
		b.ds = ecKey(dh.P256(), "forged CSCA")
		b.csca = b.ds
		b.signer.PublicKey, b.signer.SubjectKeyID, b.signer.AuthorityKeyID = b.ds.Public(), keyID(b.ds), keyID(b.ds)
		b.signer.Issuer = b.signer.Subject
		b.root.PublicKey, b.root.SubjectKeyID, b.root.AuthorityKeyID = b.ds.Public(), keyID(b.ds), keyID(b.ds)
	})
	put(refuse, verify.ReasonChainForged, "signature-wrong", "a bit of the signature on the signer's certificate was changed", func(b *blueprint) {
		b.signerEnd = func(n *node) { n.at(2).value = flipped(n.at(2).value, -1) }
	})
	put(refuse, verify.ReasonCertMalformed, "signature-none", "the signer's certificate has no signature", func(b *blueprint) { b.signerEnd = func(n *node) { n.drop(2) } })
	put(refuse, verify.ReasonSignerUsage, "csca-signs", "the CSCA's key signs the SOD itself", func(b *blueprint) {
		b.ds = b.csca
		b.signer = b.root
	})
	put(refuse, verify.ReasonSignerUsage, "list-signer", "the signer of master lists signs a SOD", signer(func(t *cert.Template) { t.ExtKeyUsage = append(t.ExtKeyUsage, oidMasterListSigner) }))
	put(refuse, verify.ReasonCSCAUsage, "signer-issues", "a genuine signer certifies another", func(b *blueprint) { signerIssues(b) })
	list = append(append(list, statePlays(signer)...), linkPlays()...)
	return append(append(list, certificatePlays(signer, root)...), validityPlays(signer)...)
}

// statePlays are issuers of other states, and of other documents of the same.
func statePlays(signer func(func(*cert.Template)) func(*blueprint)) []play {
	t := &table{prefix: "chain-"}
	t.put(refuse, verify.ReasonCountry, "country", "a trusted CSCA of another state issues a signer for ours", func(b *blueprint) {
		b.root.Issuer, b.root.Subject = nameOf("UT", "CSCA SPECIMEN"), nameOf("UT", "CSCA SPECIMEN")
		b.signer.Issuer = b.root.Subject
		b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
			return []pki.Material{{Cert: i.root, Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "UT", Status: pki.None}}
		}
	})
	t.put(refuse, verify.ReasonCountry, "country-document", "a trusted CSCA and signer of another state sign our document", func(b *blueprint) {
		b.root.Issuer, b.root.Subject = nameOf("UT", "CSCA SPECIMEN"), nameOf("UT", "CSCA SPECIMEN")
		b.signer.Issuer, b.signer.Subject = b.root.Subject, nameOf("UT", "DS SPECIMEN")
		b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
			return []pki.Material{{Cert: i.root, Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "UT", Status: pki.None}}
		}
	})
	t.put(accept, "", "country-case", "the country written in small letters", signer(func(t *cert.Template) { t.Subject = nameOf("vn", "DS SPECIMEN") }))
	t.put(refuse, verify.ReasonIssuerDocument, "passport-csca", "a passport's CSCA of the same state, which the operator did not pin for identity cards", func(b *blueprint) {
		b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
			other := standard()
			other.forger()
			pinned, err := other.issue()
			if err != nil {
				return nil, nil, nil
			}
			return []pki.Material{{Cert: i.root, Specimen: true}, {Cert: pinned.root, Specimen: true}}, []*cert.CRL{i.crl},
				[]pki.Issuer{{Country: "VN", Documents: []string{"I"}, Status: pki.None, Anchors: [][32]byte{pinned.root.Fingerprint()}}}
		}
	})
	t.put(refer, verify.ReasonSpecimen, "specimen", "test keys where they are not welcome", func(b *blueprint) { b.options.Specimen = false })
	return t.list
}

// linkPlays are several CSCAs of one state, and what one hands on to the next.
func linkPlays() []play {
	t := &table{prefix: "chain-"}
	t.put(accept, "", "two-cscas", "two CSCAs with one name, and one key identifier", func(b *blueprint) {
		b.trust = trusting(func(i *issuer) []*cert.Certificate {
			t := b.root
			other := ecKey(dh.P256(), "CSCA 2")
			t.Serial, t.PublicKey = big.NewInt(9), other.Public()
			return []*cert.Certificate{authority(t, other), i.root}
		})
	})
	t.put(accept, "", "link", "a link certificate, from RSA to EC, whose issuer is written otherwise", func(b *blueprint) { link(b, rsaKey("csca", 65537)) })
	t.put(refuse, verify.ReasonChainForged, "link-forged", "a link certificate that no CSCA signed", func(b *blueprint) { link(b, rsaKey("ds", 65537)) })
	t.put(refer, verify.ReasonCSCAUnknown, "link-from-document", "a new CSCA's certificate that comes in the document itself", func(b *blueprint) {
		unknown(b)
		if i, err := b.issue(); err == nil {
			b.packed = [][]byte{i.root.Raw}
		}
	})
	return t.list
}

// signerIssues lets the genuine signer certify another, whose key signs the document.
func signerIssues(b *blueprint) {
	owner := standard()
	b.trust = func(*issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
		i, err := owner.issue()
		if err != nil {
			return nil, nil, nil
		}
		return []pki.Material{{Cert: i.root, Specimen: true}, {Cert: i.signer, Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "VN", Status: pki.None}}
	}
	b.csca, b.ds = owner.ds, ecKey(dh.P256(), "signer of a signer")
	b.signer.Serial, b.signer.Issuer, b.signer.AuthorityKeyID = big.NewInt(5), owner.signer.Subject, keyID(owner.ds)
	b.signer.PublicKey, b.signer.SubjectKeyID, b.signer.Subject = b.ds.Public(), keyID(b.ds), nameOf("VN", "DS 2 SPECIMEN")
	b.root.PublicKey = b.csca.Public()
	if i, err := owner.issue(); err == nil {
		b.packed = [][]byte{i.signer.Raw}
	}
}

// link has the station trust an old CSCA with an RSA key alone, from which a link that by
// signed leads to the card's.
func link(b *blueprint, by crypto.Signer) {
	old := rsaKey("csca", 65537)
	b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
		t := b.root
		t.Algorithm, t.PublicKey, t.SubjectKeyID, t.AuthorityKeyID = pkcs1(crypto.SHA256), old.Public(), keyID(old), keyID(old)
		t.Issuer = nameOf("VN", "CSCA SPECIMEN")
		l := b.root
		l.Serial, l.Algorithm, l.Issuer, l.AuthorityKeyID = big.NewInt(7), pkcs1(crypto.SHA256), nameOf("vn", "csca specimen"), keyID(old)
		return []pki.Material{{Cert: authority(t, old), Specimen: true}, {Cert: authority(l, by), Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "VN", Status: pki.None}}
	}
}

// certificatePlays are faults in one certificate (Doc 9303-12 §7.1).
func certificatePlays(signer, root func(func(*cert.Template)) func(*blueprint)) []play {
	var list []play
	put := func(verdict string, reason verify.Reason, id, what string, change func(*blueprint)) {
		list = append(list, play{"cert-" + id, what, standard, verdict, reason, change})
	}
	tbs := func(change func(*node)) func(*blueprint) { return func(b *blueprint) { b.signerDER = change } }
	end := func(change func(*node)) func(*blueprint) { return func(b *blueprint) { b.signerEnd = change } }
	serial := func(n int64) func(*blueprint) {
		return func(b *blueprint) {
			b.signerDER = func(t *node) { t.at(tbsSerial).become(integer(n)) }
			b.message = func(m *node) { signerInfo(m).at(siID, 1).become(integer(n)) }
		}
	}
	missing := func(field int, id, what string) {
		put(refuse, verify.ReasonCertMalformed, id, "the signer's certificate has no "+what, tbs(func(n *node) { n.drop(field) }))
	}
	put(accept, verify.ReasonCertDefect, "version-1", "the signer's certificate says version 1", tbs(func(n *node) { n.at(tbsVersion, 0).become(integer(0)) }))
	put(accept, verify.ReasonCertDefect, "version-none", "the signer's certificate says no version", tbs(func(n *node) { n.drop(tbsVersion) }))
	missing(tbsSerial, "serial-none", "serial number")
	put(accept, verify.ReasonCertDefect, "serial-negative", "the signer's serial number is negative", serial(-5))
	put(accept, verify.ReasonCertDefect, "serial-zero", "the signer's serial number is 0", serial(0))
	missing(tbsAlgorithm, "algorithm-none", "signature field")
	put(refuse, verify.ReasonCertAlgorithm, "algorithm-inner", "the signature field inside names another algorithm than outside", tbs(func(n *node) { n.at(tbsAlgorithm).become(algorithmOf([]int{1, 2, 840, 10045, 4, 3, 3})) }))
	put(refuse, verify.ReasonCertAlgorithm, "algorithm-outer", "the algorithm outside is another than inside", end(func(n *node) { n.at(1).become(algorithmOf([]int{1, 2, 840, 10045, 4, 3, 3})) }))
	put(refuse, verify.ReasonAlgorithmBroken, "algorithm-md5", "the signer's certificate is signed with MD5", func(b *blueprint) {
		b.signerDER = func(n *node) { n.at(tbsAlgorithm).become(algorithmOf(oidMD5RSA)) }
		b.signerEnd = func(n *node) { n.at(1).become(algorithmOf(oidMD5RSA)) }
	})
	put(refuse, verify.ReasonCertMalformed, "algorithm-outer-none", "the signer's certificate has no signature algorithm", end(func(n *node) { n.drop(1) }))
	missing(tbsIssuer, "issuer-none", "issuer")
	put(accept, "", "issuer-odd", "the issuer is not named as Doc 9303 asks for", func(b *blueprint) {
		n, _ := cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: "VN"}, cert.Attribute{Type: cert.OIDCommonName, Value: "an odd name SPECIMEN"})
		b.root.Issuer, b.root.Subject, b.signer.Issuer = n, n, n
	})
	put(accept, verify.ReasonCertProfile, "issuer-differs", "the issuer is not the CSCA's subject; signature and key identifier are right", signer(func(t *cert.Template) { t.Issuer = nameOf("VN", "someone else SPECIMEN") }))
	missing(tbsValidity, "validity-none", "validity")
	put(refuse, verify.ReasonCertMalformed, "validity-wrong", "the end of the signer's validity is no date", tbs(func(n *node) { n.at(tbsValidity, 1).value = []byte("991399999999Z") }))
	missing(tbsKey, "key-none", "public key")
	put(refuse, verify.ReasonSignerKey, "key-unknown", "the signer's key is of a kind that there is not", tbs(func(n *node) { n.at(tbsKey, 0, 0).become(object(1, 3, 6, 1, 4, 1, 99999)) }))
	put(refuse, verify.ReasonSignerKey, "key-off-curve", "the signer's point is not on the curve", tbs(func(n *node) { n.at(tbsKey, 1).value = flipped(n.at(tbsKey, 1).value, -1) }))
	for id, f := range map[string]struct {
		what string
		n, e []byte
	}{
		"exponent-1": {"the exponent 1", nil, []byte{1}}, "exponent-even": {"an even exponent", nil, []byte{4}}, "modulus-even": {"an even modulus", []byte{0}, nil},
	} {
		list = append(list, play{"cert-rsa-" + id, "the signer's RSA key has " + f.what, withRSA(pkcs1(crypto.SHA256), pkcs1(crypto.SHA256), crypto.SHA256), refuse, verify.ReasonSignerKey, tbs(func(t *node) {
			bits := t.at(tbsKey, 1)
			key := parseNode(bits.value[1:])
			if f.e != nil {
				key.at(1).value = f.e
			}
			if n := key.at(0); f.n != nil {
				n.value[len(n.value)-1] = 0
			}
			bits.value = append([]byte{0}, key.bytes()...)
		})})
	}
	put(refuse, verify.ReasonSignerKey, "curve-generator", "explicit curve parameters with a generator of the forger's (CVE-2020-0601)", tbs(func(n *node) {
		n.at(tbsKey, 0, 1, 3).value = ecKey(dh.P256(), "chosen").Point().Bytes()
	}))
	put(refuse, verify.ReasonSignerKey, "curve-coefficient", "explicit curve parameters with another coefficient", tbs(func(n *node) {
		b := n.at(tbsKey, 0, 1, 2, 1)
		b.value = flipped(b.value, -1)
	}))
	put(refuse, verify.ReasonSignerUsage, "usage-none", "the signer has no keyUsage", signer(func(t *cert.Template) { t.KeyUsage = 0 }))
	put(refuse, verify.ReasonSignerUsage, "usage-other", "the signer's keyUsage lacks digitalSignature", signer(func(t *cert.Template) { t.KeyUsage = 1 << 2 }))
	put(refuse, verify.ReasonSignerUsage, "usage-certsign", "the signer may sign certificates too", signer(func(t *cert.Template) { t.KeyUsage |= cert.KeyCertSign }))
	put(refuse, verify.ReasonSignerUsage, "signer-is-ca", "the signer is a certification authority", signer(func(t *cert.Template) { t.BasicConstraints = &cert.BasicConstraints{CA: true, PathLen: -1} }))
	put(refuse, verify.ReasonCertCritical, "critical", "the signer has a critical extension that nobody knows", signer(func(t *cert.Template) {
		t.Extra = append(t.Extra, cert.Extension{OID: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}})
	}))
	put(accept, "", "extension-unknown", "the signer has an extension that nobody knows, not critical", signer(func(t *cert.Template) {
		t.Extra = append(t.Extra, cert.Extension{OID: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Value: []byte{5, 0}})
	}))
	put(accept, verify.ReasonCertProfile, "authority-id-none", "the signer names no key of its issuer's", signer(func(t *cert.Template) { t.AuthorityKeyID = nil }))
	put(accept, verify.ReasonCertProfile, "authority-id-without-key", "the signer's authority key identifier holds no key identifier", func(b *blueprint) {
		b.signer.AuthorityKeyID = nil
		b.signer.Extra = append(b.signer.Extra, cert.Extension{OID: []int{2, 5, 29, 35}, Value: sequence().bytes()})
	})
	put(refuse, verify.ReasonSignerType, "document-types", "the signer is for passports only", signer(func(t *cert.Template) { t.DocumentTypes = []string{"P"} }))
	put(refuse, verify.ReasonCSCAUsage, "csca-not-ca", "the trusted certificate is no certification authority", root(func(t *cert.Template) { t.BasicConstraints = nil }))
	put(refuse, verify.ReasonCSCAUsage, "csca-no-certsign", "the trusted certificate may not sign certificates", root(func(t *cert.Template) { t.KeyUsage = cert.CRLSign }))
	put(refuse, verify.ReasonPathLength, "path-length", "an authority between CSCA and signer, where the CSCA allows none", between)
	put(refuse, verify.ReasonCertCritical, "csca-critical", "the CSCA has a critical extension that nobody knows", root(func(t *cert.Template) {
		t.Extra = append(t.Extra, cert.Extension{OID: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}})
	}))
	return list
}

// between puts an authority of another name between CSCA and signer.
func between(b *blueprint) {
	middle := ecKey(dh.P256(), "middle")
	csca, root := b.csca, b.root
	t := root
	t.Serial, t.Subject, t.PublicKey, t.SubjectKeyID = big.NewInt(8), nameOf("VN", "middle CA SPECIMEN"), middle.Public(), keyID(middle)
	inner := authority(t, csca)
	b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
		return []pki.Material{{Cert: authority(root, csca), Specimen: true}, {Cert: inner, Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "VN", Status: pki.None, CRL: pki.None}}
	}
	b.csca = middle
	b.signer.Issuer, b.signer.AuthorityKeyID = t.Subject, keyID(middle)
	b.root.PublicKey, b.root.Subject, b.root.Issuer, b.root.SubjectKeyID = middle.Public(), t.Subject, t.Subject, keyID(middle)
}

// validityPlays are times and revocation lists.
func validityPlays(signer func(func(*cert.Template)) func(*blueprint)) []play {
	var list []play
	put := func(verdict string, reason verify.Reason, id, what string, change func(*blueprint)) {
		list = append(list, play{"time-" + id, what, standard, verdict, reason, change})
	}
	at := func(t time.Time) func(*blueprint) { return func(b *blueprint) { b.options.At = t } }
	put(refuse, verify.ReasonSignerExpired, "signer-expired", "the signer's certificate has ended", signer(func(t *cert.Template) { t.NotAfter = judged.AddDate(0, 0, -1) }))
	put(refuse, verify.ReasonSignerEarly, "signer-early", "the signer's certificate has not begun", func(b *blueprint) {
		b.signer.NotBefore = judged.AddDate(0, 0, 1)
	})
	put(refuse, verify.ReasonCSCAExpired, "csca-expired", "the CSCA's certificate has ended", func(b *blueprint) { b.root.NotAfter = judged.AddDate(0, 0, -1) })
	put(refuse, verify.ReasonCSCAEarly, "csca-early", "the CSCA's certificate has not begun", func(b *blueprint) { b.root.NotBefore = judged.AddDate(0, 0, 1) })
	put(refuse, verify.ReasonKeyPeriod, "key-period", "the signer's key was not in use on the day of issue", func(b *blueprint) {
		b.signer.PrivateKeyUsage = &cert.Period{NotBefore: issued.AddDate(0, 0, 20), NotAfter: issued.AddDate(0, 2, 0)}
	})
	put(refuse, verify.ReasonDocumentExpired, "document-expired", "the document has expired", func(b *blueprint) {
		b.expiry = vn.Expiry{Date: vn.DateOf(judged.AddDate(0, 0, -2))}
	})
	put(refuse, verify.ReasonSignerEarly, "clock-behind", "a clock that stands before the day of issue", at(issued.AddDate(-2, 0, 0)))
	put(refuse, verify.ReasonSignerRevoked, "revoked", "the signer is revoked", func(b *blueprint) { b.revoked = []int64{2} })
	put(refuse, verify.ReasonSignerRevoked, "revoked-stale", "the signer is revoked, by a list that is past its time", func(b *blueprint) { b.revoked, b.stale = []int64{2}, true })
	put(refer, verify.ReasonCRLStale, "crl-stale", "the revocation list is past its time", func(b *blueprint) { b.stale = true })
	put(refer, verify.ReasonCRLMissing, "crl-missing", "the issuer's revocation list is not there", func(b *blueprint) {
		b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
			return []pki.Material{{Cert: i.root, Specimen: true}}, nil, []pki.Issuer{{Country: "VN", Status: pki.None}}
		}
	})
	foreign := func(change func(*blueprint)) func(*blueprint) {
		return func(b *blueprint) {
			other := standard()
			change(other)
			b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
				l, err := other.revocations()
				if err != nil {
					return nil, nil, nil
				}
				return []pki.Material{{Cert: i.root, Specimen: true}}, []*cert.CRL{l}, []pki.Issuer{{Country: "VN", Status: pki.None}}
			}
		}
	}
	put(refer, verify.ReasonCRLMissing, "crl-forged", "a list under the CSCA's name that it did not sign", foreign(func(o *blueprint) { o.csca = ecKey(dh.P256(), "forged CSCA") }))
	put(refer, verify.ReasonCRLMissing, "crl-foreign", "the list of another CSCA", foreign(func(o *blueprint) {
		o.forger()
		o.root.Subject = nameOf("UT", "CSCA SPECIMEN")
	}))
	put(refuse, verify.ReasonSignerRevoked, "revoked-unsigned-attribute", "a revoked signer's card, with an attribute more that nobody signed", func(b *blueprint) {
		b.revoked = []int64{2}
		b.message = func(n *node) {
			signerInfo(n).add(&node{tag: 0xA1, kids: []*node{sequence(object(1, 2, 840, 113549, 1, 9, 5), set(&node{tag: 0x17, value: []byte("260302000000Z")}))}})
		}
	})
	put(refuse, verify.ReasonSignerRevoked, "revoked-chunks", "a revoked signer's card, its SOD cut in other chunks", func(b *blueprint) {
		b.revoked = []int64{2}
		b.after = func(f verify.Files) { f[lds.SODFile] = chunked(f[lds.SODFile]) }
	})
	put(refuse, verify.ReasonSignerRevoked, "revoked-malleated", "a revoked signer's card, its signature written as (r, n-s)", func(b *blueprint) {
		b.revoked = []int64{2}
		b.signature = malleated
	})
	put(accept, "", "malleated", "a sound card whose signature is written as (r, n-s): the same card to every list", func(b *blueprint) { b.signature = malleated })
	return list
}

// malleated is the other signature of ECDSA that anybody can make of one.
func malleated(sig []byte) []byte {
	n := parseNode(sig)
	s := new(big.Int).SetBytes(n.at(1).value)
	n.at(1).become(bigInteger(new(big.Int).Sub(dh.P256().Parameters().N, s)))
	return n.bytes()
}
