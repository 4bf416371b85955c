//go:build linux

package auth

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

// oracle compiles the other implementation's end against Debian's libeac.
func oracle(t *testing.T) string {
	t.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "libeac", "libcrypto").Output()
	if err != nil {
		testdata.Missing(t, "openpace", "libeac is not installed (Debian packages libeac-dev and libssl-dev)")
	}
	program := filepath.Join(t.TempDir(), "oracle")
	args := append([]string{"-w", "-o", program, "testdata/openpace/oracle.c"}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return program
}

// spoken is a running oracle.
type spoken struct {
	t      *testing.T
	in     io.WriteCloser
	out    *bufio.Scanner
	errors bytes.Buffer
	cmd    *exec.Cmd
}

func speak(t *testing.T, program string, args ...string) *spoken {
	t.Helper()
	s := &spoken{t: t, cmd: exec.CommandContext(t.Context(), program, args...)}
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewScanner(out)
	s.out.Buffer(nil, 1<<16)
	s.cmd.Stderr = &s.errors
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.in.Close(); _ = s.cmd.Wait() })
	return s
}

var errOracle = errors.New("the oracle has ended")

func (s *spoken) say(b []byte) { _, _ = fmt.Fprintf(s.in, "%X\n", b) }

func (s *spoken) hear() ([]byte, error) {
	if !s.out.Scan() {
		_ = s.cmd.Wait()
		return nil, fmt.Errorf("%w: %s", errOracle, s.errors.String())
	}
	return hex.DecodeString(s.out.Text())
}

// keys hears the session keys at the end.
func (s *spoken) keys() (enc, mac []byte, err error) {
	if enc, err = s.hear(); err == nil {
		mac, err = s.hear()
	}
	return enc, mac, err
}

// sameKey compares keys, of 3DES without the parity bits, which OpenPACE does not set.
func sameKey(c suite.Cipher, a, b []byte) bool {
	if c != suite.TDES || len(a) != len(b) {
		return bytes.Equal(a, b)
	}
	for i := range a {
		if a[i]|1 != b[i]|1 {
			return false
		}
	}
	return true
}

// oracleChip is a card whose PACE is the oracle's.
type oracleChip struct {
	*spoken
	step int
}

func (o *oracleChip) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	if c.INS == 0x22 {
		return apdu.Response{Status: apdu.OK}, nil
	}
	o.step++
	s := tlv.String(c.Data)
	var inner, value tlv.String
	var tag tlv.Tag
	s.ReadTag(tagDynamic, &inner)
	if o.step > 1 {
		inner.Read(&tag, &value)
		o.say(value)
	}
	b, err := o.hear()
	if err != nil {
		return apdu.Response{}, err
	}
	answer := [...]tlv.Tag{1: tagNonce, 2: tagMapChip, 3: tagAgreeChip, 4: tagTokenChip}[o.step]
	return apdu.Response{Data: tlv.Encode(tagDynamic, tlv.Encode(answer, b)), Status: apdu.OK}, nil
}

// variantOID is OpenPACE's name of a variant.
func (c cell) variantOID() string {
	return "id-" + strings.TrimSuffix(VariantName(c.info), " on "+c.group.Name())
}

// drawn is a scalar of the group, and whether libeac shortens the secret that it shares with
// peer: see dropped.
func drawn(t *testing.T, g dh.Group, peer dh.Element) (scalar []byte, short bool) {
	t.Helper()
	secret, err := dh.GenerateSecret(g.Base())
	if err != nil {
		t.Fatal(err)
	}
	scalar = secret.(interface{ Bytes() []byte }).Bytes()
	return scalar, peer != nil && dropped(t, g, scalar, peer)
}

// dropped reports whether the secret of scalar and peer, over a prime field, begins with a
// zero. The secret has the prime's length by the standard; libeac drops the zero, and so
// fails in one run of 256.
func dropped(t *testing.T, g dh.Group, scalar []byte, peer dh.Element) bool {
	t.Helper()
	secret, err := dh.NewSecret(g.Base(), scalar)
	if err != nil {
		t.Fatal(err)
	}
	z, err := secret.Agree(peer)
	if err != nil {
		t.Fatal(err)
	}
	_, prime := g.(*dh.MODP)
	return prime && z[0] == 0
}

// secretWith makes a secret that libeac does not shorten.
func secretWith(t *testing.T, g dh.Group, peer dh.Element) dh.Secret {
	t.Helper()
	for {
		scalar, short := drawn(t, g, peer)
		if short {
			continue
		}
		secret, err := dh.NewSecret(g.Base(), scalar)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
}

// TestPACEWithOpenPACE runs generic mapping against the other implementation, which is the
// chip and then the terminal, and compares the keys. OpenPACE 1.1.2 is no oracle for the
// rest: it has no Chip Authentication Mapping, refuses integrated mapping but as the draft
// TR-03110 2.01 had it, and there goes on with the generator that was not mapped.
func TestPACEWithOpenPACE(t *testing.T) {
	program := oracle(t)
	n := 0
	for _, c := range cells(t) {
		if c.mapping != "GM" || testing.Short() && c.cipher != suite.AES128 {
			continue
		}
		n++
		t.Run(c.String(), func(t *testing.T) {
			args := []string{c.variantOID(), strconv.Itoa(c.info.ParameterID), "123456"}
			for openOracle(t, program, args, c) {
				t.Log("the secret began with zero: once more")
			}
			terminalOracle(t, speak(t, program, append([]string{"pace", "terminal"}, args...)...), c)
		})
	}
	t.Logf("%d variants, both ways", n)
}

// openOracle opens the oracle's chip and reports whether to do so again, because the secret
// was one that libeac shortens.
func openOracle(t *testing.T, program string, args []string, c cell) (again bool) {
	t.Helper()
	chip := &oracleChip{spoken: speak(t, program, append([]string{"pace", "chip"}, args...)...)}
	v, err := newPACEVariant(c.info)
	if err != nil {
		t.Fatal(err)
	}
	key, err := CAN("123456").paceKey(c.cipher)
	if err != nil {
		t.Fatal(err)
	}
	own, _ := drawn(t, c.group, nil)
	run := paceRun{t: chip, v: v, key: key, fresh: paceFresh{agreement: own}}
	for i, step := range []func(context.Context) error{
		run.fetchNonce, run.mapBase, run.agree, func(ctx context.Context) error { return run.confirm(ctx, CAN("123456")) },
	} {
		if err := step(t.Context()); err != nil && i == 3 && dropped(t, c.group, own, run.chip) {
			return true
		} else if err != nil {
			t.Fatalf("terminal, step %d: %v", i+1, err)
		}
	}
	enc, mac, err := chip.keys()
	if err != nil || !sameKey(c.cipher, enc, run.keys.Enc) || !sameKey(c.cipher, mac, run.keys.MAC) {
		t.Errorf("terminal: keys %X, %X and %X, %X: %v", run.keys.Enc, run.keys.MAC, enc, mac, err)
	}
	return false
}

// terminalOracle lets the oracle open our chip.
func terminalOracle(t *testing.T, o *spoken, c cell) {
	t.Helper()
	chip, err := NewPACEChip([]lds.PACEInfo{c.info}, map[byte][]byte{RefCAN: []byte("123456")})
	if err != nil {
		t.Fatal(err)
	}
	oid, err := contents(c.info.OID)
	if err != nil {
		t.Fatal(err)
	}
	at := append(tlv.Encode(tagProtocol, oid), 0x83, 1, RefCAN, 0x84, 1, byte(c.info.ParameterID))
	if r, _ := chip.Process(apdu.Command{INS: 0x22, P1: 0xC1, P2: 0xA4, Data: at}); r.Status != apdu.OK {
		t.Fatalf("MSE:Set AT: %v", r.Status)
	}
	var keys *sm.Keys
	for i, tags := range [][2]tlv.Tag{{0, tagNonce}, {tagMapOwn, tagMapChip}, {tagAgreeOwn, tagAgreeChip}, {tagTokenOwn, tagTokenChip}} {
		var body []byte
		if i > 0 {
			b, err := o.hear()
			if err != nil {
				t.Fatalf("chip, step %d: %v", i+1, err)
			}
			body = tlv.Encode(tags[0], b)
			if tags[0] == tagAgreeOwn {
				peer, err := c.group.ParseElement(b)
				if err != nil {
					t.Fatal(err)
				}
				chip.fresh.agreement = secretWith(t, c.group, peer).(interface{ Bytes() []byte }).Bytes()
			}
		}
		var r apdu.Response
		if r, keys = chip.Process(apdu.Command{INS: 0x86, Data: tlv.Encode(tagDynamic, body), Le: 256}); r.Status != apdu.OK {
			t.Fatalf("chip, step %d: %v", i+1, r.Status)
		}
		s := tlv.String(r.Data)
		var inner, value tlv.String
		if !s.ReadTag(tagDynamic, &inner) || !inner.ReadTag(tags[1], &value) {
			t.Fatalf("chip, step %d: %X", i+1, r.Data)
		}
		o.say(value)
	}
	enc, mac, err := o.keys()
	if err != nil || keys == nil || !sameKey(c.cipher, enc, keys.Enc) || !sameKey(c.cipher, mac, keys.MAC) {
		t.Errorf("chip: keys %X, %X: %v", enc, mac, err)
	}
}

// TestChip2WithOpenPACE runs Chip Authentication version 2 against the other
// implementation, which is the chip and then the terminal.
func TestChip2WithOpenPACE(t *testing.T) {
	program := oracle(t)
	for _, id := range []int{0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18} {
		g, err := dh.GroupByID(id)
		if err != nil {
			t.Fatal(err)
		}
		kind := agreementArc(g.Base())
		for _, c := range suites {
			protocol := arc(oidChipAuth, kind, int(c))
			name := fmt.Sprintf("id-CA-%s-%v", map[int]string{1: "DH", 2: "ECDH"}[kind], c)
			t.Run(name+"/"+g.Name(), func(t *testing.T) {
				o := speak(t, program, "ca", "chip", name, strconv.Itoa(id))
				static, err := o.hear()
				if err != nil {
					t.Fatal(err)
				}
				public, err := g.ParseElement(static)
				if err != nil {
					t.Fatal(err)
				}
				own := secretWith(t, g, public)
				recorded := &oracleChip2{spoken: o}
				card := &securedChip{chip: sm.NewChip(sm.Derive([]byte("pace"), suite.AES128)), then: recorded}
				ta := &TerminalProof{Channel: sm.New(card, sm.Derive([]byte("pace"), suite.AES128)), own: own}
				if _, err := Chip2(t.Context(), ta, lds.ChipAuthKey{Public: public, Info: lds.ChipAuthInfo{OID: protocol}}); err != nil {
					t.Errorf("terminal: %v", err)
				}

				o = speak(t, program, "ca", "terminal", name, strconv.Itoa(id))
				short, err := o.hear()
				if err != nil {
					t.Fatal(err)
				}
				peer, err := o.hear()
				if err != nil {
					t.Fatal(err)
				}
				theirs, err := g.ParseElement(peer)
				if err != nil {
					t.Fatal(err)
				}
				secret := secretWith(t, g, theirs)
				if kind == 2 {
					// A coordinate has a fixed length; OpenPACE leaves zeros in front out.
					short = append(make([]byte, g.Size()-len(short)), short...)
				}
				chip, err := NewChip2Chip(short, ChipAuthSecret{Protocol: protocol, Key: secret})
				if err != nil {
					t.Fatal(err)
				}
				oid, err := contents(protocol)
				if err != nil {
					t.Fatal(err)
				}
				chip.Process(apdu.Command{INS: 0x22, P1: 0x41, P2: 0xA4, Data: tlv.Encode(tagProtocol, oid)})
				r, keys := chip.Process(apdu.Command{INS: 0x86, Data: tlv.Encode(tagDynamic, tlv.Encode(tagChip2Own, peer)), Le: 256})
				if keys == nil {
					t.Fatalf("chip: %v", r.Status)
				}
				o.say(secret.Element().Bytes())
				s := tlv.String(r.Data)
				var inner, nonce, token tlv.String
				if !s.ReadTag(tagDynamic, &inner) || !inner.ReadTag(tagChip2Nonce, &nonce) || !inner.ReadTag(tagChip2Token, &token) {
					t.Fatalf("chip: %X", r.Data)
				}
				o.say(nonce)
				o.say(token)
				if enc, mac, err := o.keys(); err != nil || !sameKey(c, enc, keys.Enc) || !sameKey(c, mac, keys.MAC) {
					t.Errorf("chip: keys %X, %X: %v", enc, mac, err)
				}
			})
		}
	}
}

// oracleChip2 is the chip's end of Chip Authentication by the oracle.
type oracleChip2 struct{ *spoken }

func (o *oracleChip2) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	if c.INS == 0x22 {
		return apdu.Response{Status: apdu.OK}, nil
	}
	s := tlv.String(c.Data)
	var inner, point tlv.String
	s.ReadTag(tagDynamic, &inner)
	inner.ReadTag(tagChip2Own, &point)
	o.say(point)
	nonce, err1 := o.hear()
	token, err2 := o.hear()
	if err1 != nil || err2 != nil {
		return apdu.Response{Status: apdu.Unknown}, nil
	}
	return apdu.Response{Data: tlv.Encode(tagDynamic, tlv.Encode(tagChip2Nonce, nonce), tlv.Encode(tagChip2Token, token)), Status: apdu.OK}, nil
}
