package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
)

// maxAttachments is how many an entry may have (leaf v1); the schema counts on it.
const maxAttachments = 32

// columns are rows by their columns, as unnest takes them.
type columns []any

func (c columns) row(i int) []any {
	row := make([]any, len(c))
	for j, col := range c {
		switch col := col.(type) {
		case []string:
			row[j] = col[i]
		case []int64:
			row[j] = col[i]
		case [][]byte:
			row[j] = col[i]
		}
	}
	return row
}

// insert adds n rows to a partition: many are copied, few go with the rest of the batch.
func (w *writing) insert(ctx context.Context, b *pgx.Batch, table string, names []string, types string, n int, c columns) error {
	if n == 0 {
		return nil
	}
	part := w.head.month.part(table)
	if n < many {
		args := append([]any{w.head.month.month}, c...)
		b.Queue(fmt.Sprintf("INSERT INTO %s SELECT $1::date, r.* FROM unnest(%s) r", part, types), args...)
		return nil
	}
	_, err := w.conn.CopyFrom(ctx, pgx.Identifier{part}, append([]string{"month"}, names...), pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		return append([]any{w.head.month.month}, c.row(i)...), nil
	}))
	return err
}

// entries adds the rows of entries and attachments, with the nodes of the tree that each
// completes.
func (w *writing) entries(ctx context.Context, b *pgx.Batch, hashes []tlog.Hash) error {
	n := len(w.rows)
	index, seq, at := make([]int64, n), make([]int64, n), make([]int64, n)
	kind, stream, act := make([]string, n), make([]string, n), make([]string, n)
	id, leaf, payload, nodes := make([][]byte, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)
	var place []int64
	var names []string
	var sealed [][]byte
	for i := range w.rows {
		r, e := &w.rows[i], &w.rows[i].Entry
		index[i], seq[i], at[i] = w.head.size+int64(i), int64(e.Seq), e.Time.UnixMicro()
		kind[i], stream[i], act[i] = string(e.Stream.Kind), e.Stream.ID, string(e.Act)
		id[i], leaf[i], payload[i] = e.ID[:], r.Leaf, r.Payload
		if payload[i] == nil {
			payload[i] = []byte{}
		}
		for _, node := range w.l.writer.cache.tree.Append(hashes[i]) {
			nodes[i] = append(nodes[i], node[:]...)
		}
		for j, a := range e.Attach {
			place, names, sealed = append(place, index[i]*maxAttachments+int64(j)), append(names, a.Name), append(sealed, a.Sealed)
		}
	}
	err := w.insert(ctx, b, "entry", []string{"idx", "kind", "stream", "seq", "id", "act", "time", "leaf", "payload", "nodes"},
		"$2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::text[], $8::bigint[], $9::bytea[], $10::bytea[], $11::bytea[]",
		n, columns{index, kind, stream, seq, id, act, at, leaf, payload, nodes})
	if err != nil {
		return err
	}
	return w.insert(ctx, b, "attachment", []string{"place", "name", "sealed"}, "$2::bigint[], $3::text[], $4::bytea[]",
		len(place), columns{place, names, sealed})
}

// identities notes where each entry is.
func (w *writing) identities(b *pgx.Batch) {
	id, index := make([][]byte, len(w.rows)), make([]int64, len(w.rows))
	for i := range w.rows {
		id[i], index[i] = w.rows[i].Entry.ID[:], w.head.size+int64(i)
	}
	b.Queue("INSERT INTO identity SELECT * FROM unnest($1::bytea[], $2::bigint[])", id, index)
}

// forward says where each stream stands after its last entry.
const forward = `INSERT INTO stream SELECT * FROM
	unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[])
	ON CONFLICT (kind, id) DO UPDATE SET seq = excluded.seq, last = excluded.last,
	phase = coalesce(nullif(excluded.phase, ''), stream.phase), latest = excluded.latest, since = excluded.since`

func (w *writing) streams(b *pgx.Batch, hashes []tlog.Hash) {
	at := make(map[issuance.StreamID]int, len(w.rows))
	var kind, id, phase []string
	var seq, opened, latest, since []int64
	var last [][]byte
	for i := range w.rows {
		e, index := &w.rows[i].Entry, w.head.size+int64(i)
		n, again := at[e.Stream]
		if !again {
			n = len(id)
			at[e.Stream] = n
			kind, id, phase, opened = append(kind, string(e.Stream.Kind)), append(id, e.Stream.ID), append(phase, ""), append(opened, index)
			seq, last, latest, since = append(seq, 0), append(last, nil), append(latest, 0), append(since, 0)
		}
		seq[n], last[n], latest[n], since[n] = int64(e.Seq), hashes[i][:], index, e.Time.UnixMicro()
		if p := issuance.After(e.Stream.Kind, e.Act); p != "" {
			phase[n] = string(p)
		}
	}
	b.Queue(forward, kind, id, seq, last, phase, opened, latest, since)
}
