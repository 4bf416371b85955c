package keystore

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// pemSealed is a file of a sealed folder: AES-256-GCM under Argon2id of the folder's
// passphrase. The headers say what is inside, and are covered.
const pemSealed = "TAMTHE SEALED KEY"

// ErrSealed means that a key is sealed and nobody gave the folder's passphrase.
var ErrSealed = errors.New("the key is sealed with a passphrase")

// sealedHeaders says what is sealed: the kind of PEM block, the key's name, and a use.
func sealedHeaders(kind, name, use string, a argon, salt []byte) map[string]string {
	return map[string]string{
		"Holds": kind, "Name": name, "Use": use,
		"Kdf":  fmt.Sprintf("argon2id t=%d m=%d p=%d", a.time, a.memory, a.threads),
		"Salt": hex.EncodeToString(salt),
	}
}

func boundSealed(h map[string]string) []byte {
	return []byte(strings.Join([]string{pemSealed, h["Holds"], h["Name"], h["Use"], h["Kdf"], h["Salt"]}, "\n"))
}

// writeSealed puts content into a new file, sealed.
func writeSealed(path, kind, name, use string, content, passphrase []byte) error {
	if len(passphrase) == 0 {
		return ErrNoPassphrase
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	h := sealedHeaders(kind, name, use, newArgon, salt)
	aead, err := newAEAD(newArgon, passphrase, salt)
	if err != nil {
		return err
	}
	return writeBlock(path, pemSealed, h, aead.Seal(nil, nil, content, boundSealed(h)))
}

// isSealed says whether a file's octets are a sealed key.
func isSealed(raw []byte) bool { return bytes.Contains(raw, []byte("-----BEGIN "+pemSealed)) }

// unseal opens a sealed key of that kind, name and use: ErrFormat, ErrPassphrase.
func unseal(raw []byte, kind, name, use string, passphrase []byte) ([]byte, error) {
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != pemSealed || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: want one PEM block %q", ErrFormat, strings.ToLower(pemSealed))
	}
	h := block.Headers
	a, ok := parseArgon(h["Kdf"])
	salt, err := hex.DecodeString(h["Salt"])
	if !ok || err != nil || len(salt) < 16 {
		return nil, fmt.Errorf("%w: headers", ErrFormat)
	}
	if h["Holds"] != kind || h["Name"] != name || h["Use"] != use {
		return nil, fmt.Errorf("%w: the file holds another key", ErrFormat)
	}
	aead, err := newAEAD(a, passphrase, salt)
	if err != nil {
		return nil, err
	}
	content, err := aead.Open(nil, nil, block.Bytes, boundSealed(h))
	if err != nil {
		return nil, ErrPassphrase
	}
	return content, nil
}
