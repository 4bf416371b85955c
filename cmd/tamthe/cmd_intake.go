package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/verify"
)

func newIntake(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "intake",
		Short: "Go on with what citizens filed at portals",
		Long: `Goes on with what citizens filed at portals (see serve intake). A case has a code, I-…, which
stands on the citizen's receipt. The desk takes it over when its person is there, or refuses it;
what becomes of it then, the portal learns from the ledger.
`,
		Example: "  tamthe intake list",
	}
	cmd.AddCommand(newIntakeList(p), newIntakeShow(p), newIntakeImport(p), newIntakeRefuse(p), newIntakeBackup(p))
	return family(cmd)
}

func newIntakeList(p *program) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the cases that wait for the desk",
		Long:    "Lists the cases that wait for the desk, oldest first, without personal data.\n",
		Example: "  tamthe intake list\n  tamthe intake list --all",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runIntakeList(cmd.Context(), p, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "those too that the desk has, and those that are over")
	return cmd
}

// caseJSON is a case as `intake list` and `show` tell it.
type caseJSON struct {
	Code        string `json:"code"`
	Portal      string `json:"portal"`
	Case        string `json:"case"`
	State       string `json:"state"`
	Why         string `json:"why,omitempty"`
	Reason      string `json:"reason"`
	Received    string `json:"received"`
	Since       string `json:"since"`
	Application string `json:"application,omitempty"`
	Officer     string `json:"officer,omitempty"`
}

func caseOf(c intake.Case) caseJSON {
	return caseJSON{
		c.Code, c.Portal, c.Name, string(c.State), c.Why, c.Reason, c.Received.Format(time.RFC3339), c.Since.Format(time.RFC3339), c.App, c.Officer,
	}
}

func runIntakeList(ctx context.Context, p *program, all bool) error {
	counter, office, err := p.counter(ctx, sweeping)
	if err != nil {
		return err
	}
	defer office.done()
	if err := counter.Follow(ctx); err != nil {
		return err
	}
	in := []intake.State{intake.Waiting, intake.Received}
	if all {
		in = nil
	}
	list, err := counter.Store.Cases(ctx, in...)
	if err != nil {
		return err
	}
	if p.documents {
		rows := []caseJSON{}
		for _, c := range list {
			rows = append(rows, caseOf(c))
		}
		return p.document(struct {
			Schema string     `json:"schema"`
			Cases  []caseJSON `json:"cases"`
		}{"tamthe/intake-list/1", rows})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Code, c.State, c.Reason, c.Portal, strings.TrimSpace(c.App+" "+c.Why))
	}
	return w.Flush()
}

func newIntakeShow(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "show CODE",
		Short: "Tell what a case says, with the person's data",
		Long: `Tells how a case stands and what its newest message says of the person, until the desk has it
or it is over: then that is destroyed here.
`,
		Example: "  tamthe intake show I-7K3Q-X2MB-4D0A-9VTE",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runIntakeShow(cmd.Context(), p, args[0]) },
	}
}

func runIntakeShow(ctx context.Context, p *program, code string) error {
	counter, office, err := p.counter(ctx, sweeping)
	if err != nil {
		return err
	}
	defer office.done()
	if err := counter.Follow(ctx); err != nil {
		return err
	}
	f, err := counter.Filing(ctx, code)
	if err != nil {
		return err
	}
	doc := struct {
		Schema string `json:"schema"`
		caseJSON
		Same   []string        `json:"same_person"`
		Login  *intake.Login   `json:"login"`
		Person json.RawMessage `json:"person"`
	}{Schema: "tamthe/intake-show/1", caseJSON: caseOf(f.Case), Same: append([]string{}, f.Same...), Person: json.RawMessage("null")}
	if f.Message != nil {
		doc.Login, doc.Person = f.Message.Login, f.Message.Person
	}
	if p.documents {
		return p.document(doc)
	}
	c := doc.caseJSON
	rows := [][2]string{
		{"case", c.Code},
		{"state", c.State},
		{"because of", c.Why},
		{"asked for", c.Reason},
		{"portal", c.Portal},
		{"its number", c.Case},
		{"received", c.Received},
		{"application", c.Application},
		{"officer", c.Officer},
		{"same person", strings.Join(f.Same, " ")},
	}
	if f.Message != nil {
		w := f.Person
		rows = append(rows, [][2]string{
			{"number", string(w.Number)},
			{"name", w.FullName()},
			{"sex", w.Sex},
			{"birth", w.Birth.String()},
			{"nationality", w.Nationality},
			{"origin", w.Origin},
			{"residence", w.Residence},
			{"ethnicity", w.Ethnicity},
			{"religion", w.Religion},
			{"features", w.Features},
			{"father", w.Father},
			{"mother", w.Mother},
			{"spouse", w.Spouse},
		}...)
		if l := f.Message.Login; l != nil {
			rows = append(rows, [2]string{"logged in by", l.Issuer + " (" + l.Level + ")"})
		}
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if r[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", r[0], verify.Escape(r[1]))
		}
	}
	return w.Flush()
}

func newIntakeImport(p *program) *cobra.Command {
	var o enrolOptions
	var present, filed bool
	cmd := &cobra.Command{
		Use:   "import CODE",
		Short: "Take a case over; prints the application's name",
		Long: `Takes a case over and enrols its person, whom the officer sees before them and has compared with
what the case says (--present). The officer adds the portrait. The card that the person has in
force is replaced, unless the case is about a first one. Where the case is wrong, --person has
the same person's data as enrol reads them, corrected. An import that was cut short is done again:
there is one application.
`,
		Example: "  tamthe intake import I-7K3Q-X2MB-4D0A-9VTE --present --portrait face.jpg --operator an",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !present {
				return usageBoth(wordNotPresent)
			}
			return runIntakeImport(cmd.Context(), p, args[0], o, filed)
		},
	}
	o.flags(p, cmd, "")
	cmd.Flags().Lookup("reason").Usage = "why, one `WORD`, where it is another than the citizen said"
	cmd.Flags().StringVar(&o.replaces, "replaces", "", "the `CARD` that the new one replaces (else the one in force)")
	cmd.Flags().StringVar(&o.file, "person", "", "`FILE` of the person, corrected by the officer")
	cmd.Flags().BoolVar(&filed, "filed-portrait", false, "take the portrait that another system sent with the case (see serve cms)")
	cmd.Flags().BoolVar(&present, "present", false, "the person is here, and is whom the case is about")
	return cmd
}

func runIntakeImport(ctx context.Context, p *program, code string, o enrolOptions, filed bool) error {
	if filed == (o.portrait != "") {
		return usageBoth(wordNoPortrait)
	}
	if o.reason != "" {
		if err := checkWord("--reason", o.reason); err != nil {
			return err
		}
	}
	n, err := o.filled(p, filed)
	if err != nil {
		return err
	}
	counter, office, err := p.counter(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if filed {
		if n.Portrait, err = p.filedPortrait(ctx, counter, code); err != nil {
			return err
		}
	}
	app, err := counter.Import(ctx, code, n)
	if app == "" {
		return err
	}
	if err != nil { // it is imported all the same, and what is left is done by the next verb
		p.say("%v", err)
	}
	if err := o.slip(ctx, p, office, app); err != nil {
		return err
	}
	return p.result(struct {
		Schema      string `json:"schema"`
		Code        string `json:"code"`
		Application string `json:"application"`
	}{"tamthe/intake-import/1", code, app}, app, app)
}

// filedPortrait is the portrait that another system sent with a case.
func (p *program) filedPortrait(ctx context.Context, counter *desk.Counter, code string) ([]byte, error) {
	store, err := p.openOSIA(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return counter.FiledPortrait(ctx, code, store)
}

func newIntakeRefuse(p *program) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "refuse CODE",
		Short: "Refuse a case that no application came of",
		Long: `Refuses a case before it is imported, for a reason, which the portal and whoever has the receipt
learn: ` + strings.Join(desk.RefuseReasons()[:4], ", ") + `,
` + strings.Join(desk.RefuseReasons()[4:], ", ") + `. What was imported is refused by application reject.
`,
		Example: "  tamthe intake refuse I-7K3Q-X2MB-4D0A-9VTE --reason documents --operator binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runIntakeRefuse(cmd.Context(), p, args[0], reason)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, one `WORD`")
	p.actingFlags(cmd)
	return cmd
}

func runIntakeRefuse(ctx context.Context, p *program, code, reason string) error {
	if err := checkWord("--reason", reason); err != nil {
		return err
	}
	counter, office, err := p.counter(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	if err := counter.Refuse(ctx, code, reason); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Code   string `json:"code"`
	}{"tamthe/intake-refuse/1", code}, code, "")
}

func newIntakeBackup(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy what portals filed to a new file",
		Long: `Copies intake.db to a new file while the service runs. Put back, it opens with the vault's keys
(see vault backup), but for what was destroyed since. Portals that have a receipt do not send
again: copy as often as nothing may be lost.
`,
		Example: "  tamthe intake backup /media/usb/intake.db",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runIntakeBackup(cmd.Context(), p, args[0])
		},
	}
}

func runIntakeBackup(ctx context.Context, p *program, file string) error {
	store, err := p.openIntake(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Backup(ctx, file); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		File   string `json:"file"`
	}{"tamthe/intake-backup/1", file}, file, "")
}
