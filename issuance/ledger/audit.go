package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
)

// Row is an entry as a store keeps it.
type Row struct {
	Index                int64
	Leaf, Payload, Nodes []byte // Nodes: the hashes that Tree.Append gave, one after the other

	// what columns repeat from the leaf
	Stream issuance.StreamID
	Seq    uint64
	ID     []byte
	Act    issuance.Act
	Time   int64 // microseconds since 1970

	Attachments map[string][32]byte // SHA-256 of what is stored, by name
}

// Stands is what a store's tables say of a stream.
type Stands struct {
	Stream issuance.StreamID
	Seq    uint64
	Last   []byte
	Phase  issuance.Phase
}

// Taken is what a store's tables say of a claim or hold.
type Taken struct {
	Claim  issuance.Claim
	Stream issuance.StreamID
	Index  int64
}

// Source is the store that is audited, as of one moment.
type Source interface {
	// Recall gives the entries of a stream that come before an index.
	Recall(ctx context.Context, s issuance.StreamID, before int64) ([]issuance.Entry, [][32]byte, error)
	// Entry gives one entry.
	Entry(ctx context.Context, index int64) (issuance.Entry, error)
	// EachStream, EachClaim, EachHold and EachPlace give the tables, row by row.
	EachStream(ctx context.Context, f func(Stands) error) error
	EachClaim(ctx context.Context, f func(Taken) error) error
	EachHold(ctx context.Context, f func(Taken) error) error
	// A store of before there was a table of places says ErrNoPlaces.
	EachPlace(ctx context.Context, f func(Place) error) error
	// StreamOf finds the stream of an entry that fits; the zero StreamID if none does.
	StreamOf(ctx context.Context, fits func(issuance.StreamID) bool) (issuance.StreamID, error)
}

// Audit rebuilds a ledger from its rows, in bounded memory however long it is. Feed it
// every row in ascending order of index, then ask for Tables, Checkpoint and Report, and
// Close it. It must not be used by two goroutines at once.
type Audit struct {
	ctx     context.Context
	report  Report
	against []*Older
	source  Source
	book    *issuance.Book
	tree    *Tree

	pending []pending
	gaps    []span
	spool   *spool
	hashes  bool // nothing else is looked at
	older   bool // the store has no table of places
	most    int  // streams held
	batch   int  // entries judged at once
	logKey  string
	newest  tlog.Hash   // of the leaf that the tree got last
	done    []tlog.Hash // nodes that it completed
	err     error       // of the source or the spool
}

type pending struct {
	index int64
	entry issuance.Entry
	hash  [32]byte // as the tree has it
	sound bool     // nothing was found about the row; it is worth judging
}

// span is a run of rows that are missing.
type span struct{ from, to int64 }

// batch is how many entries have their signatures verified side by side.
const batch = 256

// NewAudit begins an audit of the log of the given origin, which must continue all that
// is known of it from elsewhere.
func NewAudit(ctx context.Context, origin string, source Source, against ...*Older) *Audit {
	a := &Audit{
		ctx: ctx, report: Report{Origin: origin}, against: against, source: source,
		book: issuance.NewBook(origin), tree: &Tree{}, spool: newSpool(), most: maxBook, batch: batch,
	}
	a.book.Whole(issuance.KindOperator) // which are never forgotten
	return a
}

// HashesOnly has the audit look at leaves, nodes and what is known from elsewhere, not at
// signatures and rules: it finds whatever was changed since, not what was wrong from the
// start.
func (a *Audit) HashesOnly() { a.hashes = true }

// Close gives up what the audit keeps on the disk.
func (a *Audit) Close() error { return a.spool.close() }

// Err is why the store or the disk could not be read; the report is worth nothing then.
func (a *Audit) Err() error { return a.err }

func (a *Audit) failed(err error) {
	if a.err == nil {
		a.err = err
	}
}

// Find adds a finding of the store's own.
func (a *Audit) Find(code Code, index int64, s issuance.StreamID, format string, args ...any) {
	if len(a.report.Findings) >= MaxFindings {
		a.report.Truncated = true
		return
	}
	a.report.Findings = append(a.report.Findings, Finding{code, index, s, fmt.Sprintf(format, args...)})
}

// Row takes the next row.
func (a *Audit) Row(r Row) {
	if r.Index < a.tree.Size() {
		a.Find(SequenceBroken, r.Index, r.Stream, "row %d comes after row %d", r.Index, a.tree.Size()-1)
		return
	}
	a.gap(r)
	hash := a.grow(r)
	if a.hashes {
		return
	}
	e, sound, ok := a.read(r)
	if !ok {
		return
	}
	a.pending = append(a.pending, pending{r.Index, e, hash, sound && hash == issuance.LeafHash(r.Leaf)})
	if len(a.pending) >= a.batch {
		a.judge()
	}
}

// gap reports the rows missing before r and lets the tree grow over them by a hash that
// stands for no leaf, so that what follows keeps its place.
func (a *Audit) gap(r Row) {
	if first := a.tree.Size(); first < r.Index {
		a.Find(LeafMissing, first, issuance.StreamID{}, "%d rows from %d on are missing", r.Index-first, first)
		a.gaps = append(a.gaps, span{first, r.Index})
	}
	for a.tree.Size() < r.Index {
		a.grown(tlog.Hash{})
		a.compare()
	}
}

// grow adds the row's leaf to the tree and compares the nodes stored with it. Where a
// leaf is not the one that was hashed, the tree goes on with the stored hash: one
// changed row is one finding, not one for every node above it.
func (a *Audit) grow(r Row) [32]byte {
	hash := tlog.Hash(issuance.LeafHash(r.Leaf))
	levels := bits.TrailingZeros64(uint64(r.Index+1)) + 1
	if len(r.Nodes) != levels*tlog.HashSize {
		a.Find(TreeChanged, r.Index, r.Stream, "%d octets of nodes, not %d", len(r.Nodes), levels*tlog.HashSize)
		a.grown(hash)
		a.compare()
		return hash
	}
	if stored := tlog.Hash(r.Nodes[:tlog.HashSize]); stored != hash {
		a.Find(LeafChanged, r.Index, r.Stream, "the leaf's hash is %x, the tree has %x", hash[:8], stored[:8])
		hash = stored
	}
	for level, node := range a.grown(hash) {
		stored := tlog.Hash(r.Nodes[level*tlog.HashSize:])
		if stored == node {
			continue
		}
		if !a.missing(r.Index+1-1<<level, r.Index) {
			a.Find(TreeChanged, r.Index, r.Stream, "the node at level %d is not the hash of its children", level)
		} else if level == levels-1 {
			a.tree.edge[len(a.tree.edge)-1] = stored
		}
	}
	a.compare()
	return hash
}

// grown lets the tree grow and keeps the nodes that the leaf completed.
func (a *Audit) grown(hash tlog.Hash) []tlog.Hash {
	a.newest, a.done = hash, a.tree.Append(hash)
	return a.done
}

// node is the newest node of a level that the last leaf completed.
func (a *Audit) node(level int) tlog.Hash { return a.done[level] }

// missing reports whether a row between two indexes is.
func (a *Audit) missing(from, to int64) bool {
	return slices.ContainsFunc(a.gaps, func(g span) bool { return g.from <= to && from < g.to })
}

// compare holds the tree against what is known of it from elsewhere.
func (a *Audit) compare() {
	for _, o := range a.against {
		o.compare(a)
	}
}

// read parses a row and holds its columns against the leaf. It is sound if its payload
// is the one that the leaf binds; ok if it can be read at all.
func (a *Audit) read(r Row) (e issuance.Entry, sound, ok bool) {
	e, _, err := issuance.ParseLeaf(r.Leaf)
	if err != nil {
		a.Find(LeafUnreadable, r.Index, r.Stream, "%v", err)
		return e, false, false
	}
	for _, c := range []struct {
		name string
		same bool
	}{
		{"stream", e.Stream == r.Stream},
		{"seq", e.Seq == r.Seq},
		{"id", string(e.ID[:]) == string(r.ID)},
		{"act", e.Act == r.Act},
		{"time", e.Time.Equal(time.UnixMicro(r.Time))},
	} {
		if !c.same {
			a.Find(ColumnChanged, r.Index, e.Stream, "the column %s does not say what the leaf says", c.name)
		}
	}
	whole, err := issuance.ParseEntry(r.Leaf, r.Payload)
	if err != nil {
		a.Find(PayloadChanged, r.Index, e.Stream, "%v", err)
		return e, false, true
	}
	a.attachments(r, whole)
	return whole, true, true
}

func (a *Audit) attachments(r Row, e issuance.Entry) {
	left := maps.Clone(r.Attachments)
	for _, want := range e.Attach {
		got, ok := left[want.Name]
		delete(left, want.Name)
		switch {
		case !ok:
			a.Find(AttachmentLost, r.Index, e.Stream, "attachment %q is missing", want.Name)
		case got != want.Digest:
			a.Find(AttachmentOther, r.Index, e.Stream, "attachment %q is not the one that the entry has", want.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		a.Find(AttachmentAdded, r.Index, e.Stream, "no entry has the attachment %q", name)
	}
}

// judge replays the pending entries under the rules and derives what is taken. Rows
// that were found to be changed are recorded, not judged: what they say is not what
// was signed.
func (a *Audit) judge() {
	a.recall()
	for rest := a.pending; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(p pending) bool { return !p.sound })
		if n < 0 {
			n = len(rest)
		}
		a.judgeSound(rest[:n])
		if rest = rest[n:]; len(rest) > 0 {
			a.book.Record(rest[0].entry, rest[0].hash)
			rest = rest[1:]
		}
	}
	for i := range a.pending {
		a.take(&a.pending[i].entry, a.pending[i].index)
	}
	a.pending = a.pending[:0]
}

// maxBook is how many streams the audit holds before it forgets them; what it needs again
// of them it reads again.
const maxBook = 20_000

// Frugal has the audit forget at once and keep nothing in memory, as it would of a long
// ledger.
func (a *Audit) Frugal() { a.most, a.batch, a.spool.most = 1, 3, 0 }

// recall reads the streams that the pending entries rest on and the book has forgotten.
func (a *Audit) recall() {
	if len(a.pending) == 0 {
		return
	}
	if a.book.Len() > a.most {
		a.book.Forget(a.stands, issuance.KindOperator)
	}
	entries := make([]issuance.Entry, len(a.pending))
	for i, p := range a.pending {
		entries[i] = p.entry
		if p.entry.Seq == 1 {
			a.book.Presume(p.entry.Stream)
		}
	}
	if err := a.book.Recall(a.ctx, before{a.source, a.pending[0].index}, issuance.About(entries...)...); err != nil {
		a.failed(err)
	}
}

// before recalls what was judged already.
type before struct {
	source Source
	index  int64
}

// Recall implements [issuance.Recaller].
func (b before) Recall(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, [][32]byte, error) {
	return b.source.Recall(ctx, s, b.index)
}

// stands notes where a stream stands; what is noted last counts.
func (a *Audit) stands(s issuance.StreamID, p issuance.Phase, seq uint64, last [32]byte) {
	a.note(record{kind: logStream, key: a.spool.hash(s.String()), value: a.spool.word(string(p), strconv.FormatUint(seq, 10), string(last[:])), index: int64(seq)})
}

func (a *Audit) note(r record) {
	if err := a.spool.add(r); err != nil {
		a.failed(err)
	}
}

func (a *Audit) judgeSound(rows []pending) {
	entries := make([]issuance.Entry, len(rows))
	hashes := make([][32]byte, len(rows))
	for i, p := range rows {
		entries[i], hashes[i] = p.entry, p.hash
	}
	a.book.Audit(entries, hashes, func(i int, err error) {
		code := RuleBroken
		switch {
		case errors.Is(err, issuance.ErrConflict):
			code, err = SequenceBroken, errors.New("it does not follow the entry before it in its stream")
		case errors.Is(err, issuance.ErrSignature):
			code = SignatureBad
		}
		a.Find(code, rows[i].index, entries[i].Stream, "%v", err)
	})
}

func (a *Audit) take(e *issuance.Entry, index int64) {
	if e.Act == issuance.Init && index == 0 {
		a.logKey = e.Fields["logkey"]
	}
	if (e.Act == issuance.Init) != (index == 0) {
		a.Find(RuleBroken, index, e.Stream, "%s as entry %d", e.Act, index)
	}
	stream := a.spool.word(e.Stream.String())
	for _, list := range []struct {
		kind   recordKind
		claims []issuance.Claim
	}{{logRelease, e.Release}, {logClaim, e.Claims}, {logHold, e.Hold}} {
		for _, c := range list.claims {
			a.note(record{kind: list.kind, key: a.spool.hash(string(c.Kind), c.Value), value: stream, index: index})
		}
	}
	for _, p := range Places(a.book, e, index) {
		a.note(a.place(logPlace, p))
	}
}

// Checkpoint holds the stored checkpoint against the leaves; size is what the store says
// beside it. Without a verifier the key that the log's first entry names is taken.
func (a *Audit) Checkpoint(size int64, signed []byte, v note.Verifier) {
	a.judge()
	leaves, nowhere := a.tree.Size(), issuance.StreamID{}
	if v == nil && leaves == 0 && emptyNote(signed) {
		return
	}
	if v == nil {
		var err error
		if v, err = note.NewVerifier(a.logKey); err != nil {
			a.Find(CheckpointBad, -1, nowhere, "the log's first entry names no log key")
			return
		}
	}
	c, err := ParseCheckpoint(signed, v)
	switch {
	case err != nil:
		a.Find(CheckpointBad, -1, nowhere, "%v", err)
	case c.Origin != a.report.Origin || c.Size != size:
		a.Find(CheckpointBad, -1, nowhere, "it signs %d entries of %q, the table says %d of %q", c.Size, c.Origin, size, a.report.Origin)
	case c.Size > leaves:
		a.Find(Truncated, leaves, nowhere, "the checkpoint signs %d entries, there are %d", c.Size, leaves)
	case c.Size < leaves:
		a.Find(Unsigned, c.Size, nowhere, "the checkpoint signs %d entries, there are %d", c.Size, leaves)
	case c.Root != a.tree.Root():
		a.Find(RootDiffers, -1, nowhere, "the checkpoint signs root %s, the entries have %s", short(c.Root), short(a.tree.Root()))
	}
}

func short(h tlog.Hash) string { return hex.EncodeToString(h[:8]) }

// Report ends the audit.
func (a *Audit) Report() *Report {
	a.judge()
	for _, o := range a.against {
		o.end(a)
	}
	if err := a.book.Complete(); err != nil {
		a.Find(RuleBroken, a.tree.Size()-1, issuance.StreamID{}, "%v", err)
	}
	slices.SortStableFunc(a.report.Findings, func(x, y Finding) int { return int(min(max(x.Index-y.Index, -1), 1)) })
	r := a.report
	r.Size, r.Root = a.tree.Size(), a.tree.Root()
	return &r
}
