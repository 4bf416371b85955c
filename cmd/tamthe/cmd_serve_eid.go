package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/metrics"
	"github.com/tamthe/tamthe/verify/eid/openid"
	"github.com/tamthe/tamthe/verify/status"
)

// The files of a service of e-authentication, in a folder of its own.
const (
	eidKey    = "assertions"
	eidNames  = "names"
	eidLogins = "logins.db"
)

type serveEIDOptions struct {
	verifyOptions
	dir, parties, listen, url, cert, key string
	agent                                string
	metrics, log                         string
	init, credentials                    bool
}

func newServeEID(p *program) *cobra.Command {
	var o serveEIDOptions
	cmd := &cobra.Command{
		Use:   "eid",
		Short: "Run e-authentication: portals rely on citizens' cards",
		Long: `Runs the service of e-authentication. A portal asks for named fields for a named purpose; the
citizen's agent (see agent) shows who asks for what, opens the card, and the chip proves itself
for this login and no other; the service judges by --trust and the policy (online unless named),
keeps what it decided in DIR/logins.db, and only then answers with a signed assertion. A card
alone is acr possession. It is an OpenID Connect provider too (code with PKCE; a field is asked
for by the scope eid:FIELD). What else it serves is described at /openapi.json.

First make DIR with --init: a key for assertions, a secret for citizens' names, which are
others for each sector, and an empty record. PARTIES is a TOML file:

  [[party]]
  id = "tax"
  name = "Cục Thuế"
  kind = "state"                       # organisation, individual
  purposes = ["nộp tờ khai thuế"]
  fields = ["name", "number"]          # any of those below
  level = "possession"                 # or holder, where a counter is attended
  secret_sha256 = "…"                  # of what it signs in with
  redirects = ["https://…/back"]       # of OpenID Connect
  proofs = ["active"]                  # that each login needs: active, agreement; [] is any;
                                       # relay: the service reads the card itself;
                                       # a card that can sign always has to
  rate = 60                            # logins a minute

The fields are ` + strings.Join(eid.Fields()[:6], ", ") + `,
` + strings.Join(eid.Fields()[6:], ", ") + `.

Once it listens it prints "ready" and its address; /healthz and /readyz say how it is. SIGINT or
SIGTERM stops it: what is being answered is, no login begins. Neither --log nor --metrics, which
is for Prometheus, has a word of who a citizen is. Elsewhere than
on this machine it is served with --cert and --key only; --url then says by which address all
know it: it is part of what the chip signs.
`,
		Example: "  tamthe serve eid --dir ./eid --init\n  tamthe serve eid --dir ./eid --parties parties.toml --trust ./trust --listen 127.0.0.1:7060",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.dir == "":
				return usagef("--dir names the service's folder")
			case o.init:
				return runInitEID(cmd.Context(), p, o.dir)
			}
			return runServeEID(cmd.Context(), p, o)
		},
	}
	o.judgeFlags(cmd, "online")
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "`FOLDER` of the service")
	f.BoolVar(&o.init, "init", false, "make that folder, and do nothing else")
	f.BoolVar(&o.credentials, "credentials", false, "issue credentials to citizens, too, which follow their cards (see agent credential)")
	f.StringVar(&o.parties, "parties", "", "`FILE` of who may ask for what")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.agent, "agent", "http://"+agentAddress, "`URL` at which login pages look for the agent of the citizen's own machine (see agent serve)")
	f.StringVar(&o.url, "url", "", "by which `URL` all know the service (else where it listens)")
	f.StringVar(&o.cert, "cert", "", "`FILE` of its certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	f.StringVar(&o.metrics, "metrics", "", "`ADDRESS` on this machine to show /metrics at (else nowhere)")
	f.StringVar(&o.log, "log", "", "append what is decided to this `FILE`, a JSON document a line")
	return cmd
}

func runInitEID(ctx context.Context, p *program, dir string) error {
	if err := vacant(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	keys := keystore.Folder{Dir: dir}
	if _, err := keys.Generate(ctx, eidKey, "P-256"); err != nil {
		return err
	}
	if err := keys.GenerateSecret(ctx, eidNames, keystore.UseNames); err != nil {
		return err
	}
	if err := sqlite.CreateLogins(ctx, filepath.Join(dir, eidLogins)); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Folder string `json:"folder"`
	}{"tamthe/serve-eid-init/1", dir}, dir, dir)
}

// partyTOML is a relying party in the file.
type partyTOML struct {
	ID        string   `toml:"id"`
	Name      string   `toml:"name"`
	Kind      string   `toml:"kind"`
	Purposes  []string `toml:"purposes"`
	Fields    []string `toml:"fields"`
	Level     string   `toml:"level"`
	Attended  bool     `toml:"attended"`
	Rate      int      `toml:"rate"`
	Proofs    []string `toml:"proofs"`
	Sector    string   `toml:"sector"`
	Secret    string   `toml:"secret_sha256"`
	Redirects []string `toml:"redirects"`
}

func readParties(path string) ([]eid.Party, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Party []partyTOML `toml:"party"`
	}
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&file); err != nil {
		return nil, fmt.Errorf("%s%w", path, tomlError(err))
	}
	var list []eid.Party
	for _, t := range file.Party {
		secret, err := hex.DecodeString(t.Secret)
		known := !slices.ContainsFunc(t.Fields, func(f string) bool { return !slices.Contains(eid.Fields(), f) })
		level := eid.Level(first(t.Level, string(eid.Possession)))
		switch {
		case t.ID == "" || checkWord("id", t.ID) != nil:
			return nil, fmt.Errorf("%s: a party's id is one word of small letters, digits and hyphens", path)
		case err != nil || len(secret) != sha256.Size:
			return nil, fmt.Errorf("%s: %s: secret_sha256 is 64 hexadecimal digits", path, t.ID)
		case !slices.Contains([]string{"state", "organisation", "individual"}, t.Kind):
			return nil, fmt.Errorf("%s: %s: kind is state, organisation or individual", path, t.ID)
		case !known:
			return nil, fmt.Errorf("%s: %s: a field that no card has", path, t.ID)
		case level != eid.Possession && level != eid.Holder:
			return nil, fmt.Errorf("%s: %s: level is possession or holder", path, t.ID)
		}
		list = append(list, eid.Party{
			ID: t.ID, Name: first(t.Name, t.ID), Kind: t.Kind, Purposes: t.Purposes, Fields: t.Fields, Level: level, Attended: t.Attended, Rate: t.Rate, Proofs: t.Proofs,
			Sector: t.Sector, Secret: [32]byte(secret), Redirects: t.Redirects,
		})
	}
	if len(list) == 0 {
		return nil, hint(fmt.Errorf("%s: nobody may ask", path), "see `tamthe serve eid --help`")
	}
	return list, nil
}

func runServeEID(ctx context.Context, p *program, o serveEIDOptions) error {
	if o.parties == "" || (o.cert == "") != (o.key == "") {
		return usagef("--parties says who may ask; --cert and --key go together")
	}
	if u, err := url.Parse(o.agent); err != nil || u.Scheme != "http" || !unheard(o.agent) || "http://"+u.Host != o.agent {
		return usagef("--agent is http:// and an address of the citizen's own machine, such as http://%s", agentAddress)
	}
	c := eid.Config{URL: o.url, Now: p.now}
	var err error
	if c.Parties, err = readParties(o.parties); err != nil {
		return err
	}
	if c.Options, err = o.options(p, "online"); err != nil {
		return err
	}
	lists := c.Options.Status
	source, done := p.statusSource(ctx, lists)
	defer done()
	c.Options.Status = source
	keys := keystore.Folder{Dir: o.dir}
	key, err := keys.Signer(ctx, eidKey)
	if errors.Is(err, keystore.ErrMissing) {
		return hint(err, "make the folder with `tamthe serve eid --init`")
	}
	if err != nil {
		return err
	}
	defer forget(key)
	if c.Signer, err = eid.NewSigner(key); err != nil {
		return err
	}
	names, err := keys.Secret(ctx, eidNames, keystore.UseNames)
	if err != nil {
		return err
	}
	defer names.Destroy()
	c.Pairwise = names.Bytes()
	store, err := sqlite.OpenLogins(ctx, filepath.Join(o.dir, eidLogins))
	if err != nil {
		return err
	}
	defer store.Close()
	c.Store = store
	return o.serve(ctx, p, c, lists)
}

// serve runs the service that c describes until ctx ends.
func (o serveEIDOptions) serve(ctx context.Context, p *program, c eid.Config, lists verify.StatusSource) error {
	c.Metrics = metrics.New()
	if err := listAges(c, lists); err != nil {
		return err
	}
	log, done, err := p.logTo(o.log)
	if err != nil {
		return err
	}
	defer done()
	c.Log = log
	shown, err := listenMetrics(ctx, o.metrics)
	if err != nil {
		return err
	}
	l, scheme, err := listenWeb(ctx, o.listen, o.cert, o.key)
	if err != nil {
		return errors.Join(err, shown.close())
	}
	c.URL = first(c.URL, scheme+"://"+l.Addr().String())
	desk, err := o.credentialDesk(ctx, p, &c)
	if err != nil {
		return errors.Join(err, l.Close(), shown.close())
	}
	defer desk.close()
	s, err := eid.New(c)
	if err != nil {
		return errors.Join(err, l.Close(), shown.close())
	}
	h, err := openid.Handler(s, openid.Options{Agent: o.agent, Log: slog.New(said{p})})
	if err != nil {
		return errors.Join(err, l.Close(), shown.close())
	}
	defer context.AfterFunc(ctx, s.Close)()
	shown.serve(c.Metrics.Handler())
	debug.SetGCPercent(800) // little lives long here, and the heap is small
	fmt.Fprintf(p.out, "ready %s\n", c.URL)
	return errors.Join(serveWeb(ctx, l, c.Metrics.Web(desk.beside(s, h))), shown.close())
}

// listAges shows how old the lists of card status are.
func listAges(c eid.Config, source verify.StatusSource) error {
	lists, ok := source.(interface{ Lists() []*status.List })
	if !ok {
		return nil
	}
	var errs []error
	seen := map[string]bool{}
	for _, l := range lists.Lists() {
		if name := l.Country + " " + l.URI; !seen[name] {
			seen[name] = true
			errs = append(errs, c.Metrics.Gauge("eid_status_list_age_seconds", "Age of a list of card status.", func() float64 {
				return c.Now().Sub(l.Signed).Seconds()
			}, "list", name))
		}
	}
	return errors.Join(errs...)
}
