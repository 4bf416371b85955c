package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// osiaFile is what other systems asked of the office, and it of a biometric register.
const osiaFile = "osia.db"

// abisConfig is which biometric register the office asks.
type abisConfig struct {
	URL       string `toml:"url,omitempty"` // before /v1
	Gallery   string `toml:"gallery,omitempty"`
	TokenFile string `toml:"token_file,omitempty"`
	CA        string `toml:"ca,omitempty"`
	Callback  string `toml:"callback,omitempty"` // by which the register knows `serve cms`; empty: it answers at once
	Hours     int    `toml:"hours,omitempty"`    // how long an answer is waited for; 72 if 0
}

// biometric is the biometric register that config.toml names; nil if it names none.
func (p *program) biometric(ctx context.Context, o *office) (*desk.Biometric, error) {
	c := p.conf.ABIS
	if c.URL == "" {
		return nil, nil
	}
	if !unheard(c.URL) || c.Callback != "" && !unheard(c.Callback) {
		return nil, usagef("%s: [abis] url and callback are https:// addresses", p.home.path(configFile))
	}
	if c.Gallery == "" || c.Hours < 0 {
		return nil, usagef("%s: [abis] gallery says where faces are kept and looked for; hours is not negative", p.home.path(configFile))
	}
	b, err := os.ReadFile(p.inHome(c.TokenFile))
	if err != nil {
		return nil, fmt.Errorf("the token for the biometric register: %w", err)
	}
	client := &http.Client{Timeout: 30 * time.Second}
	if c.CA != "" {
		list, err := readCertificates(p.inHome(c.CA))
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		for _, one := range list {
			pool.AddCert(one)
		}
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	}
	store, err := p.openOSIA(ctx)
	if err != nil {
		return nil, err
	}
	o.close = append(o.close, func() { _ = store.Close() })
	patience := 72 * time.Hour
	if c.Hours > 0 {
		patience = time.Duration(c.Hours) * time.Hour
	}
	return &desk.Biometric{
		Client: &abis.Client{URL: c.URL, Token: abis.Secret(strings.TrimSpace(string(b))), Gallery: c.Gallery, Back: c.Callback, HTTP: client},
		Store:  store, Patience: patience,
	}, nil
}

// openOSIA opens the home's record of other systems.
func (p *program) openOSIA(ctx context.Context) (*sqlite.OSIA, error) {
	path := p.home.path(osiaFile)
	store, err := sqlite.OpenOSIA(ctx, path)
	if errors.Is(err, ledger.ErrMissing) {
		return nil, hintBoth(fmt.Errorf("%s: %w", path, fs.ErrNotExist), wordNoOSIA)
	}
	return store, err
}
