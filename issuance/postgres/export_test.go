package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Frugal has Verify do, or not, as it does with a ledger that is too long to be held in memory.
func (l *Ledger) Frugal(on bool) { l.frugal = on }

// Settle waits until no copy of a checkpoint is under way.
func (l *Ledger) Settle() { l.copies.Wait() }

// Exec runs a statement on the connection that appends.
func (l *Ledger) Exec(ctx context.Context, statement string) error {
	conn, err := l.writer.connection(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return err
}

// Describe says what the schema is made of, as schema.txt does.
func (l *Ledger) Describe(ctx context.Context) (string, error) {
	d, err := describe(ctx, l.readers)
	return d.String(), err
}

// SchemaText is what Verify wants the schema to be.
func SchemaText() string { return schemaText }

// VerifyIn is Verify in a transaction that may have changed what it reads.
func (l *Ledger) VerifyIn(ctx context.Context, tx pgx.Tx) (*ledger.Report, error) {
	return l.auditIn(ctx, tx, false, l.outside().Read(), nil)
}

// VerifySchemaIn is the part of Verify that looks at the schema.
func (l *Ledger) VerifySchemaIn(ctx context.Context, tx pgx.Tx) ([]ledger.Finding, error) {
	a := ledger.NewAudit(ctx, l.origin, nil)
	defer a.Close()
	if err := (&store{l: l, tx: tx}).auditSchema(ctx, a); err != nil {
		return nil, err
	}
	var found []ledger.Finding
	for _, f := range a.Report().Findings {
		if f.Code == ledger.StoreDamaged && f.Stream == (issuance.StreamID{}) {
			found = append(found, f)
		}
	}
	return found, nil
}
