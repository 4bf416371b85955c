package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/verify"
)

// registerConfig is which register of the population the office asks.
type registerConfig struct {
	Kind       string `toml:"kind,omitempty"` // soap or osia
	URL        string `toml:"url,omitempty"`
	Account    string `toml:"account,omitempty"`
	SecretFile string `toml:"secret_file,omitempty"`
	CA         string `toml:"ca,omitempty"`

	Service     string `toml:"service,omitempty"`     // soap: MaDVC
	Integration string `toml:"integration,omitempty"` // soap: MaTichHop
	Phone       string `toml:"phone,omitempty"`       // soap: SoDienThoai
}

// register is the register that config.toml names; nil if it names none.
func (p *program) register() (population.Register, error) {
	c := p.conf.Register
	if c.Kind == "" {
		return nil, nil
	}
	if !unheard(c.URL) {
		return nil, usagef("%s: [register] url is an https:// address", p.home.path(configFile))
	}
	b, err := os.ReadFile(p.inHome(c.SecretFile))
	if err != nil {
		return nil, fmt.Errorf("the secret for the register: %w", err)
	}
	secret := population.Secret(strings.TrimSpace(string(b)))
	client := &http.Client{Timeout: 10 * time.Second}
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
	switch c.Kind {
	case "soap":
		return &population.SOAP{
			URL: c.URL, Account: c.Account, Secret: secret, Service: c.Service, Integration: c.Integration, Phone: c.Phone, Client: client, Now: p.now,
		}, nil
	case "osia":
		return &population.OSIA{URL: c.URL, Token: secret, Client: client}, nil
	}
	return nil, usagef("%s: [register] kind is soap or osia", p.home.path(configFile))
}

func newRegister(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Hold applications against the register of the population",
		Long: `Holds applications against the register of the population that config.toml names, field by
field. What differs in nothing but case, Unicode form, place of the tone, parts of a date that
the register does not know, or units that ended in July 2025, is explained and told. All else
waits until it is changed, refused, or accepted by an approver who neither enrolled it nor asked.
`,
		Example: "  tamthe register ask --all --operator an",
	}
	cmd.AddCommand(newRegisterAsk(p), newRegisterShow(p), newRegisterList(p), newRegisterAccept(p))
	return family(cmd)
}

func newRegisterAsk(p *program) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "ask APP... | --all",
		Short: "Ask the register about applications",
		Long: `Asks the register about applications, for one purpose each, in the name of the operator, and
prints match, explainable, mismatch or unknown for each. With --all it asks about those that
wait, also from days on which the register was out of order. Where it does not answer nothing
is lost: ask again. Where one differs the status is 3: show puts both sides beside each other.
`,
		Example: "  tamthe register ask A-7K3QX2MB4D --operator an\n  tamthe register ask --all --operator an",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usagef("name applications, or --all")
			}
			return runRegisterAsk(cmd.Context(), p, args)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that the register has yet to be asked about")
	p.actingFlags(cmd)
	return cmd
}

type askedJSON struct {
	Application string               `json:"application"`
	Outcome     string               `json:"outcome"`
	Request     string               `json:"request"`
	Findings    []population.Finding `json:"findings"`
}

// outcomeOf is the word for what came of a question.
func outcomeOf(c *desk.Comparison) string {
	if c.Unknown {
		return "unknown"
	}
	return c.Class().String()
}

func runRegisterAsk(ctx context.Context, p *program, apps []string) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if len(apps) == 0 {
		if apps, err = office.Unconfirmed(ctx); err != nil {
			return err
		}
	}
	rows, differ := []askedJSON{}, 0
	for _, app := range apps {
		c, err := office.AskRegister(ctx, app)
		if err != nil {
			return fmt.Errorf("%s: %w", app, err)
		}
		row := askedJSON{app, outcomeOf(c), c.Request, []population.Finding{}}
		for _, f := range c.Findings {
			if f.Class != population.Match {
				row.Findings = append(row.Findings, f)
			}
		}
		if c.Class() == population.Mismatch {
			differ++
		}
		rows = append(rows, row)
	}
	if err := p.printAsked(rows); err != nil {
		return err
	}
	if differ > 0 {
		return verdictError(exitRefused)
	}
	return nil
}

// printAsked prints what came of questions.
func (p *program) printAsked(rows []askedJSON) error {
	if p.documents {
		return p.document(struct {
			Schema       string      `json:"schema"`
			Applications []askedJSON `json:"applications"`
		}{"tamthe/register-ask/1", rows})
	}
	for _, r := range rows {
		var why []string
		for _, f := range r.Findings {
			why = append(why, f.Field+": "+string(f.Cause))
		}
		line := r.Application + "  " + r.Outcome
		if len(why) > 0 {
			line += "  " + strings.Join(why, ", ")
		}
		if _, err := fmt.Fprintln(p.out, line); err != nil {
			return err
		}
	}
	return nil
}

func newRegisterShow(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "show APP",
		Short: "Put an application beside what the register says",
		Long: `Puts what an application says beside what the register said when it was asked last, each field
with its class and cause. It shows personal data.
`,
		Example: "  tamthe register show A-7K3QX2MB4D",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runRegisterShow(cmd.Context(), p, args[0]) },
	}
}

type sideJSON struct {
	Field       string           `json:"field"`
	Class       string           `json:"class"`
	Cause       population.Cause `json:"cause"`
	Application string           `json:"application"`
	Register    string           `json:"register"`
}

func runRegisterShow(ctx context.Context, p *program, app string) error {
	office, err := p.openOffice(ctx, opening)
	if err != nil {
		return err
	}
	defer office.done()
	c, err := office.Comparison(ctx, app)
	if err != nil {
		return err
	}
	d, err := office.Draft(ctx, app)
	if err != nil {
		return err
	}
	rows := []sideJSON{}
	for _, f := range c.Findings {
		ours, theirs := population.Beside(f.Field, d.Person, c.Record)
		rows = append(rows, sideJSON{f.Field, f.Class.String(), f.Cause, ours, theirs})
	}
	if p.documents {
		return p.document(struct {
			Schema      string     `json:"schema"`
			Application string     `json:"application"`
			Outcome     string     `json:"outcome"`
			Request     string     `json:"request"`
			Asked       string     `json:"asked"`
			Fields      []sideJSON `json:"fields"`
		}{"tamthe/register-show/1", app, outcomeOf(c), c.Request, c.At.UTC().Format(time.RFC3339), rows})
	}
	fmt.Fprintf(p.out, "%s  %s  %s\n", app, outcomeOf(c), c.Request)
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Field, r.Class, r.Cause, verify.Escape(r.Application), verify.Escape(r.Register))
	}
	return w.Flush()
}

func newRegisterList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the applications that wait for the register, or differ from it",
		Long:    "Lists the applications that the register has yet to be asked about (waiting), and those that\ndiffer from it and wait for a person (differing).\n",
		Example: "  tamthe register list",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runRegisterList(cmd.Context(), p) },
	}
}

func runRegisterList(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	waiting, err := office.Unconfirmed(ctx)
	if err != nil {
		return err
	}
	list, err := office.Applications(ctx, issuance.Differing)
	if err != nil {
		return err
	}
	differing := []string{}
	for _, a := range list {
		differing = append(differing, a.ID)
	}
	if p.documents {
		if waiting == nil {
			waiting = []string{}
		}
		return p.document(struct {
			Schema    string   `json:"schema"`
			Waiting   []string `json:"waiting"`
			Differing []string `json:"differing"`
		}{"tamthe/register-list/1", waiting, differing})
	}
	for _, app := range waiting {
		fmt.Fprintf(p.out, "%s  waiting\n", app)
	}
	for _, app := range differing {
		fmt.Fprintf(p.out, "%s  differing\n", app)
	}
	return nil
}

func newRegisterAccept(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "accept APP",
		Short: "Say that an application is right though the register says otherwise",
		Long: `Says that an application is right though the register says otherwise, for a reason:
` + strings.Join(issuance.AcceptReasons(), ", ") + `. An approver says so who neither enrolled it nor asked.
`,
		Example: "  tamthe register accept A-7K3QX2MB4D --reason documents --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onApplication(cmd.Context(), "tamthe/register-accept/1", args[0], func(o *office) error {
				return o.AcceptDifference(cmd.Context(), args[0], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`")
	p.actingFlags(cmd)
	return cmd
}
