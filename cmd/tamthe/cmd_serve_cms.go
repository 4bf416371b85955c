package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/osia/cms"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/eid/metrics"
)

type serveCMSOptions struct {
	systems, listen, cert, key string
	metrics, log               string
	init, makeToken            bool
}

func newServeCMS(p *program) *cobra.Command {
	var o serveCMSOptions
	cmd := &cobra.Command{
		Use:   "cms",
		Short: "Let systems of others order cards, and take what a biometric register calls back",
		Long: `Lets systems of others order cards and learn how they stand, as OSIA has it (cms 1.3). A request
becomes a case, which the desk takes over when its person is there (see intake); nothing that a
system sends makes a card. To suspend, let go or revoke one is an order, which waits for an officer
whose role it is (see order): 204 says that it was taken in, and the credential when it was done.
Where config.toml has [abis], the register calls back here too. /healthz says ok. Neither --log
nor --metrics is told of persons.

First --init makes osia.db, and what intake needs. --make-token prints a new bearer token and the
SHA-256 by which SYSTEMS knows it. SYSTEMS is a TOML file:

  authority = "Công an phường Mẫu"     # who issues, as requests and credentials have it
  [issuer]                             # who makes JSON Web Tokens, if anybody; sub is the id
  name = "https://sso.example"         # iss
  audience = "https://cms.example"     # aud
  keys = ["sso.pem"]                   # public keys, P-256 or Ed25519; paths begin at this file
  [[system]]
  id = "enrolment-hn"
  scopes = ["cms.request.write", "cms.request.read", "cms.credential.read"]
                                       # orders take cms.credential.write; there is cms.profile.read
  tokens = ["b5bb9d80…"]               # SHA-256 of tokens that are no JWT
  certificate = "enrolment-hn.crt"     # then it is known by its token over TLS with this only
  purpose = "cấp thẻ căn cước"         # for which persons' data come here
  rate = 120                           # calls a minute
  everyone = false                     # it sees its own credentials only

Once it listens it prints "ready" and its address, behind which the paths begin with /v1; SIGINT
or SIGTERM stops it. Elsewhere than on this machine it is served with --cert and --key only. After
vault rotate it is started again.
`,
		Example: "  tamthe serve cms --init\n  tamthe serve cms --systems systems.toml --listen 127.0.0.1:7056",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.init:
				return runInitCMS(cmd.Context(), p)
			case o.makeToken:
				return runMakeToken(p)
			}
			return runServeCMS(cmd.Context(), p, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.init, "init", false, "make what the home needs for it, and do nothing else")
	f.BoolVar(&o.makeToken, "make-token", false, "print a new bearer token and its SHA-256, and do nothing else")
	f.StringVar(&o.systems, "systems", "", "`FILE` of the systems")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.cert, "cert", "", "`FILE` of its certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	f.StringVar(&o.metrics, "metrics", "", "`ADDRESS` on this machine to show /metrics at (else nowhere)")
	f.StringVar(&o.log, "log", "", "`FILE` to write the log to as well, as JSON")
	return cmd
}

func runInitCMS(ctx context.Context, p *program) error {
	path := p.home.path(osiaFile)
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	if err := p.makeIntake(ctx); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := sqlite.CreateOSIA(ctx, path); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
	}{"tamthe/serve-cms-init/1", path}, path, path)
}

// runMakeToken prints a token: 256 bits, so that its digest tells nothing.
func runMakeToken(p *program) error {
	var b [32]byte
	rand.Read(b[:])
	token := hex.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(token))
	return p.result(struct {
		Schema string `json:"schema"`
		Token  string `json:"token"`
		SHA256 string `json:"sha256"`
	}{"tamthe/serve-cms-token/1", token, hex.EncodeToString(sum[:])}, token, token+"\n"+hex.EncodeToString(sum[:]))
}

func runServeCMS(ctx context.Context, p *program, o serveCMSOptions) error {
	if o.systems == "" || (o.cert == "") != (o.key == "") {
		return usagef("--systems says who may order; --cert and --key go together")
	}
	c, err := readSystems(o.systems)
	if err != nil {
		return err
	}
	store, err := p.openOSIA(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	counter, office, err := p.counter(ctx, sweeping)
	if err != nil {
		return err
	}
	defer office.done()
	key, err := laterRing{p}.Signer(ctx, intakeKey)
	if err != nil {
		return err
	}
	defer forget(key)
	receipts, err := intake.NewOfficeSigner(key)
	if err != nil {
		return err
	}
	sign := func(portal string) (*intake.Signer, error) { return intake.NewSigner(key, portal) }
	gateway, err := desk.NewGateway(counter, store, c.Systems, sign, receipts, p.now)
	if err != nil {
		return err
	}
	if err := gateway.Sweep(ctx); err != nil { // what an earlier run left
		return err
	}
	c.Profile = cms.Profile{ID: desk.Profile, Name: "Căn cước (SPECIMEN)", Description: "Vietnamese identity card with a chip"}
	c.Office, c.Store, c.Now = gateway, store, p.now
	return o.serve(ctx, p, c, gateway, &abis.Receiver{Store: store, Seal: counter.SealAnswer, Now: p.now})
}

// serve runs the service that c describes until ctx ends.
func (o serveCMSOptions) serve(ctx context.Context, p *program, c cms.Config, gateway *desk.Gateway, back *abis.Receiver) error {
	log, done, err := p.logTo(o.log)
	if err != nil {
		return err
	}
	defer done()
	c.Log, back.Log = log, log
	s, err := cms.New(c)
	if err != nil {
		return fmt.Errorf("%s: %w", o.systems, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler())
	if p.conf.ABIS.URL != "" {
		mux.Handle(abis.CallbackPath, back.Handler())
	}
	counts := metrics.New()
	if err := countCommands(ctx, counts, c.Store); err != nil {
		return err
	}
	shown, err := listenMetrics(ctx, o.metrics)
	if err != nil {
		return err
	}
	l, scheme, err := listenClients(ctx, o.listen, o.cert, o.key, true)
	if err != nil {
		return errors.Join(err, shown.close())
	}
	shown.serve(counts.Handler())
	swept := make(chan struct{})
	sweeping, stop := context.WithCancel(ctx)
	go func() {
		defer close(swept)
		sweepPortraits(sweeping, gateway, func(err error) { log.Warn("portraits are left to be wiped", "err", err) })
	}()
	fmt.Fprintf(p.out, "ready %s://%s\n", scheme, l.Addr())
	err = errors.Join(serveWeb(ctx, l, counts.Web(mux)), shown.close())
	stop()
	<-swept
	return err
}

// sweepPortraits wipes every hour what is not needed any more, until ctx ends.
func sweepPortraits(ctx context.Context, g *desk.Gateway, failed func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
		if err := g.Sweep(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

// countCommands shows how many orders wait for an officer.
func countCommands(ctx context.Context, m *metrics.Metrics, store cms.Store) error {
	return m.Gauge("cms_orders_waiting", "Orders of other systems that wait for an officer.", func() float64 {
		list, err := store.Commands(ctx, cms.Waiting)
		if err != nil {
			return math.NaN() // it is not known
		}
		return float64(len(list))
	})
}
