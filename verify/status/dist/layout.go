// Package dist brings published lists of card status to devices over plain HTTP.
//
// A publisher writes files into a folder that any web server or cache may hand out, and a
// device fetches from it what it lacks: the patches from the snapshot that it has, or the
// newest snapshot. Whoever stands between the two can only keep a device from what is new, and
// the device notices when the next head is overdue.
//
// The folder has
//
//	head              which snapshot is the newest, and the way to it; replaced by each publication
//	N.status          snapshots by their numbers; for ever the same
//	FROM-N.patch      what makes snapshot N of snapshot FROM; for ever the same
//
// All are signed, or of what is signed the digest, so that no transport has to be trusted.
package dist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/status"
)

// HeadName is the file that is replaced.
const HeadName = "head"

var (
	snapshotName = regexp.MustCompile(`^([1-9][0-9]{0,18})\.status$`)
	patchName    = regexp.MustCompile(`^([1-9][0-9]{0,18})-([1-9][0-9]{0,18})\.patch$`)
)

func nameOfSnapshot(number uint64) string { return fmt.Sprintf("%d%s", number, status.Extension) }

func nameOfPatch(from, to uint64) string { return fmt.Sprintf("%d-%d.patch", from, to) }

// numberIn is the number that a group of an expression finds in a name; 0 if there is none.
func numberIn(name string, r *regexp.Regexp, group int) uint64 {
	found := r.FindStringSubmatch(name)
	if found == nil {
		return 0
	}
	n, err := strconv.ParseUint(found[group], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// replace puts a file into a folder, whole or not at all, in the place of one of that name.
// What it writes first ends in .new, and is left behind only by a sudden death.
func replace(dir, name string, b []byte) error {
	f, err := os.OpenFile(filepath.Join(dir, name+".new"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return durable.Sync(dir)
}
