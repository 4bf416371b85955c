package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/testdata"
)

// BenchmarkOneShot judges one document as a process of its own, with 500 CSCAs in files of
// their own, by the time that `openssl cms -verify` takes with one: processor time, the least
// of several runs in turn.
func BenchmarkOneShot(b *testing.B) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(b, "openssl", "openssl is not installed")
	}
	dir := b.TempDir()
	card := oneDocument(b, dir)
	trust := filepath.Join(dir, "trust")
	manyCSCAs(b, trust, 499)
	program := filepath.Join(dir, "tamthe")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	judge := []string{program, "judge", card, "--trust", trust, "--at", "2026-07-01"}
	check := []string{
		openssl, "cms", "-verify", "-inform", "DER", "-in", filepath.Join(dir, "sod.p7"), "-CAfile", filepath.Join(dir, "csca.pem"),
		"-purpose", "any", "-out", os.DevNull, "-attime", fmt.Sprint(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).Unix()),
	}
	ours, theirs := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for b.Loop() {
		for range 5 {
			theirs, ours = min(theirs, processorTimeOf(b, check)), min(ours, processorTimeOf(b, judge))
		}
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-openssl")
}

func processorTimeOf(b *testing.B, args []string) time.Duration {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "TAMTHE_HOME="+b.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v: %s", args, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// oneDocument writes a published example's files, and its signature and CSCA for OpenSSL.
func oneDocument(b *testing.B, dir string) string {
	b.Helper()
	var file struct {
		Cases []struct {
			ID    string
			Trust []string
			Files map[string]string
		}
	}
	if err := json.Unmarshal(testdata.Read(b, "passive-auth/cases.json"), &file); err != nil {
		b.Fatal(err)
	}
	write := func(name string, octets []byte) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), octets, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	unhex := func(s string) []byte {
		octets, err := hex.DecodeString(s)
		if err != nil {
			b.Fatal(err)
		}
		return octets
	}
	for _, c := range file.Cases {
		if c.ID != "ok-rsa-pkcs1" {
			continue
		}
		for name, text := range c.Files {
			write("card/"+name+".bin", unhex(text))
			if name == "EF.SOD" {
				var sod asn1.RawValue // '77' is constructed, of class application and number 23
				if rest, err := asn1.UnmarshalWithParams(unhex(text), &sod, "application,tag:23"); err != nil || len(rest) != 0 {
					b.Fatal("no SOD", err)
				}
				write("sod.p7", sod.Bytes)
			}
		}
		csca := unhex(c.Trust[0])
		write("trust/csca.cer", csca)
		write("csca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: csca}))
		return filepath.Join(dir, "card")
	}
	b.Fatal("the example is not there")
	return ""
}

// manyCSCAs writes self-signed certificates of a hundred states.
func manyCSCAs(b *testing.B, dir string, n int) {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		name, err := cert.NewName(
			cert.Attribute{Type: cert.OIDCountry, Value: string([]byte{'A' + byte(i%100/10), 'A' + byte(i%10)})},
			cert.Attribute{Type: cert.OIDCommonName, Value: fmt.Sprintf("CSCA %d SPECIMEN", i)})
		if err != nil {
			b.Fatal(err)
		}
		algorithm := cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA384}
		tbs, err := cert.Template{
			Algorithm: algorithm, Serial: big.NewInt(int64(i + 1)), Issuer: name, Subject: name, PublicKey: &key.PublicKey,
			NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
			KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true},
		}.TBS()
		if err != nil {
			b.Fatal(err)
		}
		der, err := cert.Sign(tbs, algorithm, key)
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("csca-%03d.cer", i)), der, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}
