package portal

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tamthe/tamthe/issuance/intake"
)

type options struct {
	listen, url, eid, client, secret, intake, office, id, key, outbox, purpose, makeKey string
	every                                                                               time.Duration
}

const usage = `Sample-portal is a small public service portal, on this machine only. It logs a citizen in by
OpenID Connect at "tamthe serve eid" and files an application at "tamthe serve intake".

  sample-portal -make-key dvc           # dvc.key, and dvc.pem for the office's portals.toml
  sample-portal -id dvc -key dvc.key -outbox ./outbox -listen 127.0.0.1:7080 \
    -eid http://127.0.0.1:7060 -client dvc -secret-file dvc.secret -intake http://127.0.0.1:7070

`

// Main is the program; what it returns is its exit status.
func Main(ctx context.Context, args []string, out, errw io.Writer) int {
	var o options
	f := flag.NewFlagSet("sample-portal", flag.ContinueOnError)
	f.SetOutput(errw)
	f.Usage = func() {
		io.WriteString(errw, usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.listen, "listen", "127.0.0.1:7080", "`address` to listen at, of this machine")
	f.StringVar(&o.url, "url", "", "by which `URL` browsers know the portal (else where it listens)")
	f.StringVar(&o.eid, "eid", "", "`URL` of serve eid")
	f.StringVar(&o.client, "client", "", "the portal's `name` there")
	f.StringVar(&o.secret, "secret-file", "", "`file` with its secret there")
	f.StringVar(&o.intake, "intake", "", "`URL` of serve intake")
	f.StringVar(&o.office, "office-keys", "", "`file` of the office's keys as the office handed it over (else those of the first time are believed)")
	f.StringVar(&o.id, "id", "", "the portal's `name` at serve intake")
	f.StringVar(&o.key, "key", "", "`file` of the portal's key, PEM")
	f.StringVar(&o.outbox, "outbox", "outbox", "`folder` of what was filed")
	f.StringVar(&o.purpose, "purpose", "cấp lại thẻ căn cước", "what is filed for, as the agreement has it")
	f.StringVar(&o.makeKey, "make-key", "", "make `NAME`.key and NAME.pem, and do nothing else")
	f.DurationVar(&o.every, "every", 5*time.Second, "how often what waits is sent again")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	var err error
	if o.makeKey != "" {
		err = makeKey(o.makeKey)
	} else {
		err = run(ctx, o, out)
	}
	if err != nil {
		fmt.Fprintf(errw, "sample-portal: %v\n", err)
		return 1
	}
	return 0
}

// makeKey makes the key that the portal signs with, and its public half for the office.
func makeKey(name string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	for _, w := range []struct {
		path, kind string
		der        []byte
	}{{name + ".key", "PRIVATE KEY", der}, {name + ".pem", "PUBLIC KEY", spki}} {
		f, err := os.OpenFile(w.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		err = pem.Encode(f, &pem.Block{Type: w.kind, Bytes: w.der})
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func readKey(path string) (crypto.Signer, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s: no key in PEM", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: no key in PEM", path)
	}
	s, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: no key that signs", path)
	}
	return s, nil
}

// officeKeys are what the office's answers verify under: those of a file, else those that the
// service showed the first time, which stay in the outbox.
func officeKeys(ctx context.Context, c *intake.Client, file, kept string) ([]crypto.PublicKey, error) {
	path := file
	if path == "" {
		path = kept
	}
	b, err := os.ReadFile(path)
	if err == nil {
		return intake.ParseKeys(b)
	}
	if file != "" || !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if b, err = c.KeySet(ctx); err != nil {
		return nil, err
	}
	keys, err := intake.ParseKeys(b)
	if err != nil {
		return nil, err
	}
	return keys, os.WriteFile(kept, b, 0o600)
}

func run(ctx context.Context, o options, out io.Writer) error {
	if o.eid == "" || o.client == "" || o.secret == "" || o.intake == "" || o.id == "" || o.key == "" {
		return errors.New("-eid, -client, -secret-file, -intake, -id and -key are needed; see -help")
	}
	host, _, err := net.SplitHostPort(o.listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return errors.New("-listen: it serves this machine only")
	}
	secret, err := os.ReadFile(o.secret)
	if err != nil {
		return err
	}
	key, err := readKey(o.key)
	if err != nil {
		return err
	}
	c := Config{EID: o.eid, Client: o.client, Secret: strings.TrimSpace(string(secret)), Purpose: o.purpose, Now: time.Now}
	c.Intake = &intake.Client{URL: o.intake, Portal: o.id}
	if c.Intake.Signer, err = intake.NewSigner(key, o.id); err != nil {
		return err
	}
	if c.Outbox, err = OpenOutbox(o.outbox); err != nil {
		return err
	}
	if c.Intake.Office, err = officeKeys(ctx, c.Intake, o.office, filepath.Join(o.outbox, "office.jwks")); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	if c.URL = o.url; c.URL == "" {
		c.URL = "http://" + l.Addr().String()
	}
	p, err := New(c)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	fmt.Fprintf(out, "ready %s\n", c.URL)
	return serve(ctx, l, p, o.every)
}

// serve answers and sends what waits until ctx ends.
func serve(ctx context.Context, l net.Listener, p *Portal, every time.Duration) error {
	web := &http.Server{Handler: p.Handler(), ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	working, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { p.c.Outbox.Work(working, p.c.Intake, every, p.c.Now) })
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(l) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		err = web.Shutdown(rest)
		cancel()
		<-ended
	}
	stop()
	work.Wait()
	return err
}
