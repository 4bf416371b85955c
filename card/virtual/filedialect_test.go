package virtual

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// fileWriter personalises by the dialect of files, through a channel or in the clear.
type fileWriter struct {
	t    testing.TB
	over apdu.Transmitter
	cla  byte
}

func (w fileWriter) do(want apdu.Status, c apdu.Command) {
	w.t.Helper()
	c.CLA = w.cla
	r, err := w.over.Transmit(w.t.Context(), c)
	if err != nil || r.Status != want {
		w.t.Fatalf("%02X %02X%02X: %v, %v; want %v", c.INS, c.P1, c.P2, r.Status, err, want)
	}
}

func (w fileWriter) put(what uint16, b []byte) {
	w.t.Helper()
	w.do(apdu.OK, apdu.Command{INS: gp.InsPutData, P1: byte(what >> 8), P2: byte(what), Data: b})
}

func (w fileWriter) create(name uint16, size int) {
	w.t.Helper()
	b := []byte{byte(size >> 8), byte(size), byte(name >> 8), byte(name)}
	if size > 0xFFFF {
		b = append([]byte{byte(size >> 16)}, b...)
	}
	w.do(apdu.OK, apdu.Command{INS: gp.InsCreateFile, Data: tlv.Encode(gp.TagFile, b)})
	w.do(apdu.OK, apdu.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{byte(name >> 8), byte(name)}})
}

// file writes in pieces of 200 octets, by the odd INS from where the even one ends.
func (w fileWriter) file(name uint16, b []byte) {
	w.t.Helper()
	w.create(name, len(b))
	for n := 0; n < len(b); n += 200 {
		part := b[n:min(n+200, len(b))]
		if n <= 0x7FFF {
			w.do(apdu.OK, apdu.Command{INS: gp.InsUpdateBinary, P1: byte(n >> 8), P2: byte(n), Data: part})
			continue
		}
		at := tlv.Encode(0x54, []byte{byte(n >> 16), byte(n >> 8), byte(n)})
		w.do(apdu.OK, apdu.Command{INS: gp.InsUpdateBinaryOdd, Data: tlv.Append(at, 0x53, part)})
	}
}

// agreementObjects are a key of Chip Authentication as PUT DATA takes it.
func agreementObjects(k *dh.PrivateKey) []byte {
	p := k.Point().Curve().Parameters()
	b := tlv.Encode(0x81, p.P.Bytes())
	for i, v := range [][]byte{p.A.Bytes(), p.B.Bytes(), k.Point().Curve().Generator().Bytes(), p.N.Bytes(), k.Bytes(), {byte(p.H)}} {
		b = tlv.Append(b, tlv.Tag(0x82+i), v)
	}
	return tlv.Encode(0x63, b)
}

// TestDialectOfFiles personalises a blank chip with a large portrait by either variant of
// the dialect, locks it, and reads it as a stranger with BAC, PACE and Chip Authentication.
func TestDialectOfFiles(t *testing.T) {
	ca := generated(t, dh.BrainpoolP256r1())
	for name, dialect := range map[string]Dialect{"plain": FilesPlain, "SCP03": FilesSCP03} {
		t.Run(name, func(t *testing.T) {
			c := New(Config{Dialect: dialect, Limits: extended})
			w := fileWriter{t: t, over: apdu.Over(c, apdu.Limits{})}
			if dialect == FilesSCP03 {
				ch, err := gp.Open(t.Context(), apdu.Over(c, extended), gp.TransportKeys(), gp.FullSecurity)
				if err != nil {
					t.Fatal(err)
				}
				w.over, w.cla = ch, 0x80
			}
			files := documentFiles(t, nil, ca.Point())
			files[lds.DG2] = tlv.Encode(0x75, bytes.Repeat([]byte("portrait"), 9000))
			w.put(gp.PutMRZ, tlv.Encode(0x62, append(append(tlv.Encode(0x5A, []byte("190000017")), tlv.Encode(0x5B, []byte("900215"))...), tlv.Encode(0x5C, []byte("300215"))...)))
			w.put(gp.PutPasswords, tlv.Encode(0x65, tlv.Encode(0x66, append([]byte{auth.RefCAN}, canDigits...))))
			w.put(gp.PutCAKey, agreementObjects(ca))
			aa := rsaKey(t, 1024)
			w.put(gp.PutAAModulus, tlv.Encode(0x60, tlv.Encode(0x04, aa.N.Bytes())))
			w.put(gp.PutAAExponent, tlv.Encode(0x61, tlv.Encode(0x04, aa.D.FillBytes(make([]byte, 128)))))
			pub, err := cert.NewPublicKey(&aa.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			if files[lds.DG15], err = lds.EncodeDG15(pub); err != nil {
				t.Fatal(err)
			}
			w.create(0x010C, 10)
			w.do(apdu.ConditionsNotSatisfied, apdu.Command{INS: gp.InsPutData, P1: 0xDE, P2: 0xAD}) // DG12 is not written
			files[lds.DG12] = tlv.Encode(0x6C, make([]byte, 8))
			for f, b := range files {
				w.file(inside(f), b)
			}
			w.put(gp.PutLock, nil)
			c.Reset()
			if !c.InUse() {
				t.Fatal("not locked")
			}
			link := apdu.Over(c, extended)
			for _, cmd := range []apdu.Command{
				{INS: gp.InsCreateFile, Data: tlv.Encode(gp.TagFile, []byte{0, 1, 1, 5})},
				{INS: gp.InsPutData, P2: 0x62},
				{INS: gp.InsUpdateBinary, Data: []byte{1}},
			} {
				if r, err := link.Transmit(t.Context(), cmd); err != nil || r.Status != apdu.INSNotSupported {
					t.Errorf("%02X after the lock: %v, %v", cmd.INS, r.Status, err)
				}
			}
			readAsStranger(t, c, files)
		})
	}
}

// readAsStranger reads all files with either password, the second time after Chip
// Authentication.
func readAsStranger(t *testing.T, c *Chip, files map[lds.File][]byte) {
	t.Helper()
	for _, p := range []auth.Password{auth.CAN(canDigits), auth.MRZ(mrzInformation)} {
		s := openBy(t, c, extended, p)
		infos, err := lds.ParseDG14(files[lds.DG14])
		if err != nil {
			t.Fatal(err)
		}
		keys, err := auth.ChipAuthKeys(infos)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Chip1(t.Context(), keys[0], lds.DG1); err != nil {
			t.Fatal(err)
		}
		if pub, err := lds.ParseDG15(files[lds.DG15]); err != nil {
			t.Fatal(err)
		} else if _, err := s.Active(t.Context(), pub, 0); err != nil {
			t.Error(err)
		}
		readAll(t, s, files)
		s.Close()
	}
	c.Reset()
	if _, s := send(t, c, "00A4040C07A0000002471001"); s != apdu.OK {
		t.Fatal(s)
	}
	ch, err := auth.BAC(t.Context(), apdu.Over(c, apdu.Limits{}), auth.MRZ(mrzInformation))
	if err != nil {
		t.Fatal(err)
	}
	ch.Close()
}

func TestDialectOfFilesRefuses(t *testing.T) {
	c := New(Config{Dialect: FilesPlain})
	for _, x := range []struct {
		command string
		want    apdu.Status
	}{
		{"00D6000001AA", apdu.NoCurrentFile},
		{"00D700000754010053020102", apdu.NoCurrentFile},
		{"00E00000066304000A0111", apdu.WrongData}, // no such file
		{"00E0000006630400000105", apdu.WrongData}, // empty
		{"00E00000076305FFFFFF0105", apdu.NotEnoughMemory},
		{"00E00000056303000A01", apdu.WrongData},
		{"00E00000066304000A0105", apdu.OK},
		{"00A4020C020106", apdu.FileNotFound},
		{"00A4020C020105", apdu.OK},
		{"00B0000000", apdu.NoCurrentFile}, // not whole
		{"00D600000B0102030405060708090A0B", apdu.WrongLength},
		{"00D6000B01FF", apdu.WrongOffset},
		{"00D6000904FFFFFFFF", apdu.WrongLength},
		{"00D600000A0102030405060708090A", apdu.OK},
		{"00DA0062056203010203", apdu.WrongData},
		{"00DA0063026300", apdu.WrongData},
		{"00DA00650565036601AA", apdu.WrongData},
		{"00DA00600101", apdu.WrongData},
		{"00DA00660101", apdu.ReferenceNotFound},
		{"00DADEAD", apdu.ConditionsNotSatisfied}, // nothing would open it
		{"00A4040C07A0000002471001", apdu.OK},
		{"8050000008010203040506070800", apdu.CLANotSupported},
	} {
		if _, s := send(t, c, x.command); s != x.want {
			t.Errorf("%s: %v, want %v", x.command, s, x.want)
		}
	}
	if f := c.image.files[0x0105]; !f.whole() || f.data[9] != 10 {
		t.Errorf("the file is %+v", f)
	}
	scp := New(Config{Dialect: FilesSCP03})
	if _, s := send(t, scp, "00E00000066304000A0105"); s != apdu.SecurityStatus {
		t.Errorf("CREATE FILE without a channel: %v", s)
	}
	ch := openPerso(t, scp)
	if err := ch.StoreData(t.Context(), 200, []gp.DGI{{Tag: 0x0101, Value: []byte{1}}}, nil); !errors.Is(err, apdu.INSNotSupported) {
		t.Errorf("STORE DATA in the dialect of files: %v", err)
	}
}

// TestLongDGIs writes files of more than 32 KB by STORE DATA.
func TestLongDGIs(t *testing.T) {
	for _, size := range []int{35000, 57000, 65535} {
		c := New(Config{Limits: extended})
		ch := openPerso(t, c)
		block := 239
		if size > 60000 { // more than 256 short blocks hold
			block = 2000
			ch.Close()
			c.Reset()
			var err error
			if ch, err = gp.Open(t.Context(), apdu.Over(c, extended), gp.TransportKeys(), gp.FullSecurity); err != nil {
				t.Fatal(err)
			}
		}
		b := bytes.Repeat([]byte{0x75, 1, 2}, size)[:size]
		if err := ch.StoreData(t.Context(), block, []gp.DGI{{Tag: 0x0102, Value: b}}, nil); err != nil {
			t.Fatalf("%d octets: %v", size, err)
		}
		if !bytes.Equal(c.image.files[0x0102].data, b) {
			t.Errorf("%d octets are stored wrong", size)
		}
	}
}
