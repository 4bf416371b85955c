package witness_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/witness"
	"github.com/tamthe/tamthe/verify/receipt"
)

func cosigner(t testing.TB, name string) *receipt.Cosigner {
	seed := sha256.Sum256([]byte("tamthe specimen " + name))
	c, err := receipt.NewCosigner(name, ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rig is a ledger, a witness that listens, and a keeper between them.
type rig struct {
	dir     string
	ledger  *sqlite.Ledger
	office  *ledgertest.Office
	witness *witness.Witness
	server  *httptest.Server
	keeper  *witness.Keeper
	now     time.Time
	signer  note.Signer
}

func newRig(t *testing.T) *rig {
	r := &rig{dir: t.TempDir(), now: time.Unix(1_764_000_000, 0)}
	signer, v := ledgertest.LogKey(t)
	r.signer = signer
	var err error
	r.ledger, err = sqlite.Create(t.Context(), filepath.Join(r.dir, "ledger.db"), ledgertest.Origin,
		sqlite.Options{Signer: signer, Verifier: v, Checkpoints: filepath.Join(r.dir, "checkpoints")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.ledger.Close() })
	r.office = ledgertest.NewOffice(t, r.ledger)
	r.office.Found(t)
	key := cosigner(t, "auditor.example")
	if r.witness, err = witness.Open(filepath.Join(r.dir, "witness"), key, r.clock, v); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.witness.Close)
	r.server = httptest.NewServer(r.witness)
	t.Cleanup(r.server.Close)
	r.keeper = &witness.Keeper{
		Log: r.ledger, Key: v, Now: r.clock, Within: 24 * time.Hour,
		Peers: []witness.Peer{{Key: key.WitnessKey, URL: r.server.URL}},
		File:  filepath.Join(r.dir, "checkpoints", ledger.CosignedFile),
	}
	return r
}

func (r *rig) clock() time.Time { return r.now }

func (r *rig) enrol(t *testing.T, app string) {
	t.Helper()
	r.office.Must(t, r.office.Enrol(app, app, ""))
}

// body is an add-checkpoint request as the specification writes it.
func (r *rig) body(t *testing.T, old int64) string {
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	proof, err := r.ledger.Consistency(t.Context(), old, c.Size)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("old %d\n", old)
	for _, h := range proof {
		text += h.String() + "\n"
	}
	return text + "\n" + string(c.Note)
}

func (r *rig) post(t *testing.T, body string) (int, string, string) {
	t.Helper()
	out, err := http.Post(r.server.URL+"/add-checkpoint", "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	answer, _ := io.ReadAll(out.Body)
	return out.StatusCode, out.Header.Get("Content-Type"), string(answer)
}

// The statuses that C2SP tlog-witness asks for, in the order of its text.
func TestAddCheckpoint(t *testing.T) {
	r := newRig(t)
	c, _ := r.ledger.Checkpoint(t.Context())
	size := c.Size
	first := r.body(t, 0)
	status, _, line := r.post(t, first)
	if status != 200 || !strings.HasPrefix(line, "— auditor.example ") {
		t.Fatalf("%d %q", status, line)
	}
	v, err := torchwood.NewCosignatureVerifier(cosigner(t, "auditor.example").String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(append(bytes.Clone(c.Note), line...), note.VerifierList(v)); err != nil {
		t.Errorf("another implementation refuses the cosignature: %v", err)
	}
	r.enrol(t, "A-1")
	r.enrol(t, "A-2")
	good := r.body(t, size)
	flip := func(s, old, new string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(s, old, new, 1)
	}
	lines := strings.SplitAfter(good, "\n")
	stranger, _, _ := receipt.NewLogSigner(ledgertest.Origin, ed25519.NewKeyFromSeed(make([]byte, 32)))
	forged, err := note.Sign(&note.Note{Text: c.Text()}, stranger)
	if err != nil {
		t.Fatal(err)
	}
	unknown, _, _ := receipt.NewLogSigner("other.example", ed25519.NewKeyFromSeed(make([]byte, 32)))
	other, _ := note.Sign(&note.Note{Text: strings.Replace(c.Text(), ledgertest.Origin, "other.example", 1)}, unknown)
	for _, s := range []struct {
		name, body string
		status     int
	}{
		{"no old size", "new 3\n\n" + string(c.Note), 400},
		{"a size with a zero before it", flip(good, "old ", "old 0"), 400},
		{"no checkpoint", "old 0\n\n", 400},
		{"old size beyond the checkpoint", flip(good, fmt.Sprintf("old %d", size), "old 99999"), 400},
		{"a log that is not watched", "old 0\n\n" + string(other), 404},
		{"a stranger's signature", fmt.Sprintf("old %d\n\n%s", size, forged), 403},
		{"the old size of nobody", flip(good, fmt.Sprintf("old %d", size), "old 3"), 409},
		{"the proof is missing", fmt.Sprintf("old %d\n\n", size) + good[strings.Index(good, "\n\n")+2:], 422},
		{"a hash of the proof is missing", strings.Join(append(lines[:1:1], lines[2:]...), ""), 422},
	} {
		status, kind, answer := r.post(t, s.body)
		if status != s.status {
			t.Errorf("%s: %d %q, want %d", s.name, status, answer, s.status)
		}
		if status == 409 && (answer != fmt.Sprintf("%d\n", size) || kind != "text/x.tlog.size") {
			t.Errorf("%s: %q of type %q", s.name, answer, kind)
		}
	}
	if status, _, answer := r.post(t, good); status != 200 {
		t.Errorf("growth: %d %q", status, answer)
	}
	if status, _, answer := r.post(t, good); status != 409 {
		t.Errorf("the same again: %d %q", status, answer)
	}
	if status, _, answer := r.post(t, first); status != 409 {
		t.Errorf("the older checkpoint: %d %q", status, answer)
	}
	sum := sha256.Sum256([]byte(ledgertest.Origin))
	out, err := http.Get(fmt.Sprintf("%s/%x/checkpoint", r.server.URL, sum))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	shown, _ := io.ReadAll(out.Body)
	if _, err := note.Open(shown, note.VerifierList(v)); err != nil || out.StatusCode != 200 {
		t.Errorf("monitors see %d %q: %v", out.StatusCode, shown, err)
	}
}

// One witness's folder is one process's, and what was changed in it stops it.
func TestState(t *testing.T) {
	r := newRig(t)
	if err := r.keeper.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, v := ledgertest.LogKey(t)
	dir := filepath.Join(r.dir, "witness")
	if _, err := witness.Open(dir, cosigner(t, "auditor.example"), r.clock, v); !errors.Is(err, witness.ErrState) {
		t.Errorf("a second process: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "checkpoint"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], c.Note, 0o600); err != nil { // without its own cosignature
		t.Fatal(err)
	}
	r.enrol(t, "A-1")
	if status, _, answer := r.post(t, r.body(t, c.Size)); status != 500 {
		t.Errorf("%d %q", status, answer)
	}
}

// Personalising goes on while a cosignature is fresh, and stops when none is.
func TestFresh(t *testing.T) {
	r := newRig(t)
	var nobody *witness.Keeper
	if err := errors.Join(nobody.Fresh(t.Context()), nobody.Cover(t.Context(), 1<<40)); err != nil {
		t.Errorf("no witness is configured: %v", err)
	}
	if err := r.keeper.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.server.Close()
	r.enrol(t, "A-1")
	if err := r.keeper.Fresh(t.Context()); err != nil {
		t.Errorf("the witness is away, its word is fresh: %v", err)
	}
	size := r.ledger.Cosigned().Size
	if err := r.keeper.Cover(t.Context(), size); err != nil {
		t.Errorf("what was cosigned is covered: %v", err)
	}
	if err := r.keeper.Cover(t.Context(), size+1); err == nil {
		t.Error("what nobody cosigned is covered")
	}
	r.now = r.now.Add(25 * time.Hour)
	if err := r.keeper.Fresh(t.Context()); !errors.Is(err, witness.ErrUnwitnessed) {
		t.Errorf("a day later: %v", err)
	}
}

// A proof under a cosigned checkpoint satisfies a policy that asks for the witness.
func TestCoveredProof(t *testing.T) {
	r := newRig(t)
	socket := filepath.Join(shortDir(t), "w")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: r.witness}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	r.keeper.Peers[0].URL = "unix:" + socket
	r.enrol(t, "A-1")
	c, _ := r.ledger.Checkpoint(t.Context())
	if err := r.keeper.Cover(t.Context(), c.Size); err != nil {
		t.Fatal(err)
	}
	r.enrol(t, "A-2") // the newest checkpoint has no cosignature now
	p, err := r.ledger.Prove(t.Context(), c.Size-1)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := r.ledger.Leaf(t.Context(), c.Size-1)
	policy := receipt.Policy{Logs: []note.Verifier{r.keeper.Key}, Witnesses: []*receipt.WitnessKey{r.keeper.Peers[0].Key}, Quorum: 1}
	proven, err := receipt.Verify(p, leaf, policy)
	if err != nil || proven.Size != c.Size || len(proven.Witnesses) != 1 {
		t.Errorf("%+v, %v", proven, err)
	}
}

func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// rewritten is the log as somebody with its key and its database would have it.
type rewritten struct {
	leaves [][]byte
	signer note.Signer
}

func (w rewritten) hashes(t testing.TB) tlog.HashReaderFunc {
	var stored []tlog.Hash
	read := func(list []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range list {
			out = append(out, stored[i])
		}
		return out, nil
	}
	for i, leaf := range w.leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, tlog.HashReaderFunc(read))
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	return read
}

// Whoever holds database and log key gets no cosignature for another past: rolled back,
// with one leaf rewritten, forked at the end.
func TestContradicted(t *testing.T) {
	r := newRig(t)
	for i := range 9 {
		r.enrol(t, fmt.Sprintf("A-%d", i))
	}
	if err := r.keeper.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, _ := r.ledger.Checkpoint(t.Context())
	var leaves [][]byte
	for i := range c.Size {
		leaf, err := r.ledger.Leaf(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	for name, change := range map[string]func([][]byte) [][]byte{
		"rolled back": func(l [][]byte) [][]byte { return l[:len(l)-2] },
		"rewritten": func(l [][]byte) [][]byte {
			l = append([][]byte{}, l...)
			l[3] = []byte("another")
			return append(l, []byte("new"))
		},
		"forked":    func(l [][]byte) [][]byte { return append(l[:len(l)-1:len(l)-1], []byte("x"), []byte("y")) },
		"re-signed": func(l [][]byte) [][]byte { return append(l[:len(l)-1:len(l)-1], []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			k := *r.keeper
			k.Log = &other{rewritten{change(leaves), r.signer}, t}
			k.File = filepath.Join(t.TempDir(), "cosigned") // the thief's own
			if err := k.Fresh(t.Context()); !errors.Is(err, witness.ErrContradicted) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := r.keeper.Fresh(t.Context()); err != nil {
		t.Errorf("the honest log afterwards: %v", err)
	}
}

// TestRefused: what a log signed and what contradicts the past is told; what is merely wrongly
// asked for is not.
func TestRefused(t *testing.T) {
	r := newRig(t)
	var told []*receipt.Checkpoint
	r.witness.Refused = func(c *receipt.Checkpoint) { told = append(told, c) }
	if err := r.keeper.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := ledger.SignCheckpoint(ledgertest.Origin, c.Size, tlog.Hash{1}, r.signer)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]int{
		fmt.Sprintf("old %d\n\n%s", c.Size, other.Note):              witness.Unprocessable,
		fmt.Sprintf("old 0\n\n%s", c.Note):                           witness.Conflict,
		fmt.Sprintf("old %d\n%s\n\n%s", c.Size, tlog.Hash{}, c.Note): witness.Unprocessable, // anybody has it
	} {
		if status, _, _ := r.post(t, body); status != want {
			t.Errorf("status %d, want %d", status, want)
		}
	}
	if len(told) != 1 || told[0].Root != other.Root {
		t.Errorf("%v", told)
	}
	if _, err := r.witness.Continue(c, nil); err != nil { // again, at the same size
		t.Error(err)
	}
	r.enrol(t, "A-1")
	newer, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.witness.Continue(newer, func(older, newer int64) ([]tlog.Hash, error) {
		return r.ledger.Consistency(t.Context(), older, newer)
	}); err != nil {
		t.Error(err)
	}
}
