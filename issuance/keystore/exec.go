package keystore

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// Exec is the ring of a helper program, the way to key holders that speak no PKCS #11. The
// program is started at the first request and stopped by Close. It may be used by many
// goroutines; the program is asked one thing at a time.
//
// # Protocol
//
// A request is one line of JSON on the program's standard input, an answer one line of at
// most 64 KiB on its standard output. Octets are lower-case hexadecimal. Each request has
// the members id, a number that the answer repeats, op, and key, a name of small letters,
// digits and hyphens. The program ends when its standard input does.
//
//	{"id":1,"op":"public","key":"csca"}                            → {"id":1,"public":SPKI}
//	{"id":2,"op":"generate","key":"csca","algorithm":"P-384"}      → {"id":2,"public":SPKI}
//	{"id":3,"op":"sign","key":"csca","scheme":S,"hash":H,"input":X} → {"id":3,"signature":X}
//	{"id":4,"op":"destroy","key":"csca"}                           → {"id":4}
//
// SPKI is a SubjectPublicKeyInfo in DER (RFC 5280). S is ecdsa (the signature in DER),
// rsa-pkcs1, rsa-pss (MGF1 of the same hash; the member salt is its length) or ed25519. H
// is SHA-256, SHA-384 or SHA-512 and input a digest; for ed25519 H is missing and input
// the message. Algorithms are those of Generate. A failure is
//
//	{"id":3,"error":E,"message":TEXT}
//
// where E is missing, exists, algorithm or refused. New members may come; a program passes
// over those that it does not know. Every signature is verified before it is handed on
// (ErrSignature). A program that does not answer in time (ErrTimeout), or not as said here
// (ErrHelper), is killed, and the next request starts it anew.
type Exec struct {
	Program string        // an absolute path; it gets no arguments and no shell
	Timeout time.Duration // for one answer; 0 is 30 seconds
	Stderr  io.Writer     // what the program has to say besides; nil: nobody hears it

	mu      sync.Mutex
	running *helper
}

// request and answer are the lines of the protocol.
type request struct {
	ID        uint64 `json:"id"`
	Op        string `json:"op"`
	Key       string `json:"key"`
	Algorithm string `json:"algorithm,omitempty"`
	Scheme    string `json:"scheme,omitempty"`
	Hash      string `json:"hash,omitempty"`
	Salt      int    `json:"salt,omitempty"`
	Input     string `json:"input,omitempty"`
}

type answer struct {
	ID        uint64 `json:"id"`
	Public    string `json:"public"`
	Signature string `json:"signature"`
	Error     string `json:"error"`
	Message   string `json:"message"`
}

// Signer opens a key: ErrMissing. Its Sign waits no longer than Timeout.
func (x *Exec) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	return x.open(ctx, request{Op: "public", Key: name})
}

// Generate has the program make a key: ErrExists, ErrAlgorithm.
func (x *Exec) Generate(ctx context.Context, name, algorithm string) (crypto.Signer, error) {
	return x.open(ctx, request{Op: "generate", Key: name, Algorithm: algorithm})
}

// Destroy has the program end a key: ErrMissing.
func (x *Exec) Destroy(ctx context.Context, name string) error {
	_, err := x.ask(ctx, request{Op: "destroy", Key: name})
	return err
}

func (x *Exec) open(ctx context.Context, r request) (crypto.Signer, error) {
	a, err := x.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	public, err := parsePublic(a.Public)
	if err != nil {
		return nil, fmt.Errorf("%s of key %s by %s: %w", r.Op, r.Key, x.Program, err)
	}
	return NewSigner(public, func(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
		return x.sign(r.Key, public, digest, opts)
	}), nil
}

func parsePublic(text string) (crypto.PublicKey, error) {
	der, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: public key: %w", ErrHelper, err)
	}
	if pub, err := x509.ParsePKIXPublicKey(der); err == nil {
		if ed, ok := pub.(ed25519.PublicKey); ok {
			return ed, nil
		}
	}
	pub, err := cert.ParsePublicKey(der)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: public key: %w", ErrHelper, err)
	case pub.EC != nil:
		return pub.EC, nil
	case pub.RSA != nil:
		return pub.RSA, nil
	}
	return nil, fmt.Errorf("%w: a public key that signs nothing", ErrHelper)
}

func (x *Exec) sign(name string, public crypto.PublicKey, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	r := request{Op: "sign", Key: name, Scheme: "ecdsa", Input: hex.EncodeToString(digest)}
	if h := opts.HashFunc(); h != 0 {
		r.Hash = h.String()
	}
	switch public.(type) {
	case ed25519.PublicKey:
		r.Scheme = "ed25519"
	case *rsa.PublicKey:
		r.Scheme = "rsa-pkcs1"
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			if pss.SaltLength <= 0 {
				return nil, fmt.Errorf("%w: RSA-PSS needs the length of its salt", ErrAlgorithm)
			}
			r.Scheme, r.Salt = "rsa-pss", pss.SaltLength
		}
	}
	a, err := x.ask(context.Background(), r)
	if err != nil {
		return nil, err
	}
	sig, err := hex.DecodeString(a.Signature)
	if err != nil {
		return nil, fmt.Errorf("sign with key %s by %s: %w: %w", name, x.Program, ErrHelper, err)
	}
	return sig, nil
}

// ask has the program do one thing.
func (x *Exec) ask(ctx context.Context, r request) (answer, error) {
	if err := CheckName(r.Key); err != nil {
		return answer{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	a, err := x.exchange(ctx, r)
	if err == nil {
		err = a.failure()
	}
	if err != nil {
		return answer{}, fmt.Errorf("%s of key %s by %s: %w", r.Op, r.Key, filepath.Base(x.Program), err)
	}
	return a, nil
}

// failure is what the program says went wrong.
func (a answer) failure() error {
	kind, ok := map[string]error{"missing": ErrMissing, "exists": ErrExists, "algorithm": ErrAlgorithm, "refused": ErrRefused}[a.Error]
	switch {
	case a.Error == "":
		return nil
	case !ok:
		return fmt.Errorf("%w: error %.32q: %.200q", ErrHelper, a.Error, a.Message)
	}
	return fmt.Errorf("%w: %.200q", kind, a.Message)
}
