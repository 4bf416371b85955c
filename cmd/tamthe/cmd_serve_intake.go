package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/eid/metrics"
)

// What the home of an office that takes cases in from portals has besides.
const (
	intakeFile = "intake.db"
	intakeKey  = "intake" // signs receipts
)

type serveIntakeOptions struct {
	portals, listen, url, cert, key string
	metrics, log                    string
	init                            bool
}

func newServeIntake(p *program) *cobra.Command {
	var o serveIntakeOptions
	cmd := &cobra.Command{
		Use:   "intake",
		Short: "Take in applications that citizens made at portals",
		Long: `Takes in what citizens filed at portals, for the desk to go on with (see intake). A portal's
message is JSON, signed by the portal's key; what it says of a person is sealed with the vault's
keys before it is stored in intake.db of the home, and a signed receipt leaves only after that.
The same message again has the same receipt; messages of a case may come in any order. Whoever
has a receipt's code can ask how the case stands, and a portal asks for all that changed: both
follow the ledger. What is served is described at /openapi.json; the keys of receipts are at
/intake/v1/keys; /healthz says ok. Neither --log nor --metrics is told of persons.

First --init makes intake.db and the key of receipts. PORTALS is a TOML file:

  [[portal]]
  id = "dvc"
  name = "Cổng dịch vụ công"
  keys = ["dvc.pem"]                   # public keys, P-256 or Ed25519; paths begin at this file
  purposes = ["cấp lại thẻ căn cước"]
  reasons = ["lost", "damaged"]        # for which it may ask for cards; all unless named
  rate = 120                           # messages a minute
  octets = 16384                       # of a message at most
  hours = 72                           # how long a portal's queue may wait

Once it listens it prints "ready" and its address; SIGINT or SIGTERM stops it. Elsewhere than
on this machine it is served with --cert and --key only; --url then says by which address all
know it: messages are signed for that. After vault rotate it is started again.
`,
		Example: "  tamthe serve intake --init\n  tamthe serve intake --portals portals.toml --listen 127.0.0.1:7070",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.init {
				return runInitIntake(cmd.Context(), p)
			}
			return runServeIntake(cmd.Context(), p, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.init, "init", false, "make what the home needs for it, and do nothing else")
	f.StringVar(&o.portals, "portals", "", "`FILE` of the portals")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.url, "url", "", "by which `URL` all know the service (else where it listens)")
	f.StringVar(&o.cert, "cert", "", "`FILE` of its certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	f.StringVar(&o.metrics, "metrics", "", "`ADDRESS` on this machine to show /metrics at (else nowhere)")
	f.StringVar(&o.log, "log", "", "`FILE` to write the log to as well, as JSON")
	return cmd
}

func runInitIntake(ctx context.Context, p *program) error {
	if err := p.makeIntake(ctx); err != nil {
		return err
	}
	path := p.home.path(intakeFile)
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
	}{"tamthe/serve-intake-init/1", path}, path, path)
}

// makeIntake makes what the home needs to take cases in; fs.ErrExist if it has it.
func (p *program) makeIntake(ctx context.Context) error {
	path := p.home.path(intakeFile)
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	c, err := office.ledger.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if _, err := (laterRing{p}).Generate(ctx, intakeKey, "P-256"); err != nil && !errors.Is(err, keystore.ErrExists) {
		return err
	}
	return sqlite.CreateIntake(ctx, path, c.Size)
}

// portalTOML is a portal in the file.
type portalTOML struct {
	ID       string   `toml:"id"`
	Name     string   `toml:"name"`
	Keys     []string `toml:"keys"`
	Purposes []string `toml:"purposes"`
	Reasons  []string `toml:"reasons"`
	Rate     int      `toml:"rate"`
	Octets   int      `toml:"octets"`
	Hours    int      `toml:"hours"`
}

func readPortals(path string) ([]intake.Portal, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Portal []portalTOML `toml:"portal"`
	}
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&file); err != nil {
		return nil, fmt.Errorf("%s%w", path, tomlError(err))
	}
	var list []intake.Portal
	for _, t := range file.Portal {
		switch {
		case t.ID == "" || checkWord("id", t.ID) != nil:
			return nil, fmt.Errorf("%s: a portal's id is one word of small letters, digits and hyphens", path)
		case len(t.Keys) == 0 || len(t.Purposes) == 0:
			return nil, fmt.Errorf("%s: %s: keys and purposes are missing", path, t.ID)
		case slices.ContainsFunc(t.Reasons, func(r string) bool { return !slices.Contains(issuance.EnrolReasons(), r) }):
			return nil, fmt.Errorf("%s: %s: a reason for which no card is made", path, t.ID)
		case t.Rate < 0 || t.Octets < 0 || t.Hours < 0 || t.Octets > intake.MaxMessage:
			return nil, fmt.Errorf("%s: %s: rate, octets (at most %d) and hours are not negative", path, t.ID, intake.MaxMessage)
		}
		one := intake.Portal{
			ID: t.ID, Name: first(t.Name, t.ID), Purposes: t.Purposes, Reasons: t.Reasons, Rate: t.Rate, Size: t.Octets,
			Window: time.Duration(t.Hours) * time.Hour,
		}
		for _, name := range t.Keys {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(path), name)
			}
			key, err := readPublicKey(name)
			if err != nil {
				return nil, err
			}
			one.Keys = append(one.Keys, key)
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, hint(fmt.Errorf("%s: no portal may file", path), "see `tamthe serve intake --help`")
	}
	return list, nil
}

// readPublicKey reads a PEM file of one public key.
func readPublicKey(path string) (crypto.PublicKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s: not one public key in PEM", path)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err == nil {
		err = intake.CheckKey(key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// openIntake opens what portals filed at this home.
func (p *program) openIntake(ctx context.Context) (*sqlite.Intake, error) {
	path := p.home.path(intakeFile)
	store, err := sqlite.OpenIntake(ctx, path)
	if errors.Is(err, ledger.ErrMissing) {
		return nil, hintBoth(fmt.Errorf("%s: %w", path, fs.ErrNotExist), wordNoIntake)
	}
	return store, err
}

// counter is an office where what portals filed is at hand; see done.
func (p *program) counter(ctx context.Context, why purpose) (*desk.Counter, *office, error) {
	store, err := p.openIntake(ctx)
	if err != nil {
		return nil, nil, err
	}
	o, err := p.openOffice(ctx, why)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	o.close = append(o.close, func() { _ = store.Close() })
	return &desk.Counter{Office: o.Office, Store: store}, o, nil
}

func runServeIntake(ctx context.Context, p *program, o serveIntakeOptions) error {
	if o.portals == "" || (o.cert == "") != (o.key == "") {
		return usagef("--portals says who may file; --cert and --key go together")
	}
	c := intake.Config{URL: o.url, Now: p.now}
	var err error
	if c.Portals, err = readPortals(o.portals); err != nil {
		return err
	}
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
	if c.Signer, err = intake.NewOfficeSigner(key); err != nil {
		return err
	}
	if err := counter.Follow(ctx); err != nil { // what an earlier run left
		return err
	}
	c.Store, c.Vault, c.Ledger = counter.Store, counter, counter
	return o.serve(ctx, p, c)
}

// serve runs the service that c describes until ctx ends.
func (o serveIntakeOptions) serve(ctx context.Context, p *program, c intake.Config) error {
	log, done, err := p.logTo(o.log)
	if err != nil {
		return err
	}
	defer done()
	c.Log = log
	counts := metrics.New()
	if err := countCases(ctx, counts, c.Store); err != nil {
		return err
	}
	shown, err := listenMetrics(ctx, o.metrics)
	if err != nil {
		return err
	}
	l, scheme, err := listenWeb(ctx, o.listen, o.cert, o.key)
	if err != nil {
		return errors.Join(err, shown.close())
	}
	c.URL = first(c.URL, scheme+"://"+l.Addr().String())
	s, err := intake.New(c)
	if err != nil {
		return errors.Join(err, l.Close(), shown.close())
	}
	shown.serve(counts.Handler())
	fmt.Fprintf(p.out, "ready %s\n", c.URL)
	return errors.Join(serveWeb(ctx, l, counts.Web(s.Handler())), shown.close())
}

// countCases shows how many cases there are in each state.
func countCases(ctx context.Context, m *metrics.Metrics, store intake.Store) error {
	s, ok := store.(interface {
		Counts(ctx context.Context, in intake.State) (int, error)
	})
	if !ok {
		return nil
	}
	var errs []error
	for _, state := range intake.States() {
		errs = append(errs, m.Gauge("intake_cases", "Cases by how they stand.", func() float64 {
			n, err := s.Counts(ctx, state)
			if err != nil {
				return math.NaN() // it is not known
			}
			return float64(n)
		}, "state", string(state)))
	}
	return errors.Join(errs...)
}
