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

	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/witness"
	"github.com/tamthe/tamthe/verify/receipt"
)

type watchOptions struct {
	dir, name, listen string
	logKeys           []string

	logs, also, sods, lists []string
	once                    bool
	every, repeat           time.Duration
	silence, lag, unclosed  time.Duration
	alarmExec, alarmURL     string
	metrics                 string
	alarms                  bool
	acknowledge             string
	drop, judge             string
}

func newLedgerWatch(p *program) *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:   "watch --dir FOLDER --name NAME --log-key KEY [--log PLACE]",
		Short: "Be a witness for somebody's ledger, and raise alarms about it",
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

With --log it is a monitor too, and needs no key of the office: it reads each log every --every,
proves that it continues what was read before, reads older entries again, cosigns, and raises
alarms. PLACE is an address or folder with what ` + "`ledger export`" + ` wrote, sqlite:FILE (a ledger or
a mirror of one), postgres:DSN (by a role in tamthe_reader; its password in PGPASSFILE), or
excerpt:FILE, as desk sync carries it.
--also, --sods and --published name files, folders or addresses of what others have:

  --also       checkpoints and receipts that citizens, witnesses, police devices were shown
  --sods       EF.SOD files and bundles of evidence of cards that somebody saw
  --published  certificates and lists of the authority, as in pki/ of its home

An alarm is told on standard output, as a line or with --json as a document a line, and to
--alarm-exec (the document on its standard input) or --alarm-url (in a POST): when it is raised,
and every --repeat until --acknowledge. What it rests on lies in FOLDER/evidence/ID; of a
fork anybody can check it with --judge and the log's key. /healthz at
the witness's address and, at --metrics, /metrics tell how it is. --once looks once, for cron:
exit status 0 is quiet, 3 says that an alarm stands, 1 that a log could not be reached.
`,
		Example: "  tamthe ledger watch --dir /srv/witness --name auditor.example --log-key KEY \\\n      --log https://log.example --sods /srv/seen --once",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLedgerWatch(cmd.Context(), p, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "`FOLDER` of the witness, made if it is not there")
	f.StringVar(&o.name, "name", "", "`NAME` of the witness on its cosignatures, an address without its scheme")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` to listen at, HOST:PORT or unix:PATH")
	f.StringArrayVar(&o.logKeys, "log-key", nil, "public `KEY` of a log to watch, as its init printed it; may be repeated")
	o.monitorFlags(cmd)
	return cmd
}

func (o *watchOptions) monitorFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.logs, "log", nil, "`PLACE` where a log can be read; may be repeated")
	f.StringArrayVar(&o.also, "also", nil, "`PLACE` of what others were shown of the logs; may be repeated")
	f.StringArrayVar(&o.sods, "sods", nil, "`PLACE` of security objects of cards that were seen; may be repeated")
	f.StringArrayVar(&o.lists, "published", nil, "`PLACE` of the authority's certificates and lists; may be repeated")
	f.BoolVar(&o.once, "once", false, "look once and end")
	f.DurationVar(&o.every, "every", time.Minute, "`TIME` between two looks")
	f.DurationVar(&o.repeat, "repeat", time.Hour, "`TIME` after which an alarm that stands is told again")
	f.DurationVar(&o.silence, "silence", 72*time.Hour, "alarm after `TIME` without anything new; 0 is never")
	f.DurationVar(&o.lag, "lag", 24*time.Hour, "`TIME` within which what was signed must be published, and a card that was seen stand in a log")
	f.DurationVar(&o.unclosed, "unclosed", 72*time.Hour, "alarm after `TIME` in which a place with blanks closed no day; 0 is never")
	f.StringVar(&o.alarmExec, "alarm-exec", "", "`PROGRAM` to run for each alarm, without a shell")
	f.StringVar(&o.alarmURL, "alarm-url", "", "`URL` to post each alarm to")
	f.StringVar(&o.metrics, "metrics", "", "`ADDRESS` on this machine to show /metrics at (else nowhere)")
	f.BoolVar(&o.alarms, "alarms", false, "list all alarms that ever were, and do nothing else")
	f.StringVar(&o.drop, "drop", "", "keep what readers POST to /sod in this `FOLDER` until it was judged")
	f.StringVar(&o.judge, "judge", "", "say whether the evidence in this `FOLDER` shows a fork of a log of --log-key, and do nothing else")
	f.StringVar(&o.acknowledge, "acknowledge", "", "say that the alarm of this `ID` was looked at, and do nothing else")
}

func runLedgerWatch(ctx context.Context, p *program, o watchOptions) error {
	switch {
	case o.judge != "":
		return runJudgeFork(p, o)
	case o.dir == "":
		return usagef("--dir names the witness's folder")
	case o.acknowledge != "" || o.alarms:
		return runAlarms(ctx, p, o)
	case o.name == "" || len(o.logKeys) == 0:
		return usagef("--dir, --name and --log-key say who watches what")
	case o.once && len(o.logs) == 0:
		return usagef("--log says what to look at")
	case o.drop != "" && (o.once || len(o.logs) == 0):
		return usagef("--drop is for a monitor that goes on: --log, without --once")
	case o.every <= 0 || o.repeat <= 0:
		return usagef("--every and --repeat are longer than nothing")
	}
	keys, err := o.keys()
	if err != nil {
		return err
	}
	key, err := witness.OpenKey(filepath.Join(o.dir, "key"), o.name)
	if err != nil {
		return err
	}
	w, err := witness.Open(o.dir, key, p.now, keys...)
	if err != nil {
		return err
	}
	defer w.Close()
	if len(o.logs) == 0 {
		return serveWitness(ctx, p, o, w, key.String(), nil)
	}
	state, err := sqlite.OpenWatch(ctx, o.memory())
	if err != nil {
		return err
	}
	defer state.Close()
	m, err := newWatcher(p, o, keys, w, state)
	if err == nil {
		err = m.m.Recall(ctx)
	}
	if err != nil {
		return err
	}
	if o.once {
		return m.once(ctx)
	}
	return serveWitness(ctx, p, o, w, key.String(), m)
}

func (o *watchOptions) keys() (list []note.Verifier, err error) {
	for _, text := range o.logKeys {
		v, err := receipt.ParseLogKey(text)
		if err != nil {
			return nil, usagef("--log-key: %w", err)
		}
		list = append(list, v)
	}
	return list, nil
}

// memory is the file of what the monitor remembers.
func (o *watchOptions) memory() string { return filepath.Join(o.dir, "watch.db") }

// serveWitness answers as a witness, and watches besides.
func serveWitness(ctx context.Context, p *program, o watchOptions, w *witness.Witness, key string, m *watcher) (err error) {
	network, address := "tcp", o.listen
	if path, ok := strings.CutPrefix(o.listen, "unix:"); ok {
		network, address = "unix", path
	}
	counts, err := listenMetrics(ctx, o.metrics)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, counts.close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, network, address)
	if err != nil {
		return err
	}
	where := "http://" + listener.Addr().String()
	if network == "unix" {
		where = o.listen
	}
	fmt.Fprintf(p.out, "ready %s %s\n", key, where)
	if m == nil {
		return serve(ctx, listener, w)
	}
	counts.serve(http.HandlerFunc(m.metrics))
	mux := http.NewServeMux()
	mux.Handle("/", w)
	mux.HandleFunc("GET /healthz", m.health)
	if o.drop != "" {
		mux.HandleFunc("POST /sod", m.drop)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan error, 1)
	go func() {
		defer cancel()
		watched <- m.run(ctx)
	}()
	err = serve(ctx, listener, mux)
	cancel()
	if failed := <-watched; failed != nil && !errors.Is(failed, context.Canceled) {
		return failed
	}
	return err
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
