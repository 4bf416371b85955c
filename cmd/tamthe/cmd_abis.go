package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/osia/abis"
)

func newABIS(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "abis",
		Short: "Ask the biometric register who else looks the same",
		Long: `Asks the biometric register that config.toml names (see serve abis) whether it knows an
applicant's face by another name. It is sent the portrait and the ledger's random names of person
and application, nothing else. Where config.toml names one nothing is approved that it was not
asked about; whom it finds, an approver decides on who neither enrolled the application nor asked.
`,
		Example: "  tamthe application abis ask --all --operator an",
	}
	cmd.AddCommand(newABISAsk(p), newABISShow(p), newABISDecide(p), newABISList(p), newABISForget(p))
	return family(cmd)
}

func newABISAsk(p *program) *cobra.Command {
	var all bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "ask APP... | --all",
		Short: "Ask the biometric register about applications",
		Long: `Asks the biometric register about applications and prints for each none, hit or waits. A register
that answers later calls back at serve cms, which has to run since [abis] stands in config.toml; the
same command then takes the answer up, once. With --all it asks about those that wait. Where one is
hit the status is 3, where one waits 4.
`,
		Example: "  tamthe application abis ask A-7K3QX2MB4D --operator an\n  tamthe application abis ask --all --wait 1m --operator an",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usagef("name applications, or --all")
			}
			return runABISAsk(cmd.Context(), p, args, wait)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that the register has yet to be asked about, or to answer")
	cmd.Flags().DurationVar(&wait, "wait", 10*time.Second, "how long to wait for an answer, for each")
	p.actingFlags(cmd)
	return cmd
}

// searchedJSON is what came of a question.
type searchedJSON struct {
	Application string           `json:"application"`
	Outcome     string           `json:"outcome"` // none, hit or waits
	Request     string           `json:"request"`
	Candidates  []abis.Candidate `json:"candidates"`
}

func runABISAsk(ctx context.Context, p *program, apps []string, wait time.Duration) error {
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if office.Biometric == nil {
		return desk.ErrNoBiometric
	}
	if len(apps) == 0 {
		if apps, err = office.Unsearched(ctx); err != nil {
			return err
		}
	}
	rows, hits, waits := []searchedJSON{}, 0, 0
	for _, app := range apps {
		f, err := office.AskBiometric(ctx, app, wait)
		row := searchedJSON{app, "none", "", []abis.Candidate{}}
		switch {
		case errors.Is(err, desk.ErrAwaited):
			row.Outcome = "waits"
			waits++
		case err != nil:
			return fmt.Errorf("%s: %w", app, err)
		default:
			row.Request, row.Candidates = f.Request, append(row.Candidates, f.Candidates...)
			if f.Hit() {
				row.Outcome = "hit"
				hits++
			}
		}
		rows = append(rows, row)
	}
	if err := p.printSearched(rows); err != nil {
		return err
	}
	switch {
	case hits > 0:
		return verdictError(exitRefused)
	case waits > 0:
		return verdictError(exitRefer)
	}
	return nil
}

func (p *program) printSearched(rows []searchedJSON) error {
	if p.documents {
		return p.document(struct {
			Schema       string         `json:"schema"`
			Applications []searchedJSON `json:"applications"`
		}{"tamthe/application-abis-ask/1", rows})
	}
	for _, r := range rows {
		var who []string
		for _, c := range r.Candidates {
			who = append(who, fmt.Sprintf("%s %s %g", c.Person, c.Encounter, c.Score))
		}
		if _, err := fmt.Fprintln(p.out, strings.TrimSpace(r.Application+"  "+r.Outcome+"  "+strings.Join(who, ", "))); err != nil {
			return err
		}
	}
	return nil
}

func newABISShow(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "show APP",
		Short: "Tell whom the biometric register found",
		Long: `Tells whom the biometric register found, by the ledger's names of person and application, with
rank and score, until the application's biometrics are destroyed.
`,
		Example: "  tamthe application abis show A-7K3QX2MB4D",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runABISShow(cmd.Context(), p, args[0]) },
	}
}

func runABISShow(ctx context.Context, p *program, app string) error {
	office, err := p.openOffice(ctx, opening)
	if err != nil {
		return err
	}
	defer office.done()
	f, err := office.Search(ctx, app)
	if errors.Is(err, desk.ErrUnknown) {
		return hintBoth(err, wordABISNobody)
	}
	if err != nil {
		return err
	}
	if p.documents {
		return p.document(struct {
			Schema      string           `json:"schema"`
			Application string           `json:"application"`
			Request     string           `json:"request"`
			Answered    string           `json:"answered"`
			Candidates  []abis.Candidate `json:"candidates"`
		}{"tamthe/application-abis-show/1", app, f.Request, f.At.UTC().Format(time.RFC3339), f.Candidates})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, c := range f.Candidates {
		fmt.Fprintf(w, "%d\t%s\t%s\t%g\n", c.Rank, c.Person, c.Encounter, c.Score)
	}
	return w.Flush()
}

func newABISDecide(p *program) *cobra.Command {
	var reason string
	var same bool
	cmd := &cobra.Command{
		Use:   "decide APP",
		Short: "Say who it is that the biometric register found",
		Long: `Says who it is that the biometric register found: somebody else, for a reason:
` + strings.Join(issuance.ClearReasons(), ", ") + `; or with --same the applicant, under another name:
then the application is refused as a duplicate. An approver says so who neither enrolled it nor
asked.
`,
		Example: "  tamthe application abis decide A-7K3QX2MB4D --reason twin --operator binh\n  tamthe application abis decide A-7K3QX2MB4D --same --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if same == (reason != "") {
				return usagef("--reason says who else it is, or --same that it is the applicant")
			}
			return p.onApplication(cmd.Context(), "tamthe/application-abis-decide/1", args[0], func(o *office) error {
				if same {
					return o.Reject(cmd.Context(), args[0], "duplicate")
				}
				return o.ClearBiometric(cmd.Context(), args[0], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "somebody else: who, one `WORD`")
	cmd.Flags().BoolVar(&same, "same", false, "the applicant, under another name")
	p.actingFlags(cmd)
	return cmd
}

func newABISList(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the applications that wait for the biometric register, or for who decides",
		Long:    "Lists the applications about which the biometric register has yet to be asked or to answer\n(waiting), and those where it found somebody (suspected).\n",
		Example: "  tamthe application abis list",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runABISList(cmd.Context(), p) },
	}
}

func runABISList(ctx context.Context, p *program) error {
	office, err := p.openOffice(ctx, looking)
	if err != nil {
		return err
	}
	defer office.done()
	waiting, err := office.Unsearched(ctx)
	if err != nil {
		return err
	}
	list, err := office.Applications(ctx, issuance.Suspected)
	if err != nil {
		return err
	}
	suspected := []string{}
	for _, a := range list {
		suspected = append(suspected, a.ID)
	}
	if p.documents {
		return p.document(struct {
			Schema    string   `json:"schema"`
			Waiting   []string `json:"waiting"`
			Suspected []string `json:"suspected"`
		}{"tamthe/application-abis-list/1", append([]string{}, waiting...), suspected})
	}
	for _, app := range waiting {
		fmt.Fprintf(p.out, "%s  waiting\n", app)
	}
	for _, app := range suspected {
		fmt.Fprintf(p.out, "%s  suspected\n", app)
	}
	return nil
}

func newABISForget(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "forget",
		Short: "Have the biometric register forget applications that came to nothing",
		Long: `Has the biometric register forget the faces of applications that were refused or withdrawn, and
prints how many. What could not be forgotten now is left for the next time: run it daily.
`,
		Example: "  tamthe application abis forget --operator an",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			office, err := p.openOffice(cmd.Context(), acting)
			if err != nil {
				return err
			}
			defer office.done()
			n, err := office.ForgetBiometric(cmd.Context(), 10*time.Second)
			if err != nil {
				return err
			}
			return p.result(struct {
				Schema    string `json:"schema"`
				Forgotten int    `json:"forgotten"`
			}{"tamthe/application-abis-forget/1", n}, fmt.Sprint(n), fmt.Sprint(n))
		},
	}
	p.actingFlags(cmd)
	return cmd
}
