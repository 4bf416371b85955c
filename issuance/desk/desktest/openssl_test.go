//go:build linux && cgo

package desktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// TestOpenSSLVerifies has OpenSSL verify what an office has issued, and the security object
// as it was read from the card. It takes no chain in which a certificate writes its curve
// out, which is how Doc 9303-12 wants it; there it verifies each signature by itself.
func TestOpenSSLVerifies(t *testing.T) {
	t.Parallel()
	program := tool(t, "openssl", "openssl")
	for name, k := range map[string]keys{
		"named":     {"P-384", "P-256", true},
		"explicit":  {"P-384", "P-256", false},
		"brainpool": {"brainpoolP384r1", "brainpoolP256r1", false},
		"RSA root":  {"RSA-3072", "brainpoolP256r1", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, k)
			s := openSSL{t, program, t.TempDir()}
			s.authority(o, k.csca == "RSA-3072")
			s.card(o.readSOD(t))
			if k.named {
				s.chain()
			}
		})
	}
}

// readSOD makes a card and reads its security object as a checkpoint does.
func (o *office) readSOD(t *testing.T) []byte {
	t.Helper()
	who, chip := o.person(), chipInProcess{blank()}
	must(o.desk(o.an).Personalise(t.Context(), o.approved(t, who, portrait(0)), chip, o.plan()))(t)
	chip.Chip.Reset()
	report := must(verify.Inspect(t.Context(), apdu.Over(chip, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN()))))(t)
	return report.Files[lds.SODFile]
}

// openSSL is the program, with a folder for its files.
type openSSL struct {
	t       *testing.T
	program func(...string) *exec.Cmd
	dir     string
}

func (s openSSL) path(name string) string { return filepath.Join(s.dir, name) }

func (s openSSL) save(name string, b []byte) {
	s.t.Helper()
	check(s.t, os.WriteFile(s.path(name), b, 0o600))
}

// run starts the program with arguments of which those with @ are files of the folder.
func (s openSSL) run(want, line string, more ...string) {
	s.t.Helper()
	arg := append(strings.Fields(line), more...)
	for i := range arg {
		if name, ok := strings.CutPrefix(arg[i], "@"); ok {
			arg[i] = s.path(name)
		}
	}
	if out := output(s.t, s.program(arg...)); !strings.Contains(out, want) {
		s.t.Errorf("openssl %s: no %q in\n%s", line, want, out)
	}
}

// authority verifies the signatures of root, signer and list under the root's key. Those of
// certificates under an RSA key are for chain.
func (s openSSL) authority(o *office, rsa bool) {
	s.t.Helper()
	for _, name := range []string{"csca", "ds-001"} {
		der := must(os.ReadFile(o.path("pki", name+".cer")))(s.t)
		s.save(name+".der", der)
		s.run("", "x509 -inform DER -in @"+name+".der -out @"+name)
		c := must(cert.Parse(der))(s.t)
		s.save("tbs", c.RawTBS)
		s.save("signature", c.Signature)
		s.run("", "x509 -in @csca -pubkey -noout -out @key")
		if !rsa {
			s.run("Verified OK", "dgst -sha384 -verify @key -signature @signature @tbs")
		}
	}
	s.run("C = VN, O = tamthe SPECIMEN, CN = SPECIMEN CSCA", "x509 -in @csca -noout -subject")
	s.run("", "crl -inform DER -out @crl -in", o.path("pki", "csca.crl"))
	s.run("verify OK", "crl -in @crl -noout -CAfile @csca")
}

// card verifies the security object under the signer's certificate in it.
func (s openSSL) card(sod []byte) {
	s.t.Helper()
	signed, ok := tlv.Find(sod, lds.SODFile.Tag())
	if !ok {
		s.t.Fatal("EF.SOD does not begin with its tag")
	}
	s.save("cms", signed)
	s.run("Verification successful", "cms -verify -inform DER -in @cms -binary -noverify -out @content")
	content := must(os.ReadFile(s.path("content")))(s.t)
	if object := must(lds.ParseSOD(sod))(s.t); string(content) != string(object.Signed.Content) {
		s.t.Error("OpenSSL takes out other content than we")
	}
	s.run("", "cms -verify -inform DER -in @cms -binary -noverify -signer @signer -out @content")
	if a, b := must(os.ReadFile(s.path("signer")))(s.t), must(os.ReadFile(s.path("ds-001")))(s.t); string(a) != string(b) {
		s.t.Error("the signer in EF.SOD is not the authority's")
	}
}

// chain verifies the card up to the root, and no revocation.
func (s openSSL) chain() {
	s.t.Helper()
	s.run("OK", "verify -check_ss_sig -CAfile @csca @csca")
	s.run("OK", "verify -crl_check -CRLfile @crl -CAfile @csca @ds-001")
	s.run("Verification successful", "cms -verify -inform DER -in @cms -binary -purpose any -CAfile @csca -out @content")
}
