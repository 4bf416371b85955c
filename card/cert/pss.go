package cert

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// parsePSS reads RSASSA-PSS-params (RFC 4055 §3.1) with its defaults.
func parsePSS(der []byte) (Algorithm, error) {
	alg := Algorithm{RSAPSS, crypto.SHA1, crypto.SHA1, 20}
	s := cryptobyte.String(der)
	var params cryptobyte.String
	bad := fmt.Errorf("%w: RSA-PSS parameters", ErrAlgorithm)
	if !s.ReadASN1(&params, tags.SEQUENCE) || !s.Empty() {
		return Algorithm{}, bad
	}
	var field cryptobyte.String
	var present bool
	var id AlgorithmIdentifier
	var err error
	if !params.ReadOptionalASN1(&field, &present, contextTagCons(0)) {
		return Algorithm{}, bad
	}
	if present {
		if !ReadAlgorithmIdentifier(&field, &id) || !field.Empty() {
			return Algorithm{}, bad
		}
		if alg.Hash, err = id.Hash(); err != nil {
			return Algorithm{}, err
		}
	}
	if !params.ReadOptionalASN1(&field, &present, contextTagCons(1)) {
		return Algorithm{}, bad
	}
	if present {
		if !ReadAlgorithmIdentifier(&field, &id) || !field.Empty() || !id.OID.Equal(oidMGF1) {
			return Algorithm{}, bad
		}
		if id, err = ParseAlgorithmIdentifier(id.Parameters); err != nil {
			return Algorithm{}, bad
		}
		if alg.MGFHash, err = id.Hash(); err != nil {
			return Algorithm{}, err
		}
	}
	if !params.ReadOptionalASN1(&field, &present, contextTagCons(2)) {
		return Algorithm{}, bad
	}
	if present {
		var ok bool
		if alg.SaltLength, ok = readSmall(&field, maxPSSSalt); !ok || !field.Empty() {
			return Algorithm{}, bad
		}
	}
	if !params.ReadOptionalASN1(&field, &present, contextTagCons(3)) || !params.Empty() {
		return Algorithm{}, bad
	}
	if present { // only trailer field BC exists
		if n, ok := readSmall(&field, 1); !ok || n != 1 || !field.Empty() {
			return Algorithm{}, bad
		}
	}
	return alg, nil
}

// addPSS writes the identifier with its parameters, defaults left out as DER wants.
func addPSS(b *cryptobyte.Builder, a Algorithm) {
	hash, mgf := HashOID(a.Hash), HashOID(a.MGFHash)
	if hash == nil || mgf == nil || a.SaltLength < 0 || int64(a.SaltLength) > maxPSSSalt {
		b.SetError(fmt.Errorf("%v cannot be written", a))
		return
	}
	digest := func(oid []int) func(*cryptobyte.Builder) {
		return func(b *cryptobyte.Builder) { addOID(b, oid); b.AddBytes(derNull) }
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, oidPSS)
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			if a.Hash != crypto.SHA1 {
				b.AddASN1(contextTagCons(0), func(b *cryptobyte.Builder) { b.AddASN1(tags.SEQUENCE, digest(hash)) })
			}
			if a.MGFHash != crypto.SHA1 {
				b.AddASN1(contextTagCons(1), func(b *cryptobyte.Builder) {
					b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
						addOID(b, oidMGF1)
						b.AddASN1(tags.SEQUENCE, digest(mgf))
					})
				})
			}
			if a.SaltLength != 20 {
				b.AddASN1(contextTagCons(2), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(a.SaltLength)) })
			}
		})
	})
}

// verifyPSS checks RSASSA-PSS. crypto/rsa knows one hash for both uses and reads a salt
// length of zero as "any", so those two cases are worked out here; all input is public.
func verifyPSS(pub *rsa.PublicKey, alg Algorithm, digest, sig []byte) bool {
	if alg.MGFHash == alg.Hash && alg.SaltLength > 0 {
		return rsa.VerifyPSS(pub, alg.Hash, digest, sig, &rsa.PSSOptions{SaltLength: alg.SaltLength}) == nil
	}
	if len(sig) != pub.Size() {
		return false
	}
	m := new(big.Int).SetBytes(sig)
	if m.Cmp(pub.N) >= 0 {
		return false
	}
	m.Exp(m, big.NewInt(int64(pub.E)), pub.N)
	bits := pub.N.BitLen() - 1
	size := (bits + 7) / 8
	if m.BitLen() > bits {
		return false
	}
	return emsaPSS(m.FillBytes(make([]byte, size)), bits, alg, digest)
}

// emsaPSS is EMSA-PSS-VERIFY of RFC 8017 §9.1.2. It unmasks em in place.
func emsaPSS(em []byte, bits int, alg Algorithm, digest []byte) bool {
	h := alg.Hash.Size()
	if len(em) < h+alg.SaltLength+2 || em[len(em)-1] != 0xbc || alg.SaltLength > int(maxPSSSalt) {
		return false
	}
	db, hash := em[:len(em)-h-1], em[len(em)-h-1:len(em)-1]
	if db[0]&^(0xff>>(8*len(em)-bits)) != 0 {
		return false
	}
	mgf1(db, hash, alg.MGFHash)
	db[0] &= 0xff >> (8*len(em) - bits)
	ps := len(db) - alg.SaltLength - 1
	for _, v := range db[:ps] {
		if v != 0 {
			return false
		}
	}
	if db[ps] != 1 {
		return false
	}
	var message [8 + maxDigest + 512]byte
	n := 8 + copy(message[8:], digest)
	n += copy(message[n:], db[ps+1:])
	var buffer [maxDigest]byte
	return bytes.Equal(AppendDigest(buffer[:0], alg.Hash, message[:n]), hash)
}

// mgf1 XORs the mask of RFC 8017 §B.2.1 over b.
func mgf1(b, seed []byte, h crypto.Hash) {
	var message [maxDigest + 4]byte
	var buffer [maxDigest]byte
	n := copy(message[:maxDigest], seed)
	for i := uint32(0); len(b) > 0; i++ {
		binary.BigEndian.PutUint32(message[n:], i)
		b = b[subtle.XORBytes(b, b, AppendDigest(buffer[:0], h, message[:n+4])):]
	}
}
