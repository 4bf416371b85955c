package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/witness"
	"github.com/tamthe/tamthe/verify/receipt"
)

type watchOptions struct {
	dir, name, listen string
	logs              []string
}

func newLedgerWatch(p *program) *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:   "watch --dir FOLDER --name NAME --log-key KEY",
		Short: "Be a witness for somebody's ledger",
		Long: `Runs a witness (C2SP tlog-witness): it cosigns a checkpoint of the logs it watches only if it
continues the newest that it cosigned before. Put it where the ledger's owners have no power: at
the auditor's, the ministry's, another desk's. The folder holds its key, which is made with it,
and the newest checkpoint of each log; lose it, and the witness begins anew under another key.
Once it listens it prints "ready", its public key, and its address. It works with no home.

A desk names it in its config.toml:

  [log]
  hours = 24              # how old the witnesses' word may be; personalising stops then
  second = "/media/safe"  # folder on another medium that gets the newest checkpoint too
  [[witness]]
  key = "NAME+HASH+KEY"
  url = "http://192.0.2.7:8042"
`,
		Example: "  tamthe ledger watch --dir /srv/witness --name auditor.example --log-key KEY",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLedgerWatch(cmd.Context(), p, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "`FOLDER` of the witness, made if it is not there")
	f.StringVar(&o.name, "name", "", "`NAME` of the witness on its cosignatures, an address without its scheme")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT or unix:PATH")
	f.StringArrayVar(&o.logs, "log-key", nil, "public `KEY` of a log to watch, as its init printed it; may be repeated")
	return cmd
}

func runLedgerWatch(ctx context.Context, p *program, o watchOptions) error {
	if o.dir == "" || o.name == "" || len(o.logs) == 0 {
		return usagef("--dir, --name and --log-key say who watches what")
	}
	var logs []note.Verifier
	for _, text := range o.logs {
		v, err := receipt.ParseLogKey(text)
		if err != nil {
			return usagef("--log-key: %w", err)
		}
		logs = append(logs, v)
	}
	key, err := witness.OpenKey(filepath.Join(o.dir, "key"), o.name)
	if err != nil {
		return err
	}
	w, err := witness.Open(o.dir, key, p.now, logs...)
	if err != nil {
		return err
	}
	defer w.Close()
	network, address := "tcp", o.listen
	if path, ok := strings.CutPrefix(o.listen, "unix:"); ok {
		network, address = "unix", path
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, network, address)
	if err != nil {
		return err
	}
	where := "http://" + listener.Addr().String()
	if network == "unix" {
		where = o.listen
	}
	fmt.Fprintf(p.out, "ready %s %s\n", key, where)
	return serve(ctx, listener, w)
}

// serve answers until ctx ends.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 14}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}

// keeper asks the witnesses of config.toml; nil if it names none.
func (p *program) keeper(ctx context.Context, l interface {
	witness.Log
	Verifier(ctx context.Context) (note.Verifier, error)
}, checkpoints string,
) (*witness.Keeper, error) {
	if len(p.conf.Witness) == 0 {
		return nil, nil
	}
	v, err := l.Verifier(ctx)
	if err != nil {
		return nil, err
	}
	var keys []*receipt.WitnessKey
	k := &witness.Keeper{
		Log: l, Key: v, Quorum: p.conf.Log.Quorum, Within: time.Duration(p.conf.Log.Hours) * time.Hour,
		File: checkpoints, Now: p.now,
	}
	for i, w := range p.conf.Witness {
		key, err := receipt.ParseWitnessKey(w.Key)
		if err != nil || w.URL == "" {
			return nil, fmt.Errorf("%s: witness %d: %w", p.home.path(configFile), i+1, errors.Join(err, errWitness))
		}
		k.Peers, keys = append(k.Peers, witness.Peer{Key: key, URL: w.URL}), append(keys, key)
	}
	names := neededWitnesses(keys, p.conf.Log.Quorum)
	if err := receiptFits(v.Name(), first(p.conf.Office.Name, defaultPlace), names); err != nil {
		return nil, fmt.Errorf("%s: %w", p.home.path(configFile), err)
	}
	return k, nil
}

// errWitness says that config.toml names a witness badly.
var errWitness = errors.New("a witness has a key and a url")
