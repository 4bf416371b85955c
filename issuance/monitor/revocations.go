package monitor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance/ca"
)

// crlOf names the revocation lists of a CSCA key among the lists of a log: each key's newest
// is kept, so that the list of one does not hide that another's is missing.
func crlOf(key string) string { return objectCRL + " " + key }

// covers says whether the lists of one CSCA key tell the revocations under another: its own
// do, and those of a later generation (Doc 9303-12 §7.1.4), or of any where it was revoked
// itself and signs nothing more.
func (f *facts) covers(by, issuer string) bool {
	k, of := f.Keys[by], f.Keys[issuer]
	if by == issuer || k == nil || of == nil || k.Usage != "csca" || of.Usage != "csca" {
		return by == issuer
	}
	return k.Certified.After(of.Certified) || !of.Revoked.IsZero()
}

// heir is the key whose lists have taken the place of a CSCA's, itself if none has: a newer
// list that covers the same.
func (f *facts) heir(key string) string {
	newest, heir := f.Objects[f.Newer[crlOf(key)]].Index, key
	for _, other := range f.crlKeys() {
		if o := f.Objects[f.Newer[crlOf(other)]]; o.Index > newest && f.covers(other, key) {
			newest, heir = o.Index, other
		}
	}
	return heir
}

// crlKeys are the keys that signed revocation lists.
func (f *facts) crlKeys() (keys []string) {
	for _, slot := range sortedKeys(f.Newer) {
		if key, ok := strings.CutPrefix(slot, objectCRL+" "); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// relieve passes what is known of a list on to the one that took its place.
func (f *facts) relieve() {
	for _, key := range f.crlKeys() {
		heir := f.heir(key)
		since, known := f.Published[crlOf(key)]
		if !known || heir == key {
			continue
		}
		if _, already := f.Published[crlOf(heir)]; !already {
			f.Published[crlOf(heir)] = since
		}
		delete(f.Published, crlOf(key))
	}
}

// slot is where the newest list stands that takes the place of an object.
func (f *facts) slot(o objectFacts) string {
	if o.Object == objectCRL {
		return crlOf(f.heir(o.Key))
	}
	return o.Object
}

// renewed are what is published anew again and again.
func (f *facts) renewed() (slots []string) {
	for _, key := range f.crlKeys() {
		if f.heir(key) == key {
			slots = append(slots, crlOf(key))
		}
	}
	return append(slots, objectMasterList, objectDeviations, objectStatusList)
}

// perKey reads a memory in which the lists of all keys stood in one place.
func (f *facts) perKey() {
	digest, there := f.Newer[objectCRL]
	if !there {
		return
	}
	slot := crlOf(f.Objects[digest].Key)
	f.Newer[slot] = digest
	if since, known := f.Published[objectCRL]; known {
		f.Published[slot] = since
	}
	delete(f.Newer, objectCRL)
	delete(f.Published, objectCRL)
}

// signedList is a revocation list as the log has it.
type signedList struct {
	index int64
	list  *cert.CRL
}

// newestLists finds the newest published revocation list of each CSCA key, by log and key.
func (c *court) newestLists(documents [][]byte) map[string]map[string]signedList {
	lists := map[string]map[string]signedList{}
	for _, d := range documents {
		origin, o, ours := c.object(d)
		l, err := cert.ParseCRL(d)
		if !ours || o.Object != objectCRL || err != nil {
			continue
		}
		if lists[origin] == nil {
			lists[origin] = map[string]signedList{}
		}
		if now, there := lists[origin][o.Key]; !there || o.Index > now.index {
			lists[origin][o.Key] = signedList{o.Index, l}
		}
	}
	return lists
}

// told finds which of the revoked keys the published lists name: all that cover a key and
// whose place no other that is published has taken. While there is none it stays as it was.
func (c *court) told(documents [][]byte) {
	for origin, lists := range c.newestLists(documents) {
		f := c.facts[origin]
		for _, k := range f.Keys {
			if k.Revoked.IsZero() || len(k.Serials) == 0 {
				continue
			}
			seen, named := false, true
			for by, l := range lists {
				if f.covers(by, k.Issuer) && !f.replaced(by, lists) {
					seen, named = true, named && k.namedBy(l.list)
				}
			}
			if seen {
				k.Listed = named
			}
		}
	}
}

// replaced says whether another of the lists has taken the place of a key's.
func (f *facts) replaced(key string, lists map[string]signedList) bool {
	for other, l := range lists {
		if l.index > lists[key].index && f.covers(other, key) {
			return true
		}
	}
	return false
}

// namedBy says whether a list names all certificates of a key that had not expired when it
// was signed.
func (k *keyFacts) namedBy(l *cert.CRL) bool {
	named := map[string]bool{}
	for _, r := range l.Entries() {
		named[r.Serial.Text(16)] = true
	}
	for serial, until := range k.Serials {
		if !named[serial] && !until.Before(l.ThisUpdate) {
			return false
		}
	}
	return true
}

// overdue finds what the published lists should tell by now, and whether there is one at all.
func (f *facts) overdue(now time.Time) {
	first := time.Time{}
	for _, name := range sortedKeys(f.Keys) {
		k := f.Keys[name]
		if k.Usage == "csca" && !k.Certified.IsZero() && (first.IsZero() || k.Certified.Before(first)) {
			first = k.Certified
		}
		if !k.Revoked.IsZero() && slices.Contains(listed, k.Usage) && now.Sub(k.Revoked) > ca.ListWithin {
			f.untold(name, k)
		}
	}
	if keys := f.crlKeys(); len(keys) == 0 && !first.IsZero() && now.Sub(first) > ca.ListWithin {
		f.alarm(newAlarm(ListStale, f.origin, -1, objectCRL+" none", "no revocation list was signed"))
	}
	for _, key := range f.crlKeys() {
		if o := f.Objects[f.Newer[crlOf(key)]]; f.heir(key) == key && now.Sub(o.Time) > ca.ListAge {
			f.alarm(newAlarm(ListStale, f.origin, o.Index, objectCRL+" "+strconv.FormatInt(o.Index, 10),
				"the newest revocation list of %s was signed on %s", key, o.Time.Format(time.DateOnly)))
		}
	}
}

// untold alarms of a revocation that no list tells, or of which nobody can say whether one
// does. A key that was never certified is in no list.
func (f *facts) untold(name string, k *keyFacts) {
	subject := fmt.Sprintf("%s %d", name, k.RevokedAt)
	switch {
	case len(k.Serials) == 0 && !k.Certified.IsZero():
		f.alarm(newAlarm(ListOverdue, f.origin, k.RevokedAt, subject+" unseen",
			"%s was revoked on %s, and its certificate was never seen to tell whether a list names it", name, k.Revoked.Format(time.RFC3339)))
	case len(k.Serials) > 0 && !k.Listed:
		f.alarm(newAlarm(ListOverdue, f.origin, k.RevokedAt, subject,
			"%s was revoked on %s, and no published list of %s names its certificate", name, k.Revoked.Format(time.RFC3339), k.Issuer))
	}
}
