package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
)

type agentOptions struct {
	verifyOptions
	server, code, ca, listen string
	agree, allow             []string
	slip                     slipOption
}

func newAgent(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "agent",
		Short:   "Log in to portals with the card in the reader",
		Long:    "Does the citizen's part of e-authentication (see serve eid) with the card in the reader: once\n(login), or for the pages of this machine's browser (serve).\n",
		Example: "  tamthe agent login --server https://eid.example --code 12345678",
	}
	cmd.AddCommand(newAgentLogin(p), newAgentServe(p), newAgentCredential(p))
	return family(cmd)
}

func newAgentLogin(p *program) *cobra.Command {
	var o agentOptions
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Show a portal what it asks for, and nothing else",
		Long: `Takes the login of a code that a portal's page shows, says who asks for which fields and why,
and asks whether to go on. Only then is the card opened, and only the files that hold those
fields are read: never the portrait, fingers or irises. The chip proves itself for this login
alone. What it prints at last is typed into the page on which the login began, and nowhere else:
whoever else asks for it wants to log in in your name.

Without a terminal to ask at, --agree says who may be told what, and why:
PARTY:PURPOSE:FIELD,FIELD. Where another asks, for another purpose or for more fields, nothing
is read.
`,
		Example: "  tamthe agent login --server https://eid.example --code 12345678\n  tamthe agent login --server https://eid.example --code 12345678 --can-file can.txt \\\n    --agree 'tax:nộp tờ khai thuế:name,birth'",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runAgentLogin(cmd.Context(), p, o) },
	}
	o.openFlags(cmd)
	o.slip.flag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "", "`URL` of the service")
	f.StringVar(&o.code, "code", "", "the eight digits of the page")
	agreeFlag(f, &o.agree)
	f.StringVar(&o.ca, "ca", "", "`FILE` of certificates to believe the service by (else the system's)")
	return cmd
}

// agreeFlag is what a citizen agrees to beforehand.
func agreeFlag(f *pflag.FlagSet, agree *[]string) {
	f.StringArrayVar(agree, "agree", nil, "`PARTY:PURPOSE:FIELDS` that may be told without being asked, fields with commas; more than once for several")
}

func runAgentLogin(ctx context.Context, p *program, o agentOptions) error {
	if o.server == "" || o.code == "" {
		return usagef("--server and --code say which login")
	}
	if err := o.slip.free(); err != nil {
		return err
	}
	agreed, err := parseConsents(o.agree)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	login, err := client.Open(ctx, strings.ReplaceAll(o.code, " ", ""))
	if err != nil {
		return err
	}
	if err := p.consent(ctx, login.Request, agreed); err != nil {
		return err
	}
	step, err := o.show(ctx, p, login)
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema  string   `json:"schema"`
		Party   string   `json:"party"`
		Purpose string   `json:"purpose"`
		Told    []string `json:"told"`
		Finish  string   `json:"finish"`
	}{"tamthe/agent-login/1", login.Request.Party, login.Request.Purpose, append([]string{}, step.Told...), step.Finish}, "the login", step.Finish)
}

// show opens the card and has it answer a login that its holder agreed to.
func (o agentOptions) show(ctx context.Context, p *program, login *eid.Login) (*eid.Step, error) {
	var opts verify.Options
	if err := o.passwords(p, &opts); err != nil {
		return nil, err
	}
	r, err := p.connect(ctx, p.readerFlag)
	if err != nil {
		return nil, err
	}
	defer r.close()
	s, err := card.Open(ctx, apdu.Over(r, apdu.Limits{}), card.Options{
		Passwords: opts.Passwords, Ask: opts.Ask, AllowBAC: o.allowBAC, Reader: r.limits, Claimed: r.claimed,
	})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	step, err := login.Show(ctx, s, false)
	o.slip.login(p, login, step)
	return step, err
}

// client is the agent's way to the service: by TLS, or on this machine.
func (o agentOptions) client() (*eid.Client, error) {
	web, err := o.web()
	if err != nil {
		return nil, err
	}
	return &eid.Client{URL: o.server, HTTP: web}, nil
}

// web is that way without what is said on it.
func (o agentOptions) web() (*http.Client, error) {
	web := &http.Client{Timeout: 30 * time.Second}
	if o.ca != "" {
		list, err := readCertificates(o.ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		for _, c := range list {
			pool.AddCert(c)
		}
		web.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	}
	if !unheard(o.server) {
		return nil, usagef("--server is an https:// address")
	}
	return web, nil
}

// unheard reports whether nobody listens in on the way to an address: https, or http on
// this machine.
func unheard(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback()
}
