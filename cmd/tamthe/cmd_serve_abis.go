package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/osia/abis/simulator"
)

type serveABISOptions struct {
	listen, token, cert, key string
	threshold                int
	later                    time.Duration
	silent, twice            bool
}

func newServeABIS(p *program) *cobra.Command {
	var o serveABISOptions
	cmd := &cobra.Command{
		Use:   "abis",
		Short: "Run a biometric register that compares pictures, for trying out and for training",
		Long: `Runs a biometric register (ABIS) for those who try out an office or train at one: it answers as
OSIA has it, keeps faces in memory, and finds pictures that look alike. It is no biometry: the same
picture compressed otherwise is found, another picture of the same person is not. It calls back
where it is asked to: at once, --later, --twice, or with --silent never.

Once it listens it prints "ready" and its address; SIGINT or SIGTERM stops it. Elsewhere than on
this machine it is served with --cert and --key only. An office names it in its config.toml; then
nothing is approved that it was not asked about (see application abis):

  [abis]
  url = "http://127.0.0.1:7055"
  gallery = "cards"                    # in which faces are kept and looked for
  token_file = "abis.token"            # in the home, the bearer token: abis.encounter.write,
                                       # abis.identify, abis.task.read, abis.task.update
  ca = "abis.crt"                      # with https: whom to believe
  callback = "http://127.0.0.1:7056"   # serve cms, where it calls back, started after these lines
                                       # were written; without, it answers at once
  hours = 72                           # how long an answer is waited for, then asked anew
`,
		Example: "  tamthe serve abis --token-file abis.token --listen 127.0.0.1:7055",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runServeABIS(cmd.Context(), p, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.token, "token-file", "", "`FILE` with the bearer token of who may ask")
	f.IntVar(&o.threshold, "threshold", 900, "from which `LIKENESS` on, 1 to 1000, two pictures are one person's")
	f.DurationVar(&o.later, "later", 0, "call back so much later")
	f.BoolVar(&o.twice, "twice", false, "call back two times")
	f.BoolVar(&o.silent, "silent", false, "take questions and never answer")
	f.StringVar(&o.cert, "cert", "", "`FILE` of its certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	return cmd
}

func runServeABIS(ctx context.Context, p *program, o serveABISOptions) error {
	if o.token == "" || (o.cert == "") != (o.key == "") || o.threshold < 1 || o.threshold > 1000 {
		return usagef("--token-file says who may ask; --cert and --key go together; --threshold is 1 to 1000")
	}
	b, err := os.ReadFile(o.token)
	if err != nil {
		return err
	}
	s := &simulator.Simulator{Token: strings.TrimSpace(string(b)), Threshold: o.threshold, Fault: func(string) simulator.Fault {
		return simulator.Fault{Silent: o.silent, Later: o.later, Twice: o.twice}
	}}
	if s.Token == "" {
		return usagef("%s holds no token", o.token)
	}
	l, scheme, err := listenWeb(ctx, o.listen, o.cert, o.key)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "ready %s://%s\n", scheme, l.Addr())
	return serveWeb(ctx, l, s.Handler())
}
