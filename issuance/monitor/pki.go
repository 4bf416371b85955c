package monitor

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// keyFacts is what a log says of a key of the authority.
type keyFacts struct {
	Usage     string
	Public    string    // SHA-256 of its SubjectPublicKeyInfo
	Cap       uint64    // how many cards it may sign, 0 if it does not say
	Prepared  uint64    // how many it was to sign
	Certified time.Time // zero: not yet
	Linked    time.Time // of a CSCA: when the one before vouched for it
	Revoked   time.Time
	RevokedAt int64     // the entry
	Issuer    string    // name of the CSCA key that certified it
	Listed    bool      // the published lists that cover it name its certificates
	Last      time.Time // when it last signed a card
	Until     time.Time // end of its period of use, once its certificate was seen
	Root      []byte    // of a CSCA: a certificate of its key, once one was seen

	Serials map[string]time.Time // of its certificates that were seen, in hex: when they expire
}

func (k *keyFacts) signed(at time.Time) {
	if at.After(k.Last) {
		k.Last = at
	}
}

// objectFacts is what was signed: a certificate, a list.
type objectFacts struct {
	Key, Object string
	Index       int64
	Time        time.Time
}

// What the authority issues, as the log names it.
const (
	objectCertificate = "certificate"
	objectCRL         = "crl"
	objectLink        = "link"
	objectMasterList  = "master-list"
	objectDeviations  = "deviation-list"
	objectStatusList  = "status-list"
)

// usages of keys whose certificates a revocation list is about.
var listed = []string{"ds", "mls", "dls"}

func (f *facts) key(index int64, e *issuance.Entry) {
	k := f.Keys[e.Stream.ID]
	if k == nil {
		k = &keyFacts{}
		f.Keys[e.Stream.ID] = k
	}
	k.Usage, k.Public = cmp.Or(k.Usage, e.Fields["usage"]), cmp.Or(k.Public, e.Fields["public"])
	if n, err := strconv.ParseUint(e.Fields["cap"], 10, 63); err == nil {
		k.Cap = n
	}
	switch e.Act {
	case issuance.Prepare:
		if e.Fields["object"] == objectCertificate {
			k.Issuer = cmp.Or(k.Issuer, e.Fields["issuer"])
		}
		f.embargo(index, e)
	case issuance.Issue:
		f.issued(index, e, k)
	case issuance.Revoke:
		k.Revoked, k.RevokedAt, k.Listed = e.Time, index, false
	}
}

// issued keeps what was signed by its digest, and which list is the newest.
func (f *facts) issued(index int64, e *issuance.Entry, k *keyFacts) {
	object := e.Fields["object"]
	f.Objects[e.Fields["issued"]] = objectFacts{e.Stream.ID, object, index, e.Time}
	switch object {
	case objectCertificate:
		if k.Certified.IsZero() {
			k.Certified = e.Time
		}
	case objectLink:
		if next := f.Keys[e.Fields["chr"]]; next != nil {
			next.Linked = e.Time
		}
	case objectCRL:
		f.Newer[crlOf(e.Stream.ID)] = e.Fields["issued"]
		f.relieve()
	default:
		f.Newer[object] = e.Fields["issued"]
	}
}

// embargo: a CSCA that follows another signs nothing within ca.Embargo of its link, unless
// no other can.
func (f *facts) embargo(index int64, e *issuance.Entry) {
	by := cmp.Or(e.Fields["issuer"], e.Stream.ID)
	k := f.Keys[by]
	own := by == e.Stream.ID && e.Fields["object"] == objectCertificate
	if k == nil || k.Usage != "csca" || own || e.Fields["object"] == objectLink {
		return
	}
	before := false
	for name, other := range f.Keys {
		before = before || name != by && other.Usage == "csca" && other.Revoked.IsZero() &&
			!other.Certified.IsZero() && other.Certified.Before(k.Certified)
	}
	if !before || !k.Linked.IsZero() && !e.Time.Before(k.Linked.Add(ca.Embargo)) {
		return
	}
	f.alarm(newAlarm(Embargoed, f.origin, index, fmt.Sprintf("%s %d", by, index),
		"%s signs a %s before other states could know it", by, e.Fields["object"]))
}

// prepared: before a card is signed its security object stands in the log.
func (f *facts) prepared(index int64, e *issuance.Entry) error {
	id, err := hex.DecodeString(e.Fields["cardid"])
	if err != nil || len(id) != 32 {
		return nil //nolint:nilerr // it names no card
	}
	ds := e.Fields["ds"]
	k := f.Keys[ds]
	if k == nil {
		k = &keyFacts{Usage: "ds"}
		f.Keys[ds] = k
	}
	if k.Prepared++; k.Cap > 0 && k.Prepared == k.Cap+1 {
		f.alarm(newAlarm(OverCap, f.origin, index, ds, "%s may sign %d cards, this is one more", ds, k.Cap))
	}
	return f.tx.AddCard(Card{ID: [32]byte(id), Origin: f.origin, Index: index, Signer: ds})
}

// outlived: no card is signed past the signer's period of use.
func (f *facts) outlived(name string, k *keyFacts) {
	if k.Until.IsZero() || !k.Last.After(k.Until.Add(24*time.Hour)) {
		return
	}
	f.alarm(newAlarm(Outlived, f.origin, -1, name, "%s signed a card on %s, and might until %s",
		name, k.Last.Format(time.DateOnly), k.Until.Format(time.DateOnly)))
}

// unlisted: a master list is signed anew once a CSCA is followed by another.
func (f *facts) unlisted(now time.Time) {
	list, there := f.Objects[f.Newer[objectMasterList]]
	for _, name := range sortedKeys(f.Keys) {
		if k := f.Keys[name]; there && k.Linked.After(list.Time) && now.Sub(k.Linked) > ca.ListWithin {
			f.alarm(newAlarm(ListStale, f.origin, list.Index, objectMasterList+" "+name, "the newest master list is older than %s", name))
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func syncOf(e *issuance.Entry) (size int64, root tlog.Hash, ok bool) {
	size, err := strconv.ParseInt(e.Fields["size"], 10, 64)
	tree, err2 := hex.DecodeString(strings.TrimSpace(e.Fields["tree"]))
	if err != nil || err2 != nil || len(tree) != tlog.HashSize {
		return 0, root, false
	}
	return size, tlog.Hash(tree), true
}
