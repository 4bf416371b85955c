package virtual

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// FolderOptions say how FromFolder makes a chip of a folder of files.
type FolderOptions struct {
	Path        string         // memory file to create; "" keeps the memory in the process
	MRZ         string         // MRZ information (document number, birth, expiry, each with its check digit); "" takes it from DG1
	CAN         string         // for PACE; "" leaves PACE with the MRZ only
	Rules       *gp.Rules      // nil: BAC allowed, and otherwise the zero value
	AA, CA      *dh.PrivateKey // the chip's keys, if the caller has them; copied
	Counterfeit bool           // make fresh keys on the curves of DG15 and DG14 where AA and CA are nil
	Historical  []byte         // as in Config
	Limits      apdu.Limits    // as in Config
	Quirks      Quirks         // as in Config
	Model       Model          // as in Config

	PIN, PUK string // of the eID application, for PACE; "" leaves them out
	// Keys are more keys of the chip for Chip Authentication and the chip authentication
	// mapping: each serves wherever DG14 or EF.CardSecurity has its public key. All keys are
	// copied.
	Keys       []dh.Secret
	Restricted []auth.ChipAuthSecret // for Restricted Identification
	Pseudonyms []PseudonymKey        // for Chip Authentication version 3
	ActiveRSA  *rsa.PrivateKey       // for Active Authentication, in place of AA
	ActiveHash crypto.Hash           // that ActiveRSA signs with; zero is SHA-1

	// TrustPoints are the CVCA certificates that Terminal Authentication begins with, at
	// most two of a kind of terminal, the current one first. Without any, nobody reads DG3
	// and DG4, unless NoEAC.
	TrustPoints [][]byte
	Date        time.Time // the chip's effective date; zero is that of the trust points
	NoEAC       bool      // DG3 and DG4 are open to every session

	ATRInfo, DIR, CVCA []byte         // EF.ATR/INFO, EF.DIR and EF.CVCA; nil leaves the file out
	EID                map[int][]byte // the eID application's data groups, by number; nil leaves it out
}

// FromFolder makes a card in use from an EF folder (EF.COM.bin, EF.SOD.bin, DG1.bin …,
// names matched without case): BAC, and PACE if EF.CardAccess.bin is there. Without chip
// keys it can't answer Active or Chip Authentication. Files that are not well formed are
// taken as they are; only what the access keys come from must be readable.
//
// It is also what a counterfeiter can do who has read a genuine card: copy everything but
// the chip's keys. With Counterfeit the copy has keys of its own and answers with those.
func FromFolder(fsys fs.FS, o FolderOptions) (*Chip, error) {
	files, err := readFolder(fsys)
	if err != nil {
		return nil, err
	}
	records, err := o.records(files)
	if err != nil {
		return nil, err
	}
	c, err := create(o.Path, Config{Historical: o.Historical, Limits: o.Limits, Quirks: o.Quirks, Model: o.Model})
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if err := c.write(r); err != nil {
			err = errors.Join(err, c.Close())
			if o.Path != "" {
				err = errors.Join(err, os.Remove(o.Path))
			}
			return nil, err
		}
	}
	c.powerUp()
	return c, nil
}

// readFolder reads the files whose names are those of an EF folder.
func readFolder(fsys fs.FS) (map[lds.File][]byte, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("EF folder: %w", err)
	}
	files := map[lds.File][]byte{}
	for _, e := range entries {
		f, ok := lds.ByName(e.Name())
		if !ok || e.IsDir() || !isFile(inside(f)) || !strings.EqualFold(e.Name(), f.FileName()) {
			continue
		}
		info, err := fs.Stat(fsys, e.Name())
		if err != nil {
			return nil, fmt.Errorf("EF folder: %w", err)
		}
		if !info.Mode().IsRegular() || info.Size() > maxFile {
			return nil, fmt.Errorf("EF folder: %s is no regular file, or of more than %d octets", e.Name(), maxFile)
		}
		b, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, fmt.Errorf("EF folder: %w", err)
		}
		files[f] = b
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("EF folder: no EF.COM.bin, EF.SOD.bin, DG1.bin … in it: %w", fs.ErrNotExist)
	}
	return files, nil
}

// records are the memory of a chip that was given files, access keys, rules and chip keys,
// and then locked.
func (o FolderOptions) records(files map[lds.File][]byte) ([]record, error) {
	var out []record
	for f, b := range files {
		out = appendFile(out, inside(f), b)
	}
	out = append(out, o.others()...)
	access, err := o.access(files)
	if err != nil {
		return nil, err
	}
	pairs, err := o.pairs(files)
	if err != nil {
		return nil, err
	}
	given, err := o.given(files)
	if err != nil {
		return nil, err
	}
	trust, err := o.trust()
	if err != nil {
		return nil, err
	}
	out = slices.Concat(out, access, pairs, given, trust)
	return append(out, stateRecord(gp.StateSecured)), nil
}

func appendFile(out []record, name uint16, b []byte) []record {
	out = append(out, fileRecord(name, len(b)))
	if len(b) > 0 {
		out = append(out, partRecord(name, 0, b))
	}
	return out
}

// others are the files that are no part of an EF folder, and the rules of files.
func (o FolderOptions) others() []record {
	var out []record
	for name, b := range map[uint16][]byte{fidATR: o.ATRInfo, fidDIR: o.DIR, nameCVCA: o.CVCA} {
		if b != nil {
			out = appendFile(out, name, b)
		}
	}
	for n, b := range o.EID {
		if n >= 1 && n <= eidGroups {
			out = appendFile(out, eidFiles+uint16(n), b)
		}
	}
	if o.NoEAC {
		out = append(out, accessRecord(fidDG3, rule{who: inSession}), accessRecord(fidDG4, rule{who: inSession}))
	}
	return out
}

func (o FolderOptions) access(files map[lds.File][]byte) ([]record, error) {
	info := o.MRZ
	if info == "" {
		zone, err := lds.ParseDG1(files[lds.DG1])
		if err != nil {
			return nil, fmt.Errorf("access keys: %w", err)
		}
		info = zone.KeyInfo()
	}
	rules := gp.Rules{BAC: true}
	if o.Rules != nil {
		rules = *o.Rules
	}
	mrz := auth.MRZ(info)
	defer mrz.Destroy()
	seed, err := mrz.BACSeed()
	if err != nil {
		return nil, fmt.Errorf("access keys: %w", err)
	}
	secret, err := mrz.PACESecret()
	if err != nil {
		return nil, fmt.Errorf("access keys: %w", err)
	}
	out := []record{
		secretRecord(gp.DGIRules, rules.Bytes()),
		secretRecord(gp.DGIBACSeed, seed),
		secretRecord(gp.DGIPACEMRZ, secret),
	}
	for dgi, digits := range map[uint16]string{gp.DGIPACECAN: o.CAN, gp.DGIPACEPIN: o.PIN, gp.DGIPACEPUK: o.PUK} {
		if digits != "" {
			out = append(out, secretRecord(dgi, []byte(digits)))
		}
	}
	return out, nil
}
