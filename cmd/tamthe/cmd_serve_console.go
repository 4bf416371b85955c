package main

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/console"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid/metrics"
)

type serveConsoleOptions struct {
	verifyOptions
	listen, url, cert, key, clients string
	metrics, log                    string
	idle                            time.Duration
}

func newServeConsole(p *program) *cobra.Command {
	var o serveConsoleOptions
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Run the office's web console: desk, checkpoint and audit",
		Long: `Runs the web console of this home on the machine that its reader stands at: the desk, the
checkpoint and the auditor's pages, in Vietnamese and English. An operator logs in with a
passkey, which is registered once with a code from ` + "`tamthe operator invite NAME`" + ` and the
passphrase of the operator's key. Each act is signed with that key, which the console holds
only while its operator works; after --idle without a page it is locked.

Once it listens it prints "ready" and its address; SIGINT or SIGTERM stops it, and a card
that is being made comes to its end first. Elsewhere than on this machine it is served with
--cert and --key only; --url then says by which address browsers know it. Passkeys need a
name there, not a number: localhost, or a host's name. Where passkeys are not to be had,
--clients names a folder of operators' TLS certificates, NAME.crt: who holds one logs in with
it and the passphrase.
`,
		Example: "  tamthe serve console\n  tamthe serve console --listen 0.0.0.0:7443 --url https://desk.example --cert d.crt --key d.key",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runServeConsole(cmd.Context(), p, o) },
	}
	o.judgeFlags(cmd, "checkpoint")
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:7080", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.url, "url", "", "by which `URL` browsers know it (else http://localhost and the port)")
	f.StringVar(&o.cert, "cert", "", "`FILE` of its certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	f.DurationVar(&o.idle, "idle", 5*time.Minute, "lock what nobody used for this `TIME`, 1s to 15m")
	f.StringVar(&o.metrics, "metrics", "", "`ADDRESS` on this machine to show /metrics at (else nowhere)")
	f.StringVar(&o.log, "log", "", "also write the log, as JSON, to the end of this `FILE`")
	f.StringVar(&o.clients, "clients", "", "`FOLDER` of operators' certificates, NAME.crt, who log in with them; needs --cert")
	return cmd
}

func runServeConsole(ctx context.Context, p *program, o serveConsoleOptions) error {
	if (o.cert == "") != (o.key == "") || o.clients != "" && o.cert == "" {
		return usagef("--cert and --key go together, and --clients with them")
	}
	if o.idle < time.Second || o.idle > 15*time.Minute {
		return usagef("--idle is 1s to 15m, not %v", o.idle)
	}
	clients, err := readClients(o.clients)
	if err != nil {
		return err
	}
	if _, err := o.options(p, "checkpoint"); err != nil {
		return err // what is wrong with the flags is said at once
	}
	office, err := p.openOffice(ctx, hosting)
	if err != nil {
		return err
	}
	defer office.done()
	accounts, err := p.accounts(ctx)
	if err != nil {
		return err
	}
	defer accounts.Close()
	filed, err := p.intakeStore(ctx)
	if err != nil {
		return err
	}
	if filed != nil {
		defer filed.Close()
	}
	log, closeLog, err := p.logTo(o.log)
	if err != nil {
		return err
	}
	defer closeLog()
	watched, err := p.witnesses()
	if err != nil {
		return err
	}
	config := console.Config{
		Office: *office.Office, Accounts: accounts, Unlock: p.unlockFor, Reader: p.consoleReader, Make: office.consoleMake(p), QA: p.qaOptions,
		Inspections: inspections{p}, Ledger: office.ledger, Watched: watched,
		Checkpoint: func(ctx context.Context) (verify.Options, func(), error) { return o.checkpoint(ctx, p, office) },
		Explain:    explained, Clients: clients, Metrics: metrics.New(), Now: p.now, Log: log, Idle: o.idle,
	}
	if filed != nil {
		config.Intake = filed
	}
	return o.serve(ctx, p, config)
}

// serve runs the console that c describes until ctx ends.
func (o serveConsoleOptions) serve(ctx context.Context, p *program, c console.Config) error {
	shown, err := listenMetrics(ctx, o.metrics)
	if err != nil {
		return err
	}
	l, scheme, err := listenClients(ctx, o.listen, o.cert, o.key, c.Clients != nil)
	if err != nil {
		return errors.Join(err, shown.close())
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c.URL = first(o.url, scheme+"://localhost:"+port)
	h, err := console.New(ctx, c)
	if err != nil {
		return errors.Join(err, l.Close(), shown.close())
	}
	defer h.Close()
	shown.serve(c.Metrics.Handler())
	fmt.Fprintf(p.out, "ready %s\n", c.URL)
	return errors.Join(serveWeb(ctx, l, h), shown.close())
}

// readClients reads whose certificates log in: nil where no folder is named.
func readClients(dir string) (func(*x509.Certificate) string, error) {
	if dir == "" {
		return nil, nil
	}
	names := map[[32]byte]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.crt"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		list, err := readCertificates(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".crt")
		if err := checkWord("NAME", name); err != nil || len(list) != 1 {
			return nil, usagef("--clients %s: one certificate of an operator, NAME.crt", file)
		}
		names[sha256.Sum256(list[0].Raw)] = name
	}
	if len(names) == 0 {
		return nil, usagef("--clients %s: there is no NAME.crt", dir)
	}
	return func(c *x509.Certificate) string { return names[sha256.Sum256(c.Raw)] }, nil
}

// intakeStore opens what portals filed; nil where nothing is taken in.
func (p *program) intakeStore(ctx context.Context) (*sqlite.Intake, error) {
	s, err := sqlite.OpenIntake(ctx, p.home.path(intakeFile))
	if errors.Is(err, ledger.ErrMissing) {
		return nil, nil
	}
	return s, err
}

// accounts opens the console's passkeys; where there are none yet, their file is made.
func (p *program) accounts(ctx context.Context) (*sqlite.Accounts, error) {
	path := p.home.path(consoleFile)
	err := sqlite.CreateAccounts(ctx, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return sqlite.OpenAccounts(ctx, path)
}

// unlockFor opens the key of an operator of this home for a console.
func (p *program) unlockFor(_ context.Context, operator string, passphrase []byte) (crypto.Signer, error) {
	if err := checkWord("NAME", operator); err != nil {
		return nil, err
	}
	path := p.home.path(keysDir, operatorPrefix+operator)
	uri, err := keystore.OperatorToken(path)
	switch {
	case err != nil:
		return nil, err
	case uri != "":
		return nil, fmt.Errorf("operator %s: the key is in a token, which the console cannot use: %w", operator, errors.ErrUnsupported)
	}
	return keystore.OpenOperator(path, passphrase)
}

// consoleReader opens the card in this machine's reader for a console.
func (p *program) consoleReader(ctx context.Context) (*console.Reader, error) {
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return nil, err
	}
	return &console.Reader{Chip: r, Limits: r.limits, Claimed: r.claimed, Close: func() { _ = r.close() }}, nil
}

// consoleMake says how a console makes a card: as personalise does without flags.
func (o *office) consoleMake(p *program) func(context.Context, *desk.Office, *console.Reader) (desk.Personalisation, func(), error) {
	return func(ctx context.Context, acting *desk.Office, r *console.Reader) (desk.Personalisation, func(), error) {
		job := &office{Office: acting, ledger: o.ledger, subjects: o.subjects}
		var plan desk.Personalisation
		err := p.notApartTooLong()
		if err == nil {
			err = p.making(ctx, job, &plan)
		}
		if err == nil {
			plan.Verify, err = p.qaOptions()
		}
		if err != nil {
			job.done()
			return plan, nil, err
		}
		return plan, job.done, nil
	}
}

// checkpoint are the options of one inspection: what is trusted is read anew each time.
func (o serveConsoleOptions) checkpoint(_ context.Context, p *program, office *office) (verify.Options, func(), error) {
	opts, err := o.options(p, "checkpoint")
	if err != nil {
		return opts, nil, err
	}
	if opts.Status == nil {
		opts.Status = office
	} else {
		opts.Status = inTurn{office, opts.Status}
	}
	return opts, func() { p.remember(opts) }, nil
}

// explained says what an error means, for a console.
func explained(err error, lang string) console.Failure {
	f := classify(err)
	english, detail := f, ""
	if lang == "vi" {
		f = f.vietnamese()
		if what := inVietnamese[f.Code].what; what != "" && english.detailVi == "" {
			f.Message, detail = what, english.Message
		}
	}
	return console.Failure{Code: f.Code, Message: oneLine(f.Message), Hint: f.Hint, Detail: oneLine(detail)}
}

// one lets one goroutine at a time use a wrapper, for wrappers may bear no more.
type one struct {
	mu sync.Mutex
	w  keystore.Wrapper
}

func (o *one) Wrap(ctx context.Context, key, label []byte) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Wrap(ctx, key, label)
}

func (o *one) Unwrap(ctx context.Context, wrapped, label []byte) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Unwrap(ctx, wrapped, label)
}
