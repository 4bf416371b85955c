package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/issuance/witness"
)

// The signing service of a home that has one: its folder, and its key in the ring, which is
// its name in the ledger too.
const (
	signerDir     = "signer"
	signerKeyName = "signer"
)

// signerConfig is where another machine's signing service listens, and by which certificates
// the two know each other: ca is the service's own, cert and key are this desk's.
type signerConfig struct {
	URL  string `toml:"url,omitempty"` // tls://host:port
	CA   string `toml:"ca,omitempty"`
	Cert string `toml:"cert,omitempty"`
	Key  string `toml:"key,omitempty"`

	Centre   bool `toml:"centre,omitempty"`   // that service makes the cards, too: this home has no key of a chip
	Imported bool `toml:"imported,omitempty"` // the home's own service signs for chips that have not made their keys, too
}

// making fills in who signs and makes the cards of an office: the services of another machine,
// as far as config.toml names them, else the home's own with the home's card master. With a
// centre no key of the home's ring is opened.
func (p *program) making(ctx context.Context, o *office, plan *desk.Personalisation) error {
	if p.conf.Signer.URL != "" {
		client, err := p.dialSigner()
		if err != nil {
			return err
		}
		o.Signing = client
		if p.conf.Signer.Centre {
			plan.Centre = &desk.Distant{Dial: client.Talk}
			return nil
		}
	}
	master, err := laterRing{p}.Deriver(ctx, masterKeyName)
	if err != nil {
		return err
	}
	if held, ok := master.(interface{ Destroy() }); ok {
		o.close = append(o.close, held.Destroy)
	}
	plan.Transport, plan.Master = p.supplied, master
	if o.Signing != nil {
		return nil
	}
	s, forget, err := p.service(ctx, o, master)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the office says so, should it want to sign
	}
	if err != nil {
		return err
	}
	o.close = append(o.close, forget)
	o.Signing = s
	return nil
}

// dialSigner is the client of the service that config.toml names.
func (p *program) dialSigner() (*signing.Client, error) {
	c := p.conf.Signer
	address, ok := strings.CutPrefix(c.URL, "tls://")
	if !ok {
		return nil, usagef("%s: [signer] url is tls://HOST:PORT", p.home.path(configFile))
	}
	own, err := tls.LoadX509KeyPair(p.inHome(c.Cert), p.inHome(c.Key))
	if err != nil {
		return nil, fmt.Errorf("the desk's certificate for the signing service: %w", err)
	}
	service, err := readCertificates(p.inHome(c.CA))
	if err != nil {
		return nil, err
	}
	return signing.Dial(address, own, service[0])
}

// readCertificates reads a PEM file of one certificate or more.
func readCertificates(path string) ([]*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: there is no certificate in it", path)
	}
	return list, nil
}

// service opens the home's own signing service; forget wipes its key. A home without one is
// fs.ErrNotExist.
func (p *program) service(ctx context.Context, o *office, master gp.Master) (_ *signing.Service, forget func(), err error) {
	if _, err := os.Stat(p.home.path(signerDir)); err != nil {
		return nil, nil, err
	}
	ring := o.Authority.Keys
	key, err := ring.Signer(ctx, signerKeyName)
	if err != nil {
		return nil, nil, err
	}
	forget = func() {
		if k, ok := key.(interface{ Destroy() }); ok {
			k.Destroy()
		}
	}
	options := signing.Options{
		Log: o.ledger, Operator: key, Keys: ring, PKI: os.DirFS(o.Authority.PKI), Status: statusList,
		CardKeys: desk.CardKeys(master), Documents: desk.Documents(), Imported: p.conf.Signer.Imported, Now: p.now, Logger: slog.New(said{p}),
	}
	if k, ok := o.Witnesses.(*witness.Keeper); ok && k != nil {
		options.Cover, options.Fresh = k.Cover, k.Within
		options.Quorum = k.Quorum
		for _, peer := range k.Peers {
			options.Witnesses = append(options.Witnesses, peer.Key)
		}
		if options.Quorum == 0 {
			options.Quorum = len(k.Peers)
		}
	}
	s, err := signing.Open(p.home.path(signerDir), options)
	if err != nil {
		forget()
	}
	return s, forget, err
}

// said is a log of warnings, each a line to the operator.
type said struct{ p *program }

func (said) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (s said) WithAttrs([]slog.Attr) slog.Handler         { return s }
func (s said) WithGroup(string) slog.Handler              { return s }

func (s said) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(", %s %v", a.Key, a.Value)
		return true
	})
	s.p.say("%s", line)
	return nil
}

// enrolService makes the signing service's own key and folder, and enrols the key with the
// signatures of the two administrators who act.
func enrolService(ctx context.Context, o *desk.Office, ring keystore.Ring, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("%s: %w", dir, fs.ErrExist)
	}
	key, err := ring.Generate(ctx, signerKeyName, "P-256")
	if err != nil {
		return err
	}
	if k, ok := key.(interface{ Destroy() }); ok {
		defer k.Destroy()
	}
	pin, err := o.EnrolService(ctx, key.Public(), signerKeyName)
	if err != nil {
		return errors.Join(err, ring.Destroy(ctx, signerKeyName)) // nobody knows this key
	}
	return signing.Create(dir, pin)
}
