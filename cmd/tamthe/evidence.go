package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/slip"
)

// evidenceOptions are the flags of verify for what it leaves behind.
type evidenceOptions struct {
	file, caseID, purpose, recipients, key string
	slip                                   slipOption
}

func (o *evidenceOptions) flags(p *program, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.file, "evidence", "", "write a bundle that judge judges again without the card into this new `FILE`")
	f.StringVar(&o.caseID, "case", "", "the `NAME` of the case: the chip signs a challenge that follows from it, which convinces third parties")
	f.StringVar(&o.purpose, "purpose", "", "`WHY` the card is inspected, in one line without names, for bundle and record")
	o.slip.flag(cmd)
	f.StringVar(&o.recipients, "recipients", "", "encrypt the bundle to the age recipients in this `FILE` (age1…, one a line)")
	f.StringVar(&o.key, "device-key", "", "`URI` of the key that seals the bundle, file:PATH (else the home's device key)")
	f.StringVar(&p.operatorFlag, "operator", "", "the `NAME` of the officer, or file:PATH of the key, for bundle and record (else TAMTHE_OPERATOR)")
}

// keeping is what is ready before the card is read, so that nothing fails afterwards that
// could have failed before.
type keeping struct {
	evidenceOptions
	device     *evidence.Device
	context    evidence.Context
	officer    [32]byte
	recipients []byte
}

func (o evidenceOptions) prepare(p *program) (*keeping, error) {
	k := &keeping{evidenceOptions: o}
	var err error
	if err := checkLine("--purpose", o.purpose); err != nil {
		return nil, err
	}
	if k.purpose, err = o.slip.prepare(p, o.purpose); err != nil {
		return nil, err
	}
	if err := checkLine("--case", o.caseID); err != nil {
		return nil, err
	}
	if k.officer, err = p.officer(); err != nil {
		return nil, err
	}
	if o.file == "" {
		if o.caseID != "" || o.recipients != "" || o.key != "" {
			return nil, usagef("--case, --recipients and --device-key are for a bundle: name its file with --evidence")
		}
		return k, nil
	}
	if _, err := os.Lstat(o.file); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", o.file, errors.Join(fs.ErrExist, err))
	}
	if o.recipients != "" {
		if k.recipients, err = p.input(o.recipients, maxKeyList); err != nil {
			return nil, err
		}
		if _, err := evidence.Encrypt(nil, k.recipients); err != nil {
			return nil, fmt.Errorf("%s: %w", o.recipients, err)
		}
	}
	if k.device, err = p.device(o.key); err != nil {
		return nil, err
	}
	k.context, err = evidence.NewContext(o.caseID, k.purpose, k.device, p.now())
	return k, err
}

// maxKeyList bounds a file of recipients or identities, in octets.
const maxKeyList = 64 << 10

// checkLine refuses what is not one line to print.
func checkLine(flag, s string) error {
	if len(s) > maxPurpose || verify.Escape(s) != s {
		return usagef("%s is one line of at most %d octets", flag, maxPurpose)
	}
	return nil
}

// bundle writes the evidence and returns its digest.
func (k *keeping) bundle(r *verify.Report) (string, error) {
	if k.file == "" {
		return "", nil
	}
	b := evidence.New(r, k.context, "tamthe "+version)
	b.Officer = k.officer
	text, err := b.Sealed(k.device)
	if err != nil {
		return "", err
	}
	if k.recipients != nil {
		if text, err = evidence.Encrypt(text, k.recipients); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), durable.Export(k.file, text, 0o600)
}

// keep writes what an inspection leaves behind: the bundle, if one is wanted, and the entry
// in the record, which is made also if the bundle could not be written, and the citizen's slip,
// which tells what else is kept.
func (k *keeping) keep(p *program, verb string, r *verify.Report, kept ...string) error {
	digest, err := k.bundle(r)
	if err != nil {
		digest, err = "", fmt.Errorf("write the evidence: %w", err)
	}
	if k.file != "" && err == nil {
		kept = append(kept, slip.KeptBundle)
	}
	entry := p.record(r, occasion{verb: verb, purpose: k.purpose, caseID: k.caseID, officer: k.officer, evidence: digest})
	k.slip.make(p, entry, r, kept...)
	return err
}

// bundleOptions are the flags of judge for bundles.
type bundleOptions struct {
	devices    []string
	identities string
}

func (o *bundleOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.devices, "device", nil, "`FILE` with the public key of a device whose word counts; may be given again")
	cmd.Flags().StringVar(&o.identities, "identity", "", "`FILE` with the age identities that open encrypted bundles, - for standard input")
}

// bundles judges bundles of evidence.
type bundles struct {
	options    evidence.Options
	identities []byte
}

func (o bundleOptions) prepare(p *program, opts verify.Options) (*bundles, error) {
	b := &bundles{options: evidence.Options{Verify: opts}}
	for _, path := range o.devices {
		text, err := p.input(path, maxKeyList)
		if err != nil {
			return nil, err
		}
		id, err := evidence.ParseDevice(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		b.options.Devices = append(b.options.Devices, id)
	}
	if o.identities != "" {
		if err := p.hide(); err != nil {
			return nil, err
		}
		text, err := p.input(o.identities, maxKeyList)
		if err != nil {
			return nil, err
		}
		b.identities = text
	}
	return b, nil
}

// errEncrypted says that a bundle needs a key.
var errEncrypted = errors.New("the bundle is encrypted")

// judge opens and judges one bundle.
func (b *bundles) judge(ctx context.Context, text []byte) (*evidence.Bundle, *evidence.Judgement, error) {
	if evidence.Encrypted(text) {
		if b.identities == nil {
			return nil, nil, errEncrypted
		}
		var err error
		if text, err = evidence.Decrypt(text, b.identities); err != nil {
			return nil, nil, err
		}
	}
	bundle, err := evidence.Parse(text)
	if err != nil {
		return nil, nil, err
	}
	j, err := bundle.Judge(ctx, b.options)
	return bundle, j, err
}
