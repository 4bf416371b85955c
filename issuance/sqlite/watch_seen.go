package sqlite

import (
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/monitor"
)

// Offered implements [monitor.Tx].
func (t *watchTx) Offered(source, origin string) (size int64, err error) {
	_, err = t.one("SELECT size FROM offer WHERE source = ? AND origin = ?", []any{source, origin}, &size)
	return size, err
}

// SetOffered implements [monitor.Tx].
func (t *watchTx) SetOffered(source, origin string, size int64) error {
	_, err := t.exec("INSERT INTO offer VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET size = ?3", source, origin, size)
	return err
}

// Show implements [monitor.Tx]. A signed checkpoint takes the place of what was only said.
func (t *watchTx) Show(s monitor.Shown) error {
	_, err := t.exec(`INSERT INTO shown VALUES (?, ?, ?, ?, ?, ?, 0)
		ON CONFLICT DO UPDATE SET note = excluded.note, place = excluded.place WHERE note IS NULL AND excluded.note IS NOT NULL`,
		s.Origin, s.Size, s.Root[:], s.Note, s.Place, s.Since.UnixMicro())
	return err
}

// Shown implements [monitor.Tx].
func (t *watchTx) Shown(origin string) (list []monitor.Shown, err error) {
	err = t.many("SELECT size, root, note, place, since FROM shown WHERE origin = ? AND settled = 0 ORDER BY size, root", []any{origin}, func(scan func(...any) error) error {
		s := monitor.Shown{Origin: origin}
		var root []byte
		var since int64
		if err := scan(&s.Size, &root, &s.Note, &s.Place, &since); err != nil || len(root) != tlog.HashSize {
			return fmt.Errorf("the monitor's memory: %w: %w", ledger.ErrDamaged, err)
		}
		s.Root, s.Since = tlog.Hash(root), time.UnixMicro(since).UTC()
		list = append(list, s)
		return nil
	})
	return list, err
}

// Settle implements [monitor.Tx].
func (t *watchTx) Settle(s monitor.Shown) error {
	_, err := t.exec("UPDATE shown SET settled = 1 WHERE origin = ? AND size = ? AND root = ?", s.Origin, s.Size, s.Root[:])
	return err
}

// See implements [monitor.Tx].
func (t *watchTx) See(s monitor.Sight) error {
	_, err := t.exec("INSERT OR IGNORE INTO sight VALUES (?, ?, ?, ?)", s.ID[:], s.SOD, s.Place, s.Since.UnixMicro())
	return err
}

// Sights implements [monitor.Tx].
func (t *watchTx) Sights() (list []monitor.Sight, err error) {
	err = t.many("SELECT id, octets, place, since FROM sight WHERE octets IS NOT NULL ORDER BY since, id", nil, func(scan func(...any) error) error {
		var s monitor.Sight
		var id []byte
		var since int64
		if err := scan(&id, &s.SOD, &s.Place, &since); err != nil || len(id) != len(s.ID) {
			return fmt.Errorf("the monitor's memory: %w: %w", ledger.ErrDamaged, err)
		}
		s.ID, s.Since = [32]byte(id), time.UnixMicro(since).UTC()
		list = append(list, s)
		return nil
	})
	return list, err
}

// Judged implements [monitor.Tx].
func (t *watchTx) Judged(id [32]byte) error {
	_, err := t.exec("UPDATE sight SET octets = NULL WHERE id = ?", id[:])
	return err
}

// Forget implements [monitor.Tx].
func (t *watchTx) Forget(id [32]byte) error {
	_, err := t.exec("DELETE FROM sight WHERE id = ?", id[:])
	return err
}

// Raise implements [monitor.Tx].
func (t *watchTx) Raise(a monitor.Alarm) (fresh bool, err error) {
	n, err := t.exec("INSERT OR IGNORE INTO alarm (id, code, origin, idx, subject, detail, raised) VALUES (?, ?, ?, ?, ?, ?, ?)",
		a.ID, string(a.Code), a.Origin, a.Index, a.Subject, a.Detail, a.Raised.UnixMicro())
	return n == 1, err
}

// Retell implements [monitor.Tx].
func (t *watchTx) Retell(a monitor.Alarm) error {
	_, err := t.exec("UPDATE alarm SET idx = ?, detail = ? WHERE id = ?", a.Index, a.Detail, a.ID)
	return err
}

// Acknowledged implements [monitor.Tx].
func (t *watchTx) Acknowledged(id string) (yes bool, err error) {
	_, err = t.one("SELECT acknowledged IS NOT NULL FROM alarm WHERE id = ?", []any{id}, &yes)
	return yes, err
}
