package virtual

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"math/big"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/mrz"
)

// serveFiles serves the dialect of files; see gp.InsCreateFile.
func (p *personaliser) serveFiles(cmd apdu.Command) apdu.Response {
	switch cmd.INS {
	case gp.InsCreateFile:
		return apdu.Response{Status: p.createFile(cmd)}
	case gp.InsUpdateBinary:
		return apdu.Response{Status: p.update(int(cmd.P1)<<8|int(cmd.P2), cmd.Data)}
	case gp.InsUpdateBinaryOdd:
		return apdu.Response{Status: p.updateOdd(cmd)}
	case gp.InsPutData:
		return apdu.Response{Status: p.putData(cmd)}
	case 0xA4:
		return p.selectToWrite(cmd)
	case 0xB0, 0xB1:
		return p.readBinary(cmd)
	case 0xCA:
		return p.getData(cmd)
	case 0xD8:
		if p.c.image.dialect == FilesSCP03 {
			return p.putKeys(cmd)
		}
	}
	return apdu.Response{Status: apdu.INSNotSupported}
}

// createFile begins a file in place of any before it. It does not select it.
func (p *personaliser) createFile(cmd apdu.Command) apdu.Status {
	s := tlv.String(cmd.Data)
	var v tlv.String
	if cmd.P1|cmd.P2 != 0 || !s.ReadTag(gp.TagFile, &v) || !s.Empty() || len(v) < 4 || len(v) > 5 {
		return apdu.WrongData
	}
	size := 0
	for _, o := range v[:len(v)-2] {
		size = size<<8 | int(o)
	}
	name := uint16(v[len(v)-2])<<8 | uint16(v[len(v)-1])
	if !isFile(name) {
		return apdu.WrongData
	}
	return p.beginFile(name, size)
}

// selectToWrite chooses the file that UPDATE BINARY and READ BINARY work on, whole or not.
func (p *personaliser) selectToWrite(cmd apdu.Command) apdu.Response {
	if cmd.P1 == 0x04 {
		p.current = 0
		if a := string(cmd.Data); a == aidDomain || a == aidLDS1 {
			return apdu.Response{Status: apdu.OK}
		}
		return apdu.Response{Status: apdu.FileNotFound}
	}
	fid, ok := identifier(cmd.Data)
	if cmd.P1 != 0x02 || !ok {
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	p.current = 0
	if p.c.image.files[fid] == nil {
		return apdu.Response{Status: apdu.FileNotFound}
	}
	p.current = fid
	return apdu.Response{Status: apdu.OK}
}

// update writes octets of the file selected.
func (p *personaliser) update(offset int, data []byte) apdu.Status {
	f := p.c.image.files[p.current]
	switch {
	case f == nil:
		return apdu.NoCurrentFile
	case len(data) == 0:
		return apdu.WrongLength
	case offset > len(f.data):
		return apdu.WrongOffset
	case len(data) > len(f.data)-offset:
		return apdu.WrongLength
	}
	return p.c.store(partRecord(p.current, offset, data))
}

// updateOdd is UPDATE BINARY with an odd INS (ISO/IEC 7816-4 §11.3.3).
func (p *personaliser) updateOdd(cmd apdu.Command) apdu.Status {
	s := tlv.String(cmd.Data)
	var at, data tlv.String
	if cmd.P1|cmd.P2 != 0 || !s.ReadTag(0x54, &at) || !s.ReadTag(0x53, &data) || !s.Empty() || len(at) < 1 || len(at) > 3 {
		return apdu.WrongData
	}
	offset := 0
	for _, o := range at {
		offset = offset<<8 | int(o)
	}
	return p.update(offset, data)
}

// putData takes keys, passwords, the date and the lock.
func (p *personaliser) putData(cmd apdu.Command) apdu.Status {
	what := uint16(cmd.P1)<<8 | uint16(cmd.P2)
	if cmd.P2 == gp.PutTrustPoint && cmd.P1 >= 1 && cmd.P1 <= 2 {
		return p.putTrustPoint(int(cmd.P1), cmd.Data)
	}
	switch what {
	case gp.PutAAModulus, gp.PutAAExponent:
		return p.putActive(what, cmd.Data)
	case gp.PutMRZ:
		return p.putMRZ(cmd.Data)
	case gp.PutCAKey:
		return p.putAgreement(cmd.Data)
	case gp.PutPasswords:
		return p.putPasswords(cmd.Data)
	case gp.PutDate:
		return p.putDate(cmd.Data)
	case gp.PutLock:
		if len(cmd.Data) > 0 {
			return apdu.WrongLength
		}
		return p.seal()
	}
	return apdu.ReferenceNotFound
}

// putActive takes the two halves of an RSA key. The first one waits in the chip for the
// second as long as there is power.
func (p *personaliser) putActive(what uint16, b []byte) apdu.Status {
	s := tlv.String(b)
	var outer, n tlv.String
	if !s.ReadTag(tlv.Tag(what), &outer) || !s.Empty() || !outer.ReadTag(0x04, &n) || !outer.Empty() || len(n) < 128 || len(n) > 512 {
		return apdu.WrongData
	}
	if what == gp.PutAAModulus {
		p.pending = bytes.Clone(n)
		return apdu.OK
	}
	if p.pending == nil {
		return apdu.ConditionsNotSatisfied
	}
	key := &rsa.PrivateKey{D: new(big.Int).SetBytes(n)}
	key.N = new(big.Int).SetBytes(p.pending)
	p.pending = nil
	if _, err := auth.NewActiveChipRSA(key, crypto.SHA1); err != nil {
		return apdu.WrongData
	}
	made, err := keyRecord(given{use: useActive, rsa: key, hash: crypto.SHA1})
	if err != nil {
		return apdu.WrongData
	}
	defer clear(made.body)
	return p.c.store(made)
}

// putMRZ derives the keys of BAC, and allows it, and those of PACE with the MRZ.
func (p *personaliser) putMRZ(b []byte) apdu.Status {
	s := tlv.String(b)
	var fields [3]tlv.String
	var outer tlv.String
	ok := s.ReadTag(0x62, &outer) && s.Empty()
	for i := range fields {
		var tag tlv.Tag
		ok = ok && outer.Read(&tag, &fields[i])
	}
	if !ok || !outer.Empty() || len(fields[0]) > 30 || len(fields[1]) != 6 || len(fields[2]) != 6 {
		return apdu.WrongData
	}
	password := auth.MRZ(mrz.KeyInfo(string(fields[0]), mrz.Date(fields[1]), mrz.Date(fields[2])))
	defer password.Destroy()
	seed, err := password.BACSeed()
	if err != nil {
		return apdu.WrongData
	}
	secret, err := password.PACESecret()
	if err != nil {
		return apdu.WrongData
	}
	for _, r := range []record{
		secretRecord(gp.DGIRules, gp.Rules{BAC: true}.Bytes()),
		secretRecord(gp.DGIBACSeed, seed), secretRecord(gp.DGIPACEMRZ, secret),
	} {
		if status := p.c.store(r); status != apdu.OK {
			return status
		}
	}
	return apdu.OK
}

// putPasswords stores secrets of PACE by their reference; that of the MRZ is a hash.
func (p *personaliser) putPasswords(b []byte) apdu.Status {
	s := tlv.String(b)
	var list, v tlv.String
	if !s.ReadTag(0x65, &list) || !s.Empty() {
		return apdu.WrongData
	}
	for !list.Empty() {
		if !list.ReadTag(0x66, &v) || len(v) < 2 || passwordDGIs[v[0]] == 0 {
			return apdu.WrongData
		}
		dgi := passwordDGIs[v[0]]
		if status := checkSecret(dgi, len(v)-1); status != apdu.OK {
			return status
		}
		if status := p.c.store(secretRecord(dgi, v[1:])); status != apdu.OK {
			return status
		}
	}
	return apdu.OK
}

// putAgreement stores a key of Chip Authentication with its domain parameters, which must
// be those of a known curve.
func (p *personaliser) putAgreement(b []byte) apdu.Status {
	s := tlv.String(b)
	var list tlv.String
	var v [8]tlv.String
	ok := s.ReadTag(0x63, &list) && s.Empty()
	for !list.Empty() && ok {
		var tag tlv.Tag
		var value tlv.String
		if ok = list.Read(&tag, &value) && tag >= 0x81 && tag <= 0x87; ok {
			v[tag-0x80] = value
		}
	}
	half := len(v[4]) / 2
	if !ok || len(v[4]) != 2*half+1 || v[4][0] != 4 {
		return apdu.WrongData
	}
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	curve, err := dh.ByParameters(dh.Parameters{
		P: number(v[1]), A: number(v[2]), B: number(v[3]),
		Gx: number(v[4][1 : 1+half]), Gy: number(v[4][1+half:]), N: number(v[5]), H: 1,
	})
	if err != nil {
		return apdu.WrongData
	}
	key, err := dh.NewSecret(curve.Base(), v[6])
	if err != nil {
		return apdu.WrongData
	}
	defer key.Destroy()
	made, err := keyRecord(given{use: useAgreement, secret: key})
	if err != nil {
		return apdu.WrongData
	}
	defer clear(made.body)
	return p.c.store(made)
}

// putTrustPoint takes a CVCA certificate, once for each of the two places; the date begins
// with it.
func (p *personaliser) putTrustPoint(place int, b []byte) apdu.Status {
	c, err := cvc.Parse(b)
	if err != nil || c.CHAT.Role != cvc.CVCA {
		return apdu.WrongData
	}
	points := p.c.image.trust.points
	if len(points) != place-1 {
		return apdu.ConditionsNotSatisfied
	}
	if s := p.c.store(trustRecord(append(slices.Clone(points), c))); s != apdu.OK {
		return s
	}
	if !p.c.image.trust.today.Before(c.Effective) {
		return apdu.OK
	}
	return p.c.store(dateRecord(c.Effective))
}

// putDate takes six digits in ASCII.
func (p *personaliser) putDate(b []byte) apdu.Status {
	digits := make([]byte, len(b))
	for i := range b {
		digits[i] = b[i] - '0'
	}
	d, err := cvc.ParseDate(digits)
	if err != nil {
		return apdu.WrongData
	}
	return p.c.store(dateRecord(d))
}
