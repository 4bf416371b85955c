package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify/status/dist"
)

type serveStatusOptions struct {
	dir, listen, cert, key string
}

func newServeStatus(p *program) *cobra.Command {
	var o serveStatusOptions
	cmd := &cobra.Command{
		Use:   "status DIR",
		Short: "Hand out published lists of card status to devices and caches",
		Long: `Hands out the folder that status publish writes, over plain HTTP or, with --cert and --key,
over TLS. It needs no home and no key: all that it hands out is signed. Caches may stand
before it: they are told to keep the head for a minute and all else for ever, and it answers to
Range, If-None-Match and If-Modified-Since. It shows no other file of the folder.

Once it listens it prints "ready" and its address; SIGINT or SIGTERM stops it.
`,
		Example: "  tamthe serve status /srv/www/status --listen 0.0.0.0:8080",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = args[0]
			return runServeStatus(cmd.Context(), p, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT")
	f.StringVar(&o.cert, "cert", "", "`FILE` of its certificate, PEM")
	f.StringVar(&o.key, "key", "", "`FILE` of that certificate's key, PEM")
	return cmd
}

func runServeStatus(ctx context.Context, p *program, o serveStatusOptions) error {
	if (o.cert == "") != (o.key == "") {
		return usagef("--cert and --key go together")
	}
	if info, err := os.Stat(o.dir); err != nil {
		return err
	} else if !info.IsDir() {
		return usagef("%s is no folder", o.dir)
	}
	var l net.Listener
	var err error
	scheme := "http" // to whomever: what is signed needs no TLS
	if o.cert == "" {
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	} else {
		l, scheme, err = listenWeb(ctx, o.listen, o.cert, o.key)
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(o.dir, dist.HeadName)); errors.Is(err, fs.ErrNotExist) {
		p.say(p.text(wordNoHead), o.dir)
	}
	fmt.Fprintf(p.out, "ready %s://%s\n", scheme, l.Addr())
	return serveWeb(ctx, l, dist.Handler(o.dir))
}
