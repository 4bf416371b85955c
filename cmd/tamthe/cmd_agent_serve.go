package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/loopback"
)

func newAgentServe(p *program) *cobra.Command {
	var o agentOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Let a portal's page in this machine's browser ask for the card",
		Long: `Waits on this machine alone for pages of the service's own origin, and of those named with
--allow, to ask for a login, and does for each what login does: says who asks for which fields
and why, asks, and reads the card in the reader. What ends the login goes to the page that began
it, so that nothing is typed across.

A page is paired first: the program prints "pair" and a code, which is typed into the page. A
code is good once, a pairing for eight hours, for pages of that origin. Pages of others, pages
that do not say where they are from, and pages that reach this machine by another name are
refused; so is a second login while one is under way. Pages can ask for logins at --server and
for nothing else: for no other service, no file, no command to the card, nothing of a desk. The
card's password stays on this machine.

Once it listens it prints "ready" and its address; SIGINT or SIGTERM stops it. The pages of the
service look for it where it listens unless --listen says otherwise.
`,
		Example: "  tamthe agent serve --server https://eid.example\n  tamthe agent serve --server https://eid.example --allow https://portal.example --can-file can.txt",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runAgentServe(cmd.Context(), p, o) },
	}
	o.openFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "", "`URL` of the service")
	f.StringArrayVar(&o.allow, "allow", nil, "`ORIGIN` of other pages that may ask, such as https://portal.example; more than once for several")
	f.StringVar(&o.listen, "listen", agentAddress, "`ADDRESS` of this machine to listen at")
	agreeFlag(f, &o.agree)
	f.StringVar(&o.ca, "ca", "", "`FILE` of certificates to believe the service by (else the system's)")
	return cmd
}

// agentAddress is where pages look for the agent of this machine.
const agentAddress = "127.0.0.1:7061"

func runAgentServe(ctx context.Context, p *program, o agentOptions) error {
	if o.server == "" {
		return usagef("--server says for which service")
	}
	if o.canFile == "-" || o.mrzFile == "-" {
		return usagef("standard input has one card's password; name a file, or be asked each time")
	}
	agreed, err := parseConsents(o.agree)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	u, err := url.Parse(o.server)
	if err != nil {
		return usagef("--server is an https:// address")
	}
	l, _, err := listenWeb(ctx, o.listen, "", "")
	if err != nil {
		return err
	}
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	ready := fmt.Sprintf("ready http://%s\n", at) // before the first code
	h, err := loopback.New(loopback.Config{
		Address: at, Origins: append([]string{strings.ToLower(u.Scheme + "://" + u.Host)}, o.allow...), Now: p.now, Tell: p.told,
		Show: func(code string) {
			fmt.Fprintf(p.out, "%spair %s\n", ready, code)
			ready = ""
		},
		Login: func(page context.Context, origin, code string) (*loopback.Finished, error) {
			page, cancel := context.WithCancel(page)
			defer cancel()
			defer context.AfterFunc(ctx, cancel)() // the program ends before the page
			return o.serve(page, p, client, agreed, origin, code)
		},
	})
	if err != nil {
		return errors.Join(usageError{err}, l.Close())
	}
	p.say("%s", p.text(wordPair))
	return serveWeb(ctx, l, h)
}

// serve does one login for a page.
func (o agentOptions) serve(ctx context.Context, p *program, client *eid.Client, agreed []agreement, origin, code string) (*loopback.Finished, error) {
	step, err := func() (*eid.Step, error) {
		login, err := client.Open(ctx, code)
		if err != nil {
			return nil, err
		}
		p.say(p.text(wordPageAsks), origin)
		if len(agreed) > 0 { // its holder may look on all the same
			p.sayAsked(login.Request)
		}
		if err := p.consent(ctx, login.Request, agreed); err != nil {
			return nil, err
		}
		return o.show(ctx, p, login)
	}()
	if err != nil {
		p.finish(err) // here too: its holder sits at this machine
		return nil, err
	}
	p.say(p.text(wordPageTold), p.fieldWords(step.Told))
	return &loopback.Finished{Finish: step.Finish, Told: append([]string{}, step.Told...)}, nil
}

// told is what a page learns of an error: its code and the words that go with it, none of
// this machine's names.
func (p *program) told(err error) loopback.Told {
	c := classOf(err)
	t := loopback.Told{Code: c.code, Message: c.hint}
	if vi := inVietnamese[c.code]; p.lang == "vi" {
		t.Message = strings.Trim(vi.what+"; "+vi.hint, "; ")
	}
	return t
}
