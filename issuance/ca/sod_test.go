package ca

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

func groups(h crypto.Hash, numbers ...int) (list []lds.GroupHash) {
	for _, n := range numbers {
		list = append(list, lds.GroupHash{Number: n, Hash: bytes.Repeat([]byte{byte(n)}, h.Size())})
	}
	return list
}

// sodRequest has the groups of the Vietnamese card.
func sodRequest() SOD {
	return SOD{
		Hash: crypto.SHA256, Groups: groups(crypto.SHA256, 1, 2, 13, 14, 15), Required: []int{13}, Version: 1,
		DocumentType: "I", At: start, Status: &lds.StatusReference{List: "https://example.org/status/1", Index: 0x9abcdef0},
	}
}

func TestSOD(t *testing.T) {
	for _, curve := range []*dh.Curve{dh.P256(), dh.P384(), dh.BrainpoolP256r1(), dh.BrainpoolP384r1()} {
		a := newAuthority(t, curve)
		for _, version := range []int{0, 1} {
			r := sodRequest()
			r.Version = version
			d, err := a.signer.PrepareSOD(r)
			if err != nil {
				t.Fatal(err)
			}
			again, err := a.signer.PrepareSOD(r)
			if err != nil || again.Digest() != d.Digest() {
				t.Errorf("the same request gives other octets, %v", err)
			}
			raw, err := d.Issue(a.signerKey)
			if err != nil {
				t.Fatal(err)
			}
			s, err := lds.ParseSOD(raw)
			if err != nil || s.Verify(a.signer.Certificate.PublicKey) != nil {
				t.Fatal(err)
			}
			if s.CardID() != d.CardID || s.Object.Version != version || len(s.Signed.Findings) > 0 {
				t.Errorf("%+v, findings %v", s.Object, s.Signed.Findings)
			}
			if ref, ok := s.StatusReference(); !ok || ref != *r.Status {
				t.Errorf("status %+v, %v", ref, ok)
			}
			t.Logf("%s, version %d: SOD of %d octets, certificate %d", curve.Name(), version, len(raw), len(a.signer.Certificate.Raw))
		}
	}
}

func TestPrepareSODRefuses(t *testing.T) {
	a := newAuthority(t, dh.P256())
	for name, c := range map[string]struct {
		want   error
		change func(*SOD)
	}{
		"before the key":   {ErrPeriod, func(r *SOD) { r.At = start.Add(-time.Second) }},
		"after the key":    {ErrPeriod, func(r *SOD) { r.At = start.AddDate(0, 3, 1) }},
		"no date":          {ErrPeriod, func(r *SOD) { r.At = time.Time{} }},
		"no DG2":           {ErrGroups, func(r *SOD) { r.Groups = groups(crypto.SHA256, 1, 13) }},
		"no DG13":          {ErrGroups, func(r *SOD) { r.Groups = groups(crypto.SHA256, 1, 2) }},
		"DG1 twice":        {ErrGroups, func(r *SOD) { r.Groups = groups(crypto.SHA256, 1, 1, 2, 13) }},
		"group 17":         {ErrGroups, func(r *SOD) { r.Groups = groups(crypto.SHA256, 1, 2, 13, 17) }},
		"short digest":     {ErrGroups, func(r *SOD) { r.Groups[0].Hash = r.Groups[0].Hash[:20] }},
		"digest of zeros":  {ErrGroups, func(r *SOD) { r.Groups[0].Hash = make([]byte, 32) }},
		"SHA-1":            {ErrGroups, func(r *SOD) { r.Hash, r.Groups = crypto.SHA1, groups(crypto.SHA1, 1, 2, 13) }},
		"other document":   {ErrDocument, func(r *SOD) { r.DocumentType = "P" }},
		"version 2":        {lds.ErrSecurityObject, func(r *SOD) { r.Version = 2 }},
		"status without a": {lds.ErrSecurityObject, func(r *SOD) { r.Status = &lds.StatusReference{} }},
	} {
		r := sodRequest()
		c.change(&r)
		if d, err := a.signer.PrepareSOD(r); d != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := a.root.PrepareSOD(sodRequest()); !errors.Is(err, ErrRequest) {
		t.Errorf("a CSCA signs a SOD: %v", err)
	}
	d, err := a.signer.PrepareSOD(sodRequest())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Issue(a.rootKey); !errors.Is(err, ErrKey) {
		t.Errorf("other key: %v", err)
	}
}

// TestSODSize holds the size that the APDU budget of a reading rests on: a SOD with
// explicit parameters takes seven short READ BINARY, with a named curve six.
func TestSODSize(t *testing.T) {
	a := newAuthority(t, dh.BrainpoolP256r1())
	for named, limit := range map[bool]int{false: 1520, true: 1320} {
		request := signerRequest(a.signerKey)
		request.Named = named
		signer := issuer(t, issue(t, a.rootKey)(a.root.PrepareSigner(request)))
		d, err := signer.PrepareSOD(sodRequest())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := d.Issue(a.signerKey)
		if err != nil || len(raw) > limit {
			t.Errorf("named %v: SOD of %d octets, %v", named, len(raw), err)
		}
		t.Logf("named %v: %d octets", named, len(raw))
	}
}

// TestSODOpenSSL verifies a SOD with the CMS of OpenSSL, chain and all.
func TestSODOpenSSL(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	a := authority{rootKey: newKey(t, dh.BrainpoolP384r1()), signerKey: newKey(t, dh.BrainpoolP256r1())}
	root := rootRequest(a.rootKey)
	root.Named, root.From = true, time.Now().AddDate(0, 0, -1)
	a.root = issuer(t, issue(t, a.rootKey)(PrepareCSCA(root)))
	signer := signerRequest(a.signerKey)
	signer.Named, signer.From = true, root.From
	a.signer = issuer(t, issue(t, a.rootKey)(a.root.PrepareSigner(signer)))
	r := sodRequest()
	r.At = time.Now()
	d, err := a.signer.PrepareSOD(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.Issue(a.signerKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rootFile, file, content := filepath.Join(dir, "root"), filepath.Join(dir, "cms"), filepath.Join(dir, "content")
	for name, b := range map[string][]byte{rootFile: a.root.Certificate.Raw, file: raw[4:]} { // without 77 82 xx xx
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(path, "x509", "-inform", "DER", "-in", rootFile, "-out", rootFile+".pem").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(path, "cms", "-verify", "-inform", "DER", "-in", file, "-CAfile", rootFile+".pem",
		"-purpose", "any", "-binary", "-out", content).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(content)
	s, _ := lds.ParseSOD(raw)
	if err != nil || !slices.Equal(got, s.Signed.Content) {
		t.Errorf("openssl gives %x, %v", got, err)
	}
}
