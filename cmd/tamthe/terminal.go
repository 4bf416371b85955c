package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify/pki"
)

// terminalKeyFile is the terminal's private key in the folder of --terminal.
const terminalKeyFile = "key.pem"

// maxCertificates and maxCVCertificate, in octets, bound that folder.
const (
	maxCertificates  = 100
	maxCVCertificate = 1 << 13
)

// errNoTerminal says that no certificate of the folder is of its key.
var errNoTerminal = errors.New("no certificate of the terminal's key")

// openTerminal reads what a terminal proves its rights with: its key and, one a file, its
// CV certificate and those between it and the chip's trust points. Of several certificates
// of the key the one that expires last is taken.
func openTerminal(dir string) (*auth.TerminalKey, error) {
	signer, err := keystore.Open("file:" + filepath.Join(dir, terminalKeyFile))
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.cvcert"))
	if err != nil {
		return nil, err
	}
	if len(paths) > maxCertificates {
		return nil, fmt.Errorf("%s: more than %d certificates", dir, maxCertificates)
	}
	key := &auth.TerminalKey{Signer: signer}
	for _, path := range paths {
		c, err := readCVCertificate(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if last := key.Certificate; c.CHAT.Role == cvc.TerminalRole && c.Key.Is(signer.Public()) && (last == nil || last.Expiry.Before(c.Expiry)) {
			key.Certificate = c
		}
		key.Others = append(key.Others, c)
	}
	if key.Certificate == nil {
		return nil, fmt.Errorf("%s: %w", dir, errNoTerminal)
	}
	return key, nil
}

func readCVCertificate(path string) (*cvc.Certificate, error) {
	raw, err := pki.ReadFile(os.DirFS(filepath.Dir(path)), filepath.Base(path), maxCVCertificate)
	if err != nil {
		return nil, err
	}
	return cvc.Parse(raw)
}
