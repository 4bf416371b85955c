//go:build linux

package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cvc"
)

// TestTerminalWithOpenPACE has the other implementation verify a terminal of ours in every
// algorithm, certificates and signature.
func TestTerminalWithOpenPACE(t *testing.T) {
	program := oracle(t)
	chat := cvc.NewCHAT(cvc.InspectionSystem, cvc.TerminalRole, cvc.ReadDG3)
	for a := cvc.RSAv15SHA1; a <= cvc.ECDSASHA512; a++ {
		t.Run(a.String(), func(t *testing.T) {
			auth := newAuthority(t, a, chat)
			root, dv, is := keep(t, auth.key.Others[0].Raw), keep(t, auth.key.Others[1].Raw), keep(t, auth.key.Certificate.Raw)
			for _, good := range []bool{true, false} {
				o := speak(t, program, "ta", "chip", "-", "0", root, dv, is)
				challenge, err := o.hear()
				if err != nil {
					t.Fatal(err)
				}
				chip, own := sha256.Sum256([]byte("chip")), sha256.Sum256([]byte("own"))
				sig, err := cvc.SignMessage(a, auth.key.Signer, signedInput(chip[:], challenge, own[:], nil))
				if err != nil {
					t.Fatal(err)
				}
				if !good {
					sig[len(sig)-1] ^= 1
				}
				o.say(own[:])
				o.say(chip[:])
				o.say(sig)
				if o.out.Scan() != good {
					t.Errorf("the signature is good: %v; the oracle: %s", good, o.errors.String())
				}
			}
		})
	}
}

// keep writes a file for the oracle.
func keep(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTerminalChipWithOpenPACE has our chip verify the other implementation's terminal.
func TestTerminalChipWithOpenPACE(t *testing.T) {
	program := oracle(t)
	chat := cvc.NewCHAT(cvc.InspectionSystem, cvc.TerminalRole, cvc.ReadDG4)
	for a := cvc.RSAv15SHA1; a <= cvc.ECDSASHA512; a++ {
		t.Run(a.String(), func(t *testing.T) {
			auth := newAuthorityOf(t, a, chat, func() crypto.Signer { return openSSLKey(t, a) })
			der, err := x509.MarshalPKCS8PrivateKey(auth.key.Signer)
			if err != nil {
				t.Fatal(err)
			}
			o := speak(t, program, "ta", "terminal", "-", "0", keep(t, auth.key.Certificate.Raw), keep(t, der), keep(t, auth.key.Others[0].Raw))
			chip, own := sha256.Sum256([]byte("chip")), sha256.Sum256([]byte("own"))
			ta := NewTerminalChip1(auth.chain(), chip[:], own[:])
			run := terminalRun{t: openTerminalChip{ta}, key: auth.key, chip: chip[:], short: own[:]}
			for _, c := range []*cvc.Certificate{auth.key.Others[1], auth.key.Certificate} {
				if err := run.show(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			name := tlv.Encode(tagKeyName, []byte(auth.key.Certificate.Holder))
			ta.Process(apdu.Command{INS: 0x22, P1: 0x81, P2: 0xA4, Data: name})
			o.say(ta.Process(apdu.Command{INS: 0x84, Le: terminalChallenge}).Data)
			o.say(own[:])
			o.say(chip[:])
			sig, err := o.hear()
			if err != nil {
				t.Fatal(err)
			}
			r := ta.Process(apdu.Command{INS: 0x82, Data: sig})
			if rights, done := ta.Rights(); r.Status != apdu.OK || !done || !rights.Has(cvc.ReadDG4) {
				t.Errorf("%v, authenticated: %v", r.Status, done)
			}
		})
	}
}

// openSSLKey makes a key that the oracle can read.
func openSSLKey(t *testing.T, a cvc.Algorithm) crypto.Signer {
	t.Helper()
	if a.RSA() {
		return rsaKey(t, 1536)
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// openTerminalChip is a terminal's partner without a channel.
type openTerminalChip struct{ ta *TerminalChip }

func (p openTerminalChip) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	return p.ta.Process(c), nil
}
