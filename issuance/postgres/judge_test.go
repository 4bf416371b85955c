package postgres

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tamthe/tamthe/issuance"
)

// TestUnfit: what ails the sequencer itself is told to no desk as the outcome of its submission.
func TestUnfit(t *testing.T) {
	for code, want := range map[string]bool{
		"28P01": true, // somebody changed the sequencer's password
		"42501": true, // or took its rights
		"TM001": true, // or moved the ledger
		"53100": true,
		"22000": false,
	} {
		if got := unfit(fmt.Errorf("append: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	if unfit(issuance.ErrConflict) {
		t.Error("a refusal is one of the submission")
	}
}
