package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify"
)

// The two officers. Four eyes: what An enrols and makes, Bình approves and checks.
const (
	officerAn   = "an"
	officerBinh = "binh"
)

// demoPortrait is the size of the portrait that makes DG2 20,042 octets, as on real cards.
const demoPortrait = 20042 - 84

// demoExtended is the largest APDU in octets that the first card's chip takes in the run
// with extended length, as a known card says of itself.
const demoExtended = 1520

// play is the whole demonstration.
func (d *demo) play(ctx context.Context) error {
	if err := os.WriteFile(d.path("passphrase"), []byte(demoPassphrase+"\n"), 0o600); err != nil {
		return err
	}
	if err := d.setUp(ctx); err != nil {
		return err
	}
	people := citizens()
	var cards []string
	for i, c := range people {
		card, err := d.issue(ctx, c, personaliseOptions{bacOnly: i == 1})
		if err != nil {
			return err
		}
		cards = append(cards, card)
	}
	if err := os.CopyFS(d.path("trust"), os.DirFS(d.path("home", trustDir))); err != nil {
		return err
	}
	if err := d.genuine(ctx, people); err != nil {
		return err
	}
	if err := d.forged(ctx, people[0]); err != nil {
		return err
	}
	return d.revoked(ctx, people[2], cards[2])
}

// setUp makes the desk and its SPECIMEN authority.
func (d *demo) setUp(ctx context.Context) error {
	d.heading("A desk is set up", "Lập bàn cấp thẻ")
	for _, s := range []struct {
		what string
		verb func(*program) error
	}{
		{"init: home, ledger, two operators", func(p *program) error {
			return runInit(ctx, p, initOptions{
				name: officerAn, roles: []string{"admin", "registrar", "personaliser", "custodian", "stock-keeper"},
				second: officerBinh, secondRoles: []string{"admin", "approver", "inspector", "clerk", "revoker", "custodian"},
			})
		}},
		{"stock receive: a hundred blank cards", func(p *program) error {
			return p.changeStock(ctx, "B-SPECIMEN", "1-100", "receive", func(ctx context.Context, o *office, r desk.Range) error {
				return o.ReceiveBlanks(ctx, r, "")
			})
		}},
		{"pki csca: SPECIMEN root, P-384", func(p *program) error {
			return runCSCA(ctx, p, pkiOptions{country: "VN", state: vn.Country, organization: "tamthe", algorithm: "P-384", cardYears: 25})
		}},
		{"pki ds: document signer, P-256", func(p *program) error {
			return runDS(ctx, p, pkiOptions{algorithm: "P-256", cardYears: 25, documents: []string{"ID"}, named: true, useMonths: 3, cap: 100})
		}},
		{"pki crl: revocation list", func(p *program) error { return runCRL(ctx, p, pkiOptions{days: 90}) }},
	} {
		if _, err := d.step(officerAn, s.what, func(p *program) error {
			p.secondFlag = officerBinh
			return s.verb(p)
		}); err != nil {
			return err
		}
	}
	return nil
}

// issue takes a citizen from enrolment to the card in their hand and returns its name.
func (d *demo) issue(ctx context.Context, c citizen, o personaliseOptions) (string, error) {
	d.heading("A card for "+c.person.FullName(), "Cấp thẻ cho "+c.person.FullName())
	portrait, err := drawPortrait(demoPortrait)
	if err != nil {
		return "", err
	}
	person, face := d.path(c.key+".json"), d.path(c.key+".jpg")
	if err := os.WriteFile(person, c.file(), 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(face, portrait, 0o600); err != nil {
		return "", err
	}
	app, err := d.step(officerAn, "enrol", func(p *program) error {
		return runEnrol(ctx, p, enrolOptions{file: person, portrait: face, reason: "first"})
	})
	if err != nil {
		return "", err
	}
	if _, err := d.step(officerBinh, "approve "+app, func(p *program) error { return runApprove(ctx, p, app) }); err != nil {
		return "", err
	}
	chip, err := virtual.Create(d.chipFile(c), virtual.Config{})
	if err != nil {
		return "", err
	}
	defer chip.Close()
	if err := d.slot.insert(ctx, chip); err != nil {
		return "", err
	}
	card, err := d.step(officerAn, "personalise "+app, func(p *program) error { return runPersonalise(ctx, p, app, o) })
	if err != nil {
		return "", err
	}
	if _, err := d.step(officerBinh, "check "+card, func(p *program) error { return runCheck(ctx, p, card, checkOptions{}) }); err != nil {
		return "", err
	}
	if _, err := d.step(officerBinh, "deliver "+card, func(p *program) error { return runDeliver(ctx, p, card, desk.Handover{}) }); err != nil {
		return "", err
	}
	return card, d.slot.remove()
}

func (d *demo) chipFile(c citizen) string { return d.path("chips", c.key+".chip") }

// genuine inspects the card with its CAN, with short and with extended APDUs, and the one without PACE with its MRZ.
func (d *demo) genuine(ctx context.Context, people []citizen) error {
	can, err := d.secret("can.txt", people[0].person.Number.CAN())
	if err != nil {
		return err
	}
	chip, err := virtual.Load(d.chipFile(people[0]))
	if err != nil {
		return err
	}
	err = d.inspect(ctx, "can", verify.Accept, chip, verifyOptions{canFile: can, save: d.path("card")})
	if err != nil {
		return err
	}
	if chip, err = virtual.Load(d.chipFile(people[0])); err != nil {
		return err
	}
	chip.Limit(apdu.Limits{Command: demoExtended, Response: demoExtended})
	if err := d.inspect(ctx, "can-extended", verify.Accept, chip, verifyOptions{canFile: can}); err != nil {
		return err
	}
	text, err := people[1].zone(people[1].person.ExpiryAt(d.p.now()))
	if err != nil {
		return err
	}
	zone, err := d.secret("mrz.txt", text)
	if err != nil {
		return err
	}
	if chip, err = virtual.Load(d.chipFile(people[1])); err != nil {
		return err
	}
	return d.inspect(ctx, "bac", verify.Accept, chip, verifyOptions{mrzFile: zone})
}

func (d *demo) secret(name, text string) (string, error) {
	path := d.path(name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// forged inspects what a forger makes of the first card.
func (d *demo) forged(ctx context.Context, c citizen) error {
	files, err := verify.ReadFiles(os.DirFS(d.path("card")))
	if err != nil {
		return err
	}
	f := forger{files: files, can: c.person.Number.CAN(), dir: d.path("forged")}
	for _, kind := range []struct {
		name string
		want verify.Verdict
		make func() (*virtual.Chip, error)
	}{
		{"tampered", verify.Refuse, func() (*virtual.Chip, error) { return d.tampered(c) }},
		{"clone", verify.Refuse, f.clone},
		{"stranger", verify.Refuse, func() (*virtual.Chip, error) { return f.resigned(true) }},
		{"unknown", verify.Refer, func() (*virtual.Chip, error) { return f.resigned(false) }},
	} {
		chip, err := kind.make()
		if err != nil {
			return fmt.Errorf("make the %s card: %w", kind.name, err)
		}
		if err := d.inspect(ctx, kind.name, kind.want, chip, verifyOptions{canFile: d.path("can.txt")}); err != nil {
			return err
		}
	}
	return nil
}

// tampered is a copy of the genuine chip, keys included, with one octet of the portrait
// changed: more than any forger can do, and still seen.
func (d *demo) tampered(c citizen) (*virtual.Chip, error) {
	b, err := os.ReadFile(d.chipFile(c))
	if err != nil {
		return nil, err
	}
	path := d.path("forged", "tampered.chip")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return nil, err
	}
	chip, err := virtual.Load(path)
	if err != nil {
		return nil, err
	}
	return chip, chip.Tamper(lds.DG2, 12000, 0x01)
}

// revoked revokes the third card and inspects it.
func (d *demo) revoked(ctx context.Context, c citizen, card string) error {
	d.heading("A card is reported lost", "Một thẻ được báo mất")
	if _, err := d.step(officerBinh, "card revoke "+card, func(p *program) error { return runCardRevoke(ctx, p, card, "lost") }); err != nil {
		return err
	}
	can, err := d.secret("can-revoked.txt", c.person.Number.CAN())
	if err != nil {
		return err
	}
	chip, err := virtual.Load(d.chipFile(c))
	if err != nil {
		return err
	}
	return d.inspect(ctx, "revoked", verify.Refuse, chip, verifyOptions{canFile: can})
}

// inspect verifies a chip at the checkpoint, shows what the officer sees and keeps the
// report.
func (d *demo) inspect(ctx context.Context, name string, want verify.Verdict, chip *virtual.Chip, o verifyOptions) error {
	defer chip.Close()
	titles := map[string][2]string{
		"can":          {"At the checkpoint: a genuine card, opened with its CAN", "Tại chốt: thẻ thật, mở bằng CAN"},
		"can-extended": {"The same card with APDUs of extended length", "Cùng thẻ ấy với APDU độ dài mở rộng"},
		"bac":          {"A genuine card without PACE, opened with its MRZ", "Thẻ thật không có PACE, mở bằng MRZ"},
		"tampered":     {"The same chip with one octet of the portrait changed", "Cùng con chip ấy, một byte ảnh bị sửa"},
		"clone":        {"A copy of the card on another chip", "Bản sao của thẻ trên chip khác"},
		"stranger":     {"A card signed by a stranger who borrows our CSCA's name and key identifier", "Thẻ do người lạ ký, mượn tên và mã khóa của CSCA"},
		"unknown":      {"A card of a CSCA that nobody has told us of", "Thẻ của CSCA chưa biết"},
		"revoked":      {"The lost card", "Thẻ đã báo mất"},
	}
	d.heading(titles[name][0], titles[name][1])
	if err := d.slot.insert(ctx, chip); err != nil {
		return err
	}
	p, out := d.as("")
	o.trust, o.specimen = d.path("trust"), true
	report, elapsed, err := o.inspect(ctx, p, "checkpoint", o.save)
	if err != nil {
		return fmt.Errorf("inspect the %s card: %w", name, err)
	}
	if err := d.show(report, elapsed); err != nil {
		return err
	}
	body, err := report.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.path("reports", name+".json"), body, 0o600); err != nil {
		return err
	}
	out.Reset()
	r := demoRun{Name: name, Verdict: report.Verdict, Reasons: append([]verify.Reason{}, report.Reasons()...), Exit: verdictStatus(report.Verdict), want: want}
	if s := report.Session; s != nil {
		r.Session = &demoRunSession{s.Access, s.APDUs, s.BytesIn, s.BytesOut}
	}
	d.runs = append(d.runs, r)
	return d.slot.remove()
}

// show prints the officer's view.
func (d *demo) show(r *verify.Report, elapsed time.Duration) error {
	if d.p.json {
		return nil
	}
	return d.p.report(r, verify.RenderOptions{Elapsed: elapsed})
}
