package postgres

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestPlan: what two rows of one transaction take is found among them, and who takes it
// second is to blame; what is held and given back between them reaches the database still.
func TestPlan(t *testing.T) {
	c := issuance.Claim{Kind: issuance.ClaimChip, Value: "01"}
	list := []issuance.Claim{c}
	row := func(stream string, claims, hold, release []issuance.Claim) issuance.Encoded {
		return issuance.Encoded{Entry: issuance.Entry{Stream: issuance.Application(stream), Claims: claims, Hold: hold, Release: release}}
	}
	plan := func(rows ...issuance.Encoded) (*takings, int, error) {
		p := &takings{w: &writing{rows: rows}}
		blame, err := p.plan()
		return p, blame, err
	}
	for name, rows := range map[string][]issuance.Encoded{
		"claimed twice": {row("A-1", list, nil, nil), row("A-2", list, nil, nil)},
		"held twice":    {row("A-1", nil, list, nil), row("A-2", nil, list, nil)},
	} {
		_, blame, err := plan(rows...)
		if d, ok := errors.AsType[*issuance.DuplicateError](err); !ok || blame != 1 || d.Holder != issuance.Application("A-1") {
			t.Errorf("%s: row %d, %v", name, blame, err)
		}
	}
	if _, blame, err := plan(row("A-1", nil, list, nil), row("A-2", nil, nil, list)); !errors.Is(err, ledger.ErrDamaged) || blame != 1 {
		t.Errorf("released by another: row %d, %v", blame, err)
	}
	p, _, err := plan(row("A-1", nil, list, nil), row("A-1", nil, nil, list))
	if err != nil || len(p.holds.list) != 1 || len(p.after.list) != 1 || len(p.before.list) != 0 {
		t.Errorf("held and released: %+v, %v", p, err)
	}
	p, _, err = plan(row("A-1", nil, nil, list), row("A-2", nil, list, nil))
	if err != nil || len(p.before.list) != 1 || len(p.holds.list) != 1 || len(p.after.list) != 0 {
		t.Errorf("released and held: %+v, %v", p, err)
	}
}
