package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/issuance/population/synthetic"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

type serveRegisterOptions struct {
	db, listen, accounts, cert, key string
	people                          []string
	make, dirty, citizen            int
	seed                            uint64
}

func newServeRegister(p *program) *cobra.Command {
	o := serveRegisterOptions{citizen: -1}
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Run a register of invented citizens, for trying out and for training",
		Long: `Runs a register of the population, for those who try out an office or train at one: its
citizens are invented, with numbers that begin with 003, which no province has. It answers as
the national one does (SOAP, at /soap) and as OSIA has it (at /osia/v1/persons). It confirms
whom a question names by number, name and date of birth, and keeps who asked, for what.

First make its database: --make says how many citizens, --seed which; --dirty how many of a
hundred records differ from what the citizens themselves say, in the ways that registers
have; --person adds persons from files as enrol reads them. --citizen prints such a file for
one of the invented ones.

ACCOUNTS is a file that nobody else may read:

  tokens = ["…"]        # of OSIA
  [accounts]
  ward-1 = "…"          # name and secret of an account of SOAP

Once it listens it prints "ready" and its address; SIGINT or SIGTERM stops it. Elsewhere than
on this machine it is served with --cert and --key only. An office names it in its config.toml;
then nothing is approved that it has not confirmed (see register):

  [register]
  kind = "soap"                        # or osia
  url = "http://127.0.0.1:7050/soap"   # …/osia
  account = "ward-1"                   # soap only
  secret_file = "register.secret"      # the account's secret, or the token
  ca = "register.crt"                  # with https: whom to believe
`,
		Example: "  tamthe serve register --db register.db --make 1000 --dirty 10\n  tamthe serve register --db register.db --citizen 17 > person.json\n  tamthe serve register --db register.db --accounts accounts.toml --listen 127.0.0.1:7050",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.citizen >= 0:
				return runCitizen(p, o)
			case o.db == "":
				return usagef("--db names the register's file")
			case o.make > 0 || len(o.people) > 0:
				return runMakeRegister(cmd.Context(), p, o)
			}
			return runServeRegister(cmd.Context(), p, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.db, "db", "", "`FILE` of the register")
	f.IntVar(&o.make, "make", 0, "make the file, with so many invented citizens")
	f.Uint64Var(&o.seed, "seed", 1, "which citizens: the same number, the same ones")
	f.IntVar(&o.dirty, "dirty", 0, "with --make: so many of a `HUNDRED` records are not what the citizens say")
	f.StringSliceVar(&o.people, "person", nil, "make the file, with the persons of these `FILES` too")
	f.IntVar(&o.citizen, "citizen", -1, "print what the invented citizen of that place says, from 0 on, and do nothing else")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.accounts, "accounts", "", "`FILE` of who may ask")
	f.StringVar(&o.cert, "cert", "", "`FILE` of its certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	return cmd
}

// runCitizen prints an invented citizen as enrol reads one.
func runCitizen(p *program, o serveRegisterOptions) error {
	if o.citizen >= synthetic.Max {
		return usagef("there are %d citizens of a seed", synthetic.Max)
	}
	return p.document(synthetic.Citizens{Seed: o.seed}.Citizen(o.citizen).Person)
}

func runMakeRegister(ctx context.Context, p *program, o serveRegisterOptions) error {
	if o.make > synthetic.Max || o.dirty < 0 || o.dirty > 100 {
		return usagef("--make takes up to %d, --dirty 0 to 100", synthetic.Max)
	}
	var people []population.Record
	for _, file := range o.people {
		b, err := p.input(file, maxPersonFile)
		if err != nil {
			return err
		}
		who, err := vn.ParsePerson(b)
		if err != nil {
			return hintBoth(fmt.Errorf("%s: %w", file, err), wordCorrectPerson)
		}
		people = append(people, population.RecordOf(who))
	}
	n, err := sqlite.CreatePopulation(ctx, o.db, records(people, o))
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema  string `json:"schema"`
		File    string `json:"file"`
		Persons int    `json:"persons"`
	}{"tamthe/serve-register-make/1", o.db, n}, o.db, fmt.Sprint(n))
}

// records are those that a register is made of.
func records(people []population.Record, o serveRegisterOptions) iter.Seq[population.Record] {
	return func(yield func(population.Record) bool) {
		for _, r := range people {
			if !yield(r) {
				return
			}
		}
		random, dirts := rand.New(rand.NewPCG(o.seed, 1)), synthetic.Dirts()
		for i := range o.make {
			c := synthetic.Citizens{Seed: o.seed}.Citizen(i)
			if random.IntN(100) < o.dirty {
				said := c.Person
				for !dirts[random.IntN(len(dirts))].Apply(random, &c) || c.Person != said {
					c = synthetic.Citizens{Seed: o.seed}.Citizen(i)
				}
			}
			if !yield(c.Record) {
				return
			}
		}
	}
}

// readAccounts reads who may ask a register.
func readAccounts(path string) (accounts map[string]population.Secret, tokens []population.Secret, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("%s: %w", path, keystore.ErrPermissions)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	var file struct {
		Tokens   []population.Secret          `toml:"tokens"`
		Accounts map[string]population.Secret `toml:"accounts"`
	}
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&file); err != nil {
		return nil, nil, fmt.Errorf("%s%w", path, tomlError(err))
	}
	if len(file.Tokens)+len(file.Accounts) == 0 {
		return nil, nil, hint(fmt.Errorf("%s: nobody may ask", path), "see `tamthe serve register --help`")
	}
	return file.Accounts, file.Tokens, nil
}

func runServeRegister(ctx context.Context, p *program, o serveRegisterOptions) error {
	if o.accounts == "" || (o.cert == "") != (o.key == "") {
		return usagef("--accounts says who may ask; --cert and --key go together")
	}
	s := &population.Server{Now: p.now}
	var err error
	if s.Accounts, s.Tokens, err = readAccounts(o.accounts); err != nil {
		return err
	}
	source, err := sqlite.OpenPopulation(ctx, o.db)
	if err != nil {
		return err
	}
	defer source.Close()
	s.Source = source
	l, scheme, err := listenWeb(ctx, o.listen, o.cert, o.key)
	if err != nil {
		return err
	}
	s.URL = scheme + "://" + l.Addr().String()
	fmt.Fprintf(p.out, "ready %s\n", s.URL)
	return serveWeb(ctx, l, s.Handler())
}

// listenWeb listens for a web service: with a certificate, or on this machine only.
func listenWeb(ctx context.Context, address, cert, key string) (l net.Listener, scheme string, err error) {
	return listenClients(ctx, address, cert, key, false)
}

// listenClients is listenWeb for a service that may ask browsers for a certificate. Whose it
// is, and whether it counts for anything, the service says.
func listenClients(ctx context.Context, address, cert, key string, ask bool) (l net.Listener, scheme string, err error) {
	if cert == "" {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, "", usagef("--listen %s: other machines are served with --cert and --key only", address)
		}
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		return l, "http", err
	}
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, "", fmt.Errorf("the service's certificate: %w", err)
	}
	l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, "", err
	}
	c := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13}
	if ask {
		c.ClientAuth = tls.RequestClientCert
	}
	return tls.NewListener(l, c), "https", nil
}

// serveWeb answers until ctx ends, then lets those being answered have their answers.
func serveWeb(ctx context.Context, l net.Listener, h http.Handler) error {
	web := &http.Server{Handler: h, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := web.Shutdown(rest)
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return errors.Join(err, ctx.Err())
}
