package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// uid asks the reader for the chip's number over the air, in two power cycles (PC/SC part
// 3 §3.2.2.1.3). One that stays the same names its bearer wherever there is a reader.
func (g *gate) uid(ctx context.Context) error {
	var seen [2][]byte
	for i := range seen {
		if err := g.chip.Reset(ctx); err != nil {
			return err
		}
		a, err := g.plain(ctx, []byte{0xFF, 0xCA, 0, 0, 0})
		if err != nil {
			return err
		}
		if a.Status != apdu.OK || len(a.Data) == 0 {
			g.set(QAAnonymous, verify.Absent, "the reader names no UID")
			return nil
		}
		seen[i] = a.Data
	}
	if bytes.Equal(seen[0], seen[1]) {
		g.set(QAAnonymous, verify.Failed, "the UID stays the same")
		return nil
	}
	g.set(QAAnonymous, verify.Passed, "")
	return nil
}

// shutCommands are what a finished chip must refuse to anybody, each with the data that it
// would do harm by.
var shutCommands = []struct {
	name string
	send []byte
	read bool // a warning is a refusal too, if no data come with it
}{
	{"READ BINARY of DG1", []byte{0x00, 0xB0, 0x81, 0x00, 0x00}, true},
	{"READ BINARY of DG2", []byte{0x00, 0xB0, 0x82, 0x00, 0x00}, true},
	{"READ BINARY of DG13", []byte{0x00, 0xB0, 0x8D, 0x00, 0x00}, true},
	{"READ BINARY of EF.SOD", []byte{0x00, 0xB0, 0x9D, 0x00, 0x00}, true},
	{"SELECT of DG1", []byte{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x01, 0x01}, false},
	{"UPDATE BINARY of DG1", []byte{0x00, 0xD6, 0x81, 0x00, 0x01, 0x61}, false},
	{"CREATE FILE", []byte{0x00, 0xE0, 0x00, 0x00, 0x06, 0x63, 0x04, 0x00, 0x10, 0x01, 0x01}, false},
	{"PUT DATA", []byte{0x00, 0xDA, 0x00, 0x62, 0x01, 0x00}, false},
	{"STORE DATA", []byte{0x80, 0xE2, 0x80, 0x00, 0x03, 0x01, 0x01, 0x00}, false},
	{"PUT KEY", []byte{0x80, 0xD8, 0x00, 0x81, 0x01, 0x30}, false},
	{"INITIALIZE UPDATE with the supplier's keys", []byte{0x80, 0x50, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00}, false},
	{"INITIALIZE UPDATE with the issuer's keys", []byte{0x80, 0x50, keySet, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00}, false},
	{"GET DATA of the chip's history", []byte{0x80, 0xCA, 0x9F, 0x7F, 0x00}, true},
}

// shut tries, just powered up, what only the issuer may do, and what nobody may any more.
// EXTERNAL AUTHENTICATE is never sent: a chip that takes INITIALIZE UPDATE is open.
func (g *gate) shut(ctx context.Context) error {
	if err := g.chip.Reset(ctx); err != nil {
		return err
	}
	var open []string
	for _, c := range shutCommands {
		for _, before := range [][]byte{nil, selectLDS} {
			if before != nil {
				if _, err := g.plain(ctx, before); err != nil {
					return err
				}
			}
			a, err := g.plain(ctx, c.send)
			if err != nil {
				return err
			}
			if a.Status == apdu.OK && !strings.HasPrefix(c.name, "SELECT") || c.read && len(a.Data) > 0 {
				open = append(open, c.name)
				break
			}
		}
	}
	if len(open) > 0 {
		g.set(QALocked, verify.Failed, strings.Join(open, ", "))
		return nil
	}
	g.set(QALocked, verify.Passed, "")
	return nil
}

var selectLDS = []byte{0x00, 0xA4, 0x04, 0x0C, 0x07, 0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}

// plain sends a command as it is.
func (g *gate) plain(ctx context.Context, command []byte) (apdu.Response, error) {
	b, err := g.chip.Exchange(ctx, command)
	if err != nil {
		return apdu.Response{}, err
	}
	if len(b) < 2 {
		return apdu.Response{}, nil
	}
	n := len(b) - 2
	return apdu.Response{Data: b[:n], Status: apdu.Status(b[n])<<8 | apdu.Status(b[n+1])}, nil
}

// stranger looks at the chip as a checkpoint does, first with what was read from the body.
func (g *gate) stranger(ctx context.Context) error {
	if g.e.Body != nil {
		passwords, err := g.printed()
		if err == nil {
			err = g.look(ctx, passwords)
			destroy(passwords)
		}
		switch {
		case err == nil:
			g.set(QAOpens, verify.Passed, "")
			return nil
		case !unopened(err):
			return err
		}
		g.set(QAOpens, verify.Failed, "what is printed does not open the chip")
		g.err = err
	}
	passwords, err := g.draft.passwords()
	if err != nil {
		return err
	}
	defer destroy(passwords)
	err = g.look(ctx, passwords)
	switch {
	case err == nil:
		g.set(QAOpens, verify.Passed, "with what was ordered to be printed")
		return nil
	case !unopened(err):
		return err
	}
	g.set(QAOpens, verify.Failed, "what was ordered does not open the chip")
	g.err = err
	return nil
}

// unopened says whether the error is that of a chip which answers and does not open.
func unopened(err error) bool {
	for _, gone := range []error{apdu.ErrRemoved, apdu.ErrReset, apdu.ErrTimeout, apdu.ErrAbandoned, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, gone) {
			return false
		}
	}
	return err != nil
}

// printed are the passwords that stand on the card's body as it was read.
func (g *gate) printed() ([]auth.Password, error) {
	zone, err := g.e.Body.MRZ()
	if err != nil {
		return nil, err
	}
	list := []auth.Password{auth.MRZ(zone.KeyInfo())}
	if n := g.e.Body.Front.Fields["number"]; len(n) >= 6 {
		list = append([]auth.Password{auth.CAN(n[len(n)-6:])}, list...)
	}
	return list, nil
}

// look has the chip inspected and takes the checks that follow from the report.
func (g *gate) look(ctx context.Context, passwords []auth.Password) (err error) {
	if err := g.chip.Reset(ctx); err != nil {
		return err
	}
	opts := g.e.Verify
	if opts.Policy, err = verify.PolicyByName(deskPolicy); err != nil {
		return err
	}
	opts.Passwords, opts.At, opts.Status = passwords, g.o.Now(), g.o
	opts.Printed, opts.QR = nil, ""
	if b := g.e.Body; b != nil {
		opts.Printed, _ = b.MRZ() // what is no zone, the check of the body says
		opts.QR = g.draft.body().QROf(*b)
	}
	r, err := verify.Inspect(ctx, apdu.Over(g.chip, g.e.Limits), opts)
	if err != nil {
		return err
	}
	if err := g.another(ctx, r); err != nil {
		return err
	}
	g.q.Report = r
	if r.Verdict != verify.Accept {
		g.err = &RefusedError{r}
	}
	g.judgeFiles(r)
	g.judgeSignature(r)
	return nil
}

// judgeFiles holds what was read against the journal: 9000 from a chip is no proof.
func (g *gate) judgeFiles(r *verify.Report) {
	var differ []string
	for _, f := range slices.Sorted(maps.Keys(g.files)) {
		shut := f == lds.DG3 && r.Check(verify.CheckTA).Outcome != verify.Passed // the check of those says so
		if got, read := r.Files[f]; !shut && !read || read && !bytes.Equal(got, g.files[f]) {
			differ = append(differ, f.Name())
		}
	}
	if len(differ) > 0 {
		g.set(QAFiles, verify.Failed, strings.Join(differ, ", "))
		return
	}
	g.set(QAFiles, verify.Passed, fmt.Sprintf("%d files", len(g.files)))
}

// judgeSignature takes whatever a stranger would hold against the card's data, but for
// what the other checks ask.
func (g *gate) judgeSignature(r *verify.Report) {
	var reasons []string
	for _, reason := range r.Reasons() {
		other := slices.ContainsFunc(r.Checks, func(c verify.Check) bool {
			return c.Reason == reason && (c.Claim == verify.Original || c.ID == verify.CheckPrint || c.ID == verify.CheckQR)
		})
		if !other {
			reasons = append(reasons, string(reason))
		}
	}
	if len(reasons) > 0 {
		g.set(QASignature, verify.Failed, strings.Join(reasons, ", "))
		return
	}
	g.set(QASignature, verify.Passed, "")
}
