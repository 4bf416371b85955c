package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/verify/durable"
)

type serveSignerOptions struct {
	listen, cert, key, makeCert string
	clients                     []string
}

func newServe(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Run a service for offices, desks and portals",
		Long:    "Runs a service: the office's web console, the authority's for desks on other machines or\nunder other users, e-authentication for portals, intake of what portals file and other systems\norder, the appending of what desks hand in, published lists of card status for devices, or a\nregister of invented citizens or of their faces for trying out.\n",
		Example: "  tamthe serve signer --listen 192.0.2.9:7043 --cert signer.crt --key signer.key --clients desk.crt",
	}
	cmd.AddCommand(newServeSigner(p), newServeRegister(p), newServeEID(p), newServeConsole(p), newServeIntake(p), newServeCMS(p), newServeABIS(p), newServeLedger(p), newServeStatus(p))
	return family(cmd)
}

func newServeSigner(p *program) *cobra.Command {
	var o serveSignerOptions
	cmd := &cobra.Command{
		Use:   "signer",
		Short: "Sign cards for desks, with document signers' keys that no desk holds",
		Long: `Runs the signing service of this home: it signs the cards that the ledger says two persons
approved, and nothing else. It and each desk show one certificate, and know each other's octet
for octet. Once it listens it prints "ready" and its address; SIGINT or SIGTERM stops it.

The service has a home of its own, SIGNER below, on the machine of the office's home, OFFICE,
whose ledger it uses. Run under another user it must be let at the ledger's files and OFFICE/pki
by the group. Before pki csca, move there what init made:

  mkdir -p SIGNER/keys SIGNER/checkpoints
  mv OFFICE/signer SIGNER/ && mv OFFICE/keys/signer SIGNER/keys/
  cp OFFICE/keys/log OFFICE/keys/card-master OFFICE/keys/status SIGNER/keys/
  mv OFFICE/keys/operator-CUSTODIAN … SIGNER/keys/     # both custodians'
  ln -s OFFICE/pki OFFICE/trust SIGNER/                # public files, the same for both

The custodians then run pki csca, pki ds, pki crl and keys with TAMTHE_HOME=SIGNER and
TAMTHE_LEDGER=sqlite:OFFICE/ledger.db: the CSCA's and the document signers' keys are made in
the service's ring ([keys] of SIGNER/config.toml: a folder or a token), and the desk never holds
one. Make the two certificates, each where its key stays, and carry the .crt files across:

  tamthe serve signer --make-cert SIGNER/signer        # signer.crt and signer.key
  tamthe serve signer --make-cert OFFICE/desk          # desk.crt and desk.key

Start the service with the same two variables, and name it in OFFICE/config.toml; paths there
begin at the home:

  [signer]
  url = "tls://192.0.2.9:7043"
  ca = "signer.crt"       # the service's certificate
  cert = "desk.crt"       # this desk's
  key = "desk.key"

With centre = true there, the service also makes the desk's cards: it holds the card master and
the transport keys, and sends the desk's reader a few scripts of commands that only the chip
can read. Then move the card master rather than copying it, and take transport keys in with
TAMTHE_HOME=SIGNER: the desk's home has no key of a chip any more. Only what the log says two
persons approved is made, for the personaliser who signs for it.
`,
		Example: "  tamthe serve signer --make-cert signer\n  tamthe serve signer --listen 192.0.2.9:7043 --cert signer.crt --key signer.key --clients desk.crt",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.makeCert != "" {
				return runMakeCert(p, o)
			}
			return runServeSigner(cmd.Context(), p, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.cert, "cert", "", "`FILE` of the service's own certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	f.StringSliceVar(&o.clients, "clients", nil, "`FILES` of the desks' certificates, PEM; nobody else is answered")
	f.StringVar(&o.makeCert, "make-cert", "", "make a certificate `NAME`.crt and its key NAME.key, print its SHA-256, and serve nothing")
	return cmd
}

func runServeSigner(ctx context.Context, p *program, o serveSignerOptions) error {
	if o.cert == "" || o.key == "" || len(o.clients) == 0 {
		return usagef("--cert, --key and --clients say who talks to whom")
	}
	own, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return fmt.Errorf("the service's certificate: %w", err)
	}
	var clients []*x509.Certificate
	for _, path := range o.clients {
		list, err := readCertificates(path)
		if err != nil {
			return err
		}
		clients = append(clients, list...)
	}
	office, err := p.openOffice(ctx, serving)
	if err != nil {
		return err
	}
	defer office.done()
	master, err := laterRing{p}.Deriver(ctx, masterKeyName)
	if err != nil {
		return err
	}
	defer forget(master)
	s, forgetKey, err := p.service(ctx, office, master)
	if errors.Is(err, fs.ErrNotExist) {
		return hint(fmt.Errorf("%s is not the home of a signing service: %w", p.home, err), "`tamthe serve signer --help` says how to make one")
	}
	if err != nil {
		return err
	}
	defer forgetKey()
	if err := s.Follow(ctx); err != nil { // a log that is not ours is told at once
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	centre := desk.NewCentre(s, office.ledger, master, p.supplied, p.now)
	fmt.Fprintf(p.out, "ready %s\n", listener.Addr())
	if err := signing.Serve(ctx, listener, s, own, clients, slog.New(said{p}), centre.Conduct); err != nil {
		return err
	}
	return ctx.Err()
}

// runMakeCert makes one end's certificate: self-signed, for the other end pins it.
func runMakeCert(p *program, o serveSignerOptions) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "SPECIMEN " + filepath.Base(o.makeCert)},
		NotBefore: p.now(), NotAfter: p.now().AddDate(10, 0, 0), SerialNumber: new(big.Int).SetInt64(time.Now().UnixNano()),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: private}
	if err := durable.Export(o.makeCert+".key", pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	clear(private)
	path := o.makeCert + ".crt"
	if err := durable.Export(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(der))
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
		SHA256 string `json:"sha256"`
	}{"tamthe/serve-signer-cert/1", path, sum}, path, sum)
}
